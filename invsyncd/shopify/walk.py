"""From page to page of one connection, to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from invsyncd.errors import Garbled
from invsyncd.net.admission import Urgency
from invsyncd.net.decode import Shape
from invsyncd.shopify import documents, parse
from invsyncd.shopify.client import ShopifyClient

PAGES_MAX = 8_000  # two million rows: beyond it, something turns in circles
WALK_S_MAX = 4 * 3600.0
ENDLESS = "nothing was changed, and it is read again; tell us of a shop that is really so large"


@dataclass(frozen=True, slots=True)
class Start:
    """Where a walk begins: behind the cursor `after`, having `seen` these cursors."""

    after: str | None = None
    seen: set[str] | None = None


async def walk(
    client: ShopifyClient,
    op: str,
    variables: Mapping[str, object],
    connection: Callable[[Shape], Shape],
    *,
    pages_max: int = PAGES_MAX,
    start: Start | None = None,
    urgency: Urgency | None = None,
) -> AsyncIterator[tuple[Shape, int | None]]:
    """Yield the pages of the connection that `connection` finds in the data, with server time.

    Raises as `ShopifyClient.execute` does, and Garbled where it does not end.
    """
    begin = start or Start()
    deadline = asyncio.get_running_loop().time() + WALK_S_MAX
    after, cursors = begin.after, set() if begin.seen is None else begin.seen
    for _ in range(pages_max):
        answer = await client.execute(
            documents.ALL[op], {**variables, "after": after}, op=op, urgency=urgency
        )
        page = connection(Shape(answer.data, op))
        yield page, answer.server_time
        after = parse.next_cursor(page, cursors)
        if after is None:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise Garbled(f"shopify {op}: no last page within {WALK_S_MAX:g} s", advice=ENDLESS)
    raise Garbled(f"shopify {op}: more than {pages_max} pages", advice=ENDLESS)
