"""Which listings of TikTok's may be tried now, the most urgent first, and in which calls."""

from __future__ import annotations

from invsyncd.core.model import Listing
from invsyncd.engine.again import Apart, Waits
from invsyncd.engine.market import Key
from invsyncd.store import Store

SKUS_MAX = 600  # of one round
CALLS_MAX = 15  # of one round: then the guard, the audit and the holds have their turn


class Due:
    """The next round of calls. `owed` are the listings that something is owed to."""

    def __init__(self, store: Store, waits: Waits, apart: Apart) -> None:
        self._store = store
        self._waits = waits
        self._apart = apart
        self.owed: frozenset[Key] = frozenset()

    async def calls(self) -> list[list[Listing]]:
        """As many calls as one round can carry: the listings of a product share one.

        Where one of them spoils the call, each has its own.
        """
        limit = SKUS_MAX + self._waits.waiting
        pending = await self._store.listings.pending(limit)
        self.owed = frozenset(x.key for x in pending)
        if len(pending) < limit:
            self._waits.keep(self.owed)
        calls: dict[str | Key, list[Listing]] = {}
        for listing in [x for x in pending if self._waits.ready(x.key)][:SKUS_MAX]:
            parted = self._apart.parted(listing.product_id)
            call = listing.key if parted else listing.product_id
            if call in calls or len(calls) < CALLS_MAX:
                calls.setdefault(call, []).append(listing)
        return list(calls.values())
