"""Says when so many items cannot be read that the whole source is in doubt (law 8).

Most answers are about a few items, and these may be just the ones that cannot be read. So what
cannot be read is compared with all items of the shop.
"""

from __future__ import annotations

from collections.abc import Mapping

from invsyncd.errors import InvalidResponse
from invsyncd.shopify.aside import BAD_MAX
from invsyncd.store import Store


async def believe(store: Store, unread: Mapping[int, str], good: int) -> None:
    """Raise InvalidResponse where most of an answer and of the shop's items cannot be read.

    `unread` has the reasons by item, `good` is how many rows of the answer can be read.
    """
    bad = len(unread)
    if bad > max(BAD_MAX, good) and 2 * bad > await store.census.items():
        first = next(iter(unread.values()))
        raise InvalidResponse(f"shopify: {bad} items cannot be read; first: {first}")
