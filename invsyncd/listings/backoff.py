"""When a listing that failed may be tried again, and which listings go into the next calls.

Waits are kept in memory: after a restart everything is tried once, which harms nobody. Products of
which a call was declined as a whole are sent SKU by SKU for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from invsyncd.core.clocks import AT_ONCE, LoopSeconds, later
from invsyncd.core.model import Listing
from invsyncd.listings.stock import Key
from invsyncd.store import Store
from invsyncd.tiktok.shop import SkuError

AGAIN_S = 60.0  # a listing that was turned down is not tried again before
AGAIN_S_MAX = 900.0  # nor, however often it was, later than this
UNKNOWN_AGAIN_S = 10.0  # a call without a usable answer is followed up, by a read, after this
MUTE_MAX = 3  # so many products in a row without an answer: it is the shop, not the products
MUTE_S = 300.0  # then a listing is tried again so late, or as soon as another one was answered
APART_S = 3600.0  # a product whose call was declined is sent SKU by SKU for so long
NO_ANSWER = -1  # in the place of a code
SAME_MAX = 3  # so many of its SKUs declined alike, and none taken: it is the product


@dataclass(slots=True)
class _Failing:
    times: int = 0
    not_before: LoopSeconds = AT_ONCE
    code: int | None = None


class Backoff:
    """The waits of listings; a success ends them. `now` is the clock for waiting."""

    def __init__(self, now: Callable[[], LoopSeconds]) -> None:
        self._now = now
        self._failing: dict[Key, _Failing] = {}
        self._mute: set[str] = set()
        self._silenced: set[Key] = set()

    def ready(self, key: Key) -> bool:
        """Whether this listing may be tried now."""
        return key not in self._failing or self._failing[key].not_before <= self._now()

    @property
    def waiting(self) -> int:
        """How many listings may not be tried now."""
        return sum(not self.ready(key) for key in self._failing)

    @property
    def shop_is_mute(self) -> bool:
        """Whether several products in a row got no answer: then no further one is tried."""
        return len(self._mute) >= MUTE_MAX

    def refused(self, key: Key, code: int, first_s: float) -> bool:
        """It was turned down; returns whether that code is news of it."""
        failing = self._grown(key, first_s)
        news, failing.code = failing.code != code, code
        return news

    def unanswered(self, keys: Collection[Key]) -> bool:
        """Whether a call carried these out is not known; returns whether that is news of one.

        Where the whole shop is silent, the listings are not to blame: their waits do not grow, and
        end with the silence, unless they had failed before.
        """
        silent, news = self.shop_is_mute, False
        for key in keys:
            first = key not in self._failing or not self._failing[key].times
            if silent:
                self.rest(key, MUTE_S)
                self._silenced |= {key} if first else set()
            elif first:
                self._grown(key, AGAIN_S).not_before = later(self._now(), UNKNOWN_AGAIN_S)
            else:
                self._grown(key, AGAIN_S)
            if not silent:
                news |= self._failing[key].code != NO_ANSWER
                self._failing[key].code = NO_ANSWER
            self._mute.add(key[0])
        return news

    def answered(self) -> None:
        """A write of the shop got an answer of any kind."""
        self._mute.clear()
        for key in self._silenced & self._failing.keys():
            # At once, and if that fails too, it is the listing's own failure.
            self._failing[key].not_before, self._failing[key].times = AT_ONCE, 1
        self._silenced.clear()

    def rest(self, key: Key, seconds: float = AGAIN_S) -> None:
        """Leave it alone for so long, without blame."""
        failing = self._failing.setdefault(key, _Failing())
        failing.not_before = later(self._now(), seconds)

    def at_once(self, key: Key) -> None:
        """What was in its way is gone: it may be tried now."""
        self._failing.pop(key, None)

    def keep(self, owed: Collection[Key]) -> None:
        """Forget the waits that are over of all listings but these, which are still owed."""
        now = self._now()
        self._failing = {k: x for k, x in self._failing.items() if k in owed or x.not_before > now}

    def _grown(self, key: Key, first_s: float) -> _Failing:
        failing = self._failing.setdefault(key, _Failing())
        wait_s = max(first_s, AGAIN_S * 2**failing.times)
        failing.times = min(failing.times + 1, 10)
        failing.not_before = later(self._now(), min(wait_s, AGAIN_S_MAX))
        return failing


@dataclass(slots=True)
class _Apart:
    until: LoopSeconds
    left: set[str]
    declined: list[SkuError] = field(default_factory=list)
    taken: bool = False
    silent: bool = False


class SplitProducts:
    """Products of which a call of several SKUs was declined as a whole.

    One bad SKU refuses the whole call (documented): sent one by one, only that one suffers. Where
    the first few are all declined alike, the rest, which were in the declined call too, need no
    call of their own.
    """

    def __init__(self, now: Callable[[], LoopSeconds]) -> None:
        self._now = now
        self._products: dict[str, _Apart] = {}

    def part(self, product_id: str, sku_ids: Collection[str] = (), *, silent: bool = False) -> None:
        """Send its SKUs one by one for a while; these were in a declined call.

        `silent` is that the whole shop gives no answer: then only until it gives one.
        """
        until = later(self._now(), APART_S)
        self._products[product_id] = _Apart(until, set(sku_ids), silent=silent)

    def answered(self) -> None:
        """A write of the shop got an answer of any kind."""
        self._products = {k: x for k, x in self._products.items() if not x.silent}

    def parted(self, product_id: str) -> bool:
        """Whether its SKUs are sent one by one."""
        apart = self._products.get(product_id)
        if apart is not None and apart.until <= self._now():
            del self._products[product_id]
            return False
        return apart is not None

    def outcome(self, key: Key, error: SkuError | None) -> None:
        """What became of a SKU that was sent by itself; None is that it was taken."""
        apart = self._products.get(key[0])
        if apart is None:
            return
        apart.left.discard(key[1])
        if error is None:
            apart.taken = True
        else:
            apart.declined.append(error)
        if not apart.left and _everyones(apart):
            del self._products[key[0]]  # it was the product: one call tells that as well

    def settled(self, key: Key) -> SkuError | None:
        """The error that this SKU would get by itself, where the others leave no doubt."""
        apart = self._products.get(key[0])
        if apart is None or key[1] not in apart.left or not _everyones(apart):
            return None
        return apart.declined[-1]


def _everyones(apart: _Apart) -> bool:
    alike = {error.code for error in apart.declined}
    return not apart.taken and len(apart.declined) >= SAME_MAX and len(alike) == 1


SKUS_MAX = 600  # of one round
CALLS_MAX = 15  # of one round: then the guard, the audit and the holds have their turn


class CallSchedule:
    """The next round of calls. `owed` are the listings that something is owed to."""

    def __init__(self, store: Store, backoff: Backoff, split: SplitProducts) -> None:
        self._store = store
        self._backoff = backoff
        self._split = split
        self.owed: frozenset[Key] = frozenset()

    async def calls(self) -> list[list[Listing]]:
        """As many calls as one round can carry: the listings of a product share one.

        Where one of them spoils the call, each has its own.
        """
        limit = SKUS_MAX + self._backoff.waiting
        pending = await self._store.listings.pending(limit)
        self.owed = frozenset(x.key for x in pending)
        if len(pending) < limit:
            self._backoff.keep(self.owed)
        calls: dict[str | Key, list[Listing]] = {}
        for listing in [x for x in pending if self._backoff.ready(x.key)][:SKUS_MAX]:
            parted = self._split.parted(listing.product_id)
            call = listing.key if parted else listing.product_id
            if call in calls or len(calls) < CALLS_MAX:
                calls.setdefault(call, []).append(listing)
        return list(calls.values())
