"""Keeps the items that are to be read directly, until a pass has read and committed them.

Says too when so many items cannot be read that the whole source is in doubt (law 8). Most answers
are about a few items, and these may be just the ones that cannot be read. So what cannot be read is
compared with all items of the shop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from invsyncd.errors import InvalidResponse
from invsyncd.shopify.aside import BAD_MAX
from invsyncd.store import Store


class Suspects:
    """The items that the next passes read directly.

    A pass takes some, and calls `done` when it has committed what it read. An item that is named
    again meanwhile stays, because the pass may have read that item before.
    """

    def __init__(self) -> None:
        self._left: set[int] = set()
        self._taken: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self._left)

    def name(self, items: Iterable[int]) -> None:
        """Have these items read too."""
        self._left.update(items)

    def take(self, most: int) -> frozenset[int]:
        """Take at most this many, after giving back those of an earlier take that is not done."""
        self.give_back()
        self._taken = frozenset(islice(self._left, most))
        self._left -= self._taken
        return self._taken

    def give_back(self) -> None:
        """Give back what was taken: the pass did not commit, so these items must still be read."""
        self._left |= self._taken
        self._taken = frozenset()

    def done(self) -> None:
        """Drop what was taken, because these items are read and committed."""
        self._taken = frozenset()

    def lacks(self, items: frozenset[int]) -> bool:
        """Whether none of these is still to be taken."""
        return self._left.isdisjoint(items)


async def believe(store: Store, unread: Mapping[int, str], good: int) -> None:
    """Raise InvalidResponse where most of an answer and of the shop's items cannot be read.

    `unread` has the reasons by item, `good` is how many rows of the answer can be read.
    """
    bad = len(unread)
    if bad > max(BAD_MAX, good) and 2 * bad > await store.census.items():
        first = next(iter(unread.values()))
        raise InvalidResponse(f"shopify: {bad} items cannot be read; first: {first}")
