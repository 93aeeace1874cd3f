"""Reads the stock of SKUs, so that one SKU that TikTok does not take spoils no other.

What the stock search does with an id that it does not know is not documented. Where it refuses the
whole call, the call is halved until the id is found. That id is then left out for a while.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from invsyncd.core.marketplace import OddRow
from invsyncd.net.decode import Shape, excerpt
from invsyncd.tiktok import parse
from invsyncd.tiktok.client import TikTokClient
from invsyncd.tiktok.errors import ABOUT_THE_CALL, Declined, lasting
from invsyncd.tiktok.parse import ShownStock

SKUS_PER_SEARCH = 600  # documented maximum
REJECTED_S = 60.0  # so long a rejected id is left out of searches; then it is asked for alone
ALONE_MAX = 10  # so many of them in one reading
REFUSALS_MAX = 40  # so many refusals and not one answer: the ids are not the cause


class StockSearch:
    """The stock search of one shop. `clock` gives seconds; what it counts from does not matter."""

    def __init__(self, client: TikTokClient, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._rejected: dict[str, tuple[float, OddRow]] = {}

    async def read(self, sku_ids: Sequence[str]) -> ShownStock:
        """The units that these SKUs show and have sold, read 600 SKUs a call.

        Raises Declined if the refusal is not about ids, or if nothing else is answered.
        """
        now, found = self._clock(), ShownStock()
        unique = list(dict.fromkeys(sku_ids))
        known = [x for x in unique if x in self._rejected]
        due = [x for x in known if abs(now - self._rejected[x][0]) >= REJECTED_S][:ALONE_MAX]
        found.odd.extend(self._rejected[x][1] for x in known if x not in due)
        asked = [x for x in unique if x not in self._rejected]
        for sku_id in due:
            await self._read_chunk([sku_id], found)
        for start in range(0, len(asked), SKUS_PER_SEARCH):
            await self._read_chunk(asked[start : start + SKUS_PER_SEARCH], found)
        return found

    async def _read_chunk(self, sku_ids: Sequence[str], found: ShownStock) -> None:
        """Read these SKUs with one call, or with more if TikTok does not take one of the ids."""
        waiting, refusals, is_answered = deque([sku_ids]), 0, False
        while waiting:
            part = waiting.popleft()
            try:
                read = await self._ask(part)
            except Declined as refusal:
                refusals += 1
                is_hopeless = refusals >= REFUSALS_MAX and not is_answered
                if refusal.number in ABOUT_THE_CALL or is_hopeless:
                    raise
                if len(part) == 1:
                    self._reject(part[0], refusal, found)
                else:  # all parts are asked before the parts of a part: most are answered soon
                    middle = len(part) // 2
                    waiting += [part[:middle], part[middle:]]
                continue
            is_answered = True
            for sku_id in part:
                self._rejected.pop(sku_id, None)
            found.add(read)

    async def _ask(self, sku_ids: Sequence[str]) -> ShownStock:
        reply = await self._client.call(
            "POST", "/product/202309/inventory/search", op="STOCK", body={"sku_ids": list(sku_ids)}
        )
        return parse.stock(Shape(reply.data, "STOCK"), sku_ids)

    def _reject(self, sku_id: str, refusal: Declined, found: ShownStock) -> None:
        odd = OddRow("", sku_id, excerpt(lasting(str(refusal))))
        self._rejected[sku_id] = (self._clock(), odd)
        found.odd.append(odd)
