"""Decides when a failed listing is tried again, and which listings go into the next calls.

The waits are kept in memory: after a restart everything is tried once, which harms nobody. A
product whose call was declined as a whole is sent SKU by SKU for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from invsyncd.core.clocks import AT_ONCE, LoopSeconds, later
from invsyncd.core.model import Listing
from invsyncd.core.trying import AGAIN_S, calls_in_round, in_turn, wait_s, waits_over
from invsyncd.store import Store
from invsyncd.store.listings import Key
from invsyncd.tiktok.shop import SkuError

UNKNOWN_AGAIN_S = 10.0  # after this, a read follows up a call without a usable answer
MUTE_MAX = 3  # so many products in a row without an answer: the shop is the cause
MUTE_S = 300.0  # then an increase waits so long, or until another listing is answered
CORRECTED_S = 3600.0  # so long a correction counts, when the next one is needed
APART_S = 3600.0  # so long a product whose call was declined is sent SKU by SKU
NO_ANSWER = -1  # stands in the place of a code
SAME_MAX = 3  # so many of its SKUs declined alike, and none accepted: the product is the cause
SKUS_MAX = 600  # in one round


@dataclass(slots=True)
class _Failing:
    times: int = 0
    since: LoopSeconds = AT_ONCE
    wait_s: float = 0.0
    code: int | None = None


class Backoff:
    """Keeps the waits of listings; a success ends them. `now` is the clock for waiting."""

    def __init__(self, now: Callable[[], LoopSeconds]) -> None:
        self._now = now
        self._failing: dict[Key, _Failing] = {}
        self._corrections: dict[Key, tuple[int, LoopSeconds]] = {}
        self._mute: set[str] = set()
        self._silenced: set[Key] = set()

    def ready(self, key: Key, *, falls: bool = False) -> bool:
        """Whether this listing may be tried now. `falls` says that it is owed a decrease."""
        failing = self._failing.get(key)
        waited_s = 0.0 if failing is None else self._now() - failing.since
        return failing is None or waits_over(waited_s, failing.wait_s, falls=falls)

    def waits_since(self, key: Key) -> LoopSeconds:
        """When the listing last failed or was told to wait; AT_ONCE if it never was."""
        return self._failing[key].since if key in self._failing else AT_ONCE

    @property
    def waiting(self) -> int:
        """How many listings may not be tried now, unless they are owed a decrease."""
        return sum(not self.ready(key) for key in self._failing)

    @property
    def shop_is_mute(self) -> bool:
        """Whether several products in a row got no answer; then no further product is tried."""
        return len(self._mute) >= MUTE_MAX

    def refused(self, key: Key, code: int, first_s: float) -> bool:
        """Note that a listing was refused. Returns whether this code is new for the listing."""
        failing = self._grown(key, first_s)
        is_new, failing.code = failing.code != code, code
        return is_new

    def unanswered(self, keys: Collection[Key]) -> bool:
        """Note that a call with these listings got no answer. Returns whether that is new for one.

        If the whole shop is silent, the listings are not the cause. Then their waits do not grow,
        and end with the silence, unless the listings had failed before.
        """
        silent, is_new = self.shop_is_mute, False
        for key in keys:
            first = key not in self._failing or not self._failing[key].times
            if silent:
                self.rest(key, MUTE_S)
                self._silenced |= {key} if first else set()
            elif first:
                self._grown(key, AGAIN_S).wait_s = UNKNOWN_AGAIN_S
            else:
                self._grown(key, AGAIN_S)
            if not silent:
                is_new |= self._failing[key].code != NO_ANSWER
                self._failing[key].code = NO_ANSWER
            self._mute.add(key[0])
        return is_new

    def answered(self) -> None:
        """Note that a write of the shop got an answer of any kind."""
        self._mute.clear()
        for key in self._silenced & self._failing.keys():
            # The listing is tried at once. A failure of that try counts as its own.
            self._failing[key].wait_s, self._failing[key].times = 0.0, 1
        self._silenced.clear()

    def rest(self, key: Key, seconds: float = AGAIN_S) -> None:
        """Let a listing wait for so long, without counting a failure."""
        failing = self._failing.setdefault(key, _Failing())
        failing.since, failing.wait_s = self._now(), seconds

    def hasten(self, key: Key) -> None:
        """Let a listing be tried now, and remember how often it has failed."""
        if key in self._failing:
            self._failing[key].wait_s = 0.0

    def corrected(self, key: Key) -> None:
        """Note that a number was or has to be corrected; the waits grow.

        Whatever answers our writes with another number, a limit or another program, is not answered
        at once again.
        """
        times, at = self._corrections.get(key, (0, AT_ONCE))
        times = times if self._now() - at < CORRECTED_S else 0
        self._corrections[key] = (times + 1, self._now())
        self.rest(key, wait_s(times))

    def at_once(self, key: Key) -> None:
        """Forget the wait of a listing, which may be tried now."""
        self._failing.pop(key, None)

    def keep(self, owed: Collection[Key]) -> None:
        """Forget the waits that are over, except those of these listings, which are still owed."""
        now = self._now()
        self._corrections = {
            k: (n, at) for k, (n, at) in self._corrections.items() if now - at < CORRECTED_S
        }
        self._failing = {k: x for k, x in self._failing.items() if k in owed or not self.ready(k)}

    def _grown(self, key: Key, first_s: float) -> _Failing:
        failing = self._failing.setdefault(key, _Failing())
        failing.since, failing.wait_s = self._now(), wait_s(failing.times, first_s)
        failing.times += 1
        return failing


@dataclass(slots=True)
class _Apart:
    until: LoopSeconds
    left: set[str]
    declined: list[SkuError] = field(default_factory=list)
    taken: bool = False


class SplitProducts:
    """Keeps the products that are sent SKU by SKU, because a call of several SKUs was declined.

    One bad SKU has TikTok refuse the whole call (documented). Sent one by one, only that SKU
    suffers. If the first few are all declined alike, the rest need no calls of their own, because
    they were in the declined call too.
    """

    def __init__(self, now: Callable[[], LoopSeconds]) -> None:
        self._now = now
        self._products: dict[str, _Apart] = {}

    def part(self, product_id: str, sku_ids: Collection[str] = ()) -> None:
        """Send the SKUs of a product one by one for a while. `sku_ids` were in a declined call."""
        self._products[product_id] = _Apart(later(self._now(), APART_S), set(sku_ids))

    def parted(self, product_id: str) -> bool:
        """Whether the SKUs of this product are sent one by one."""
        apart = self._products.get(product_id)
        if apart is not None and apart.until <= self._now():
            del self._products[product_id]
            return False
        return apart is not None

    def outcome(self, key: Key, error: SkuError | None) -> None:
        """Note what became of a SKU that was sent by itself. No error: TikTok accepted the SKU."""
        apart = self._products.get(key[0])
        if apart is None:
            return
        apart.left.discard(key[1])
        if error is None:
            apart.taken = True
        else:
            apart.declined.append(error)
        if not apart.left and _everyones(apart):
            del self._products[key[0]]  # the product is the cause: one call shows that as well

    def settled(self, key: Key) -> SkuError | None:
        """The error that this SKU would get by itself, if the other SKUs leave no doubt."""
        apart = self._products.get(key[0])
        if apart is None or key[1] not in apart.left or not _everyones(apart):
            return None
        return apart.declined[-1]


def _everyones(apart: _Apart) -> bool:
    alike = {error.code for error in apart.declined}
    return not apart.taken and len(apart.declined) >= SAME_MAX and len(alike) == 1


class CallSchedule:
    """Chooses the calls of the next round. `owed` are the listings that are owed a write.

    `per_s` gives the present pace of writes.
    """

    def __init__(
        self,
        store: Store,
        backoff: Backoff,
        split: SplitProducts,
        *,
        per_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._store = store
        self._backoff = backoff
        self._split = split
        self._per_s = per_s
        self._edits: dict[Key, tuple[str, int]] = {}
        self.owed: frozenset[Key] = frozenset()

    async def calls(self, closed: Collection[str] = ()) -> list[list[Listing]]:
        """As many calls as fit into one round. The listings of a product share one call.

        If one of them spoils the shared call, each has its own. An edit at TikTok ends a wait. A
        decrease in a `closed` warehouse is in no hurry.
        """
        limit = SKUS_MAX + self._backoff.waiting
        pending = await self._store.listings.pending(limit)
        self.owed = frozenset(x.key for x in pending)
        if len(pending) < limit:
            self._backoff.keep(self.owed)
        edits = {x.key: (x.status, x.updated_at) for x in pending}
        for key in [k for k, edit in edits.items() if self._edits.get(k, edit) != edit]:
            self._backoff.hasten(key)
        self._edits = edits
        falling = await self._store.listings.falling(closed) if pending else set()
        ready = [x for x in pending if self._backoff.ready(x.key, falls=x.key in falling)]
        calls: dict[str | Key, list[Listing]] = {}
        calls_max = calls_in_round(self._per_s())
        for listing in self._in_turn(ready, falling, calls_max)[:SKUS_MAX]:
            parted = self._split.parted(listing.product_id)
            call = listing.key if parted else listing.product_id
            if call in calls or len(calls) < calls_max:
                calls.setdefault(call, []).append(listing)
        return list(calls.values())

    def _in_turn(
        self, ready: Sequence[Listing], falling: Collection[Key], calls_max: int
    ) -> list[Listing]:
        waits_since = self._backoff.waits_since
        failed = [x for x in ready if waits_since(x.key) != AT_ONCE]
        failed.sort(key=lambda x: waits_since(x.key))
        fresh = [x for x in ready if waits_since(x.key) == AT_ONCE]
        return in_turn(fresh, failed, falling, calls_max)
