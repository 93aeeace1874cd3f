"""Numbers that are not what they should be, and which of them must be reported now (law 9). Pure.

There is one decision for every reason: whatever keeps a number from being right, it is reported
after five minutes. The reason only gives the words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from invsyncd.core.model import ItemState, Listing, Standing, Target
from invsyncd.core.plan import OfferPlan, offer

SILENT_S_MAX = 300.0
LOOK_S = 15.0
REPORTED_AFTER_S = SILENT_S_MAX - 2 * LOOK_S  # a look comes only every LOOK_S


@dataclass(frozen=True, slots=True)
class Difference:
    """One number that we manage, what it shows and what it should show.

    `ids` name it at its target: (item, location), or (product, SKU, warehouse). `because` says why
    it is not right and `ends` what ends it, both for people. `at_once` is for what was managed and
    is not any more. `on_sale` is False where nobody can buy from it. `whole_target` says that the
    reason is about the target, which has a message of its own. `should` is None where nobody knows.
    """

    target: Target
    ids: tuple[str, ...]
    item: int | None
    sku: str
    place: str
    shown: int | None
    should: int | None
    because: str = ""
    ends: str = ""
    at_once: bool = False
    on_sale: bool = True
    whole_target: bool = False
    undecided: bool = False
    """Whether nobody has said yet what it should show; `should` is then what nobody doubts."""

    @property
    def name(self) -> str:
        """One text that names the number."""
        return "/".join((self.target.value, *self.ids))

    @property
    def is_over(self) -> bool:
        """Whether units are offered that nobody has. A number below 0 offers as little as 0."""
        if self.shown is None or self.should is None:
            return False
        return self.on_sale and self.shown > max(self.should, 0)


@dataclass(frozen=True, slots=True)
class Judged:
    """What differs: since when each, by name, and what must be reported, the worst first."""

    since: Mapping[str, float]
    due: tuple[Difference, ...]


def judge(
    found: Sequence[Difference], since: Mapping[str, float], reported: Collection[str], now: float
) -> Judged:
    """Which of what differs now must be reported, given since when and what was reported before.

    A clock that was set back hides nothing, and a restart does not begin the five minutes anew for
    what was reported already.
    """
    times = {one.name: min(since.get(one.name, now), now) for one in found}
    due = [
        one
        for one in found
        if one.at_once or one.name in reported or now - times[one.name] >= REPORTED_AFTER_S
    ]
    return Judged(times, tuple(sorted(due, key=lambda d: (not d.is_over, times[d.name], d.name))))


def while_held(
    state: ItemState, mirrored: Collection[int], names: Mapping[int, str]
) -> list[Difference]:
    """The levels of a held item that show more than its lowest one.

    Nobody knows what the number should be; the lowest is the one that nobody doubts.
    """
    levels = [x for x in state.levels.values() if x.active and x.location in mirrored]
    lowest = min((level.available for level in levels), default=0)
    return [
        Difference(
            Target.SHOPIFY,
            (str(state.item.id), str(level.location)),
            state.item.id,
            state.item.sku,
            names.get(level.location, str(level.location)),
            level.available,
            lowest,
            undecided=True,
        )
        for level in levels
        if level.available != lowest
    ]


def unplanned(
    state: ItemState,
    listing: Listing,
    shown: Mapping[str, tuple[int | None, int]],
    plan: OfferPlan,
    names: Mapping[str, str],
) -> list[Difference]:
    """Offers that nothing is planned for, of a held item or in a closed warehouse.

    `shown` is (shown, units held) by warehouse. A held item counts with its lowest level.
    """
    undecided = state.item.standing is Standing.HELD
    if undecided:
        levels = [x for x in state.levels.values() if x.active]
        lowest = min((x.available for x in levels if x.location in plan.scope.locations), default=0)
        state = replace(state, item=replace(state.item, standing=Standing.POOLED, pool=lowest))
    found: list[Difference] = []
    for warehouse, (units, held) in shown.items():
        wanted = offer(state, listing, warehouse, held, plan)
        if wanted is not None and wanted.units != units and not wanted.at_most:
            ids = (*listing.key, warehouse)
            sku, place = listing.sku or listing.seller_sku, names.get(warehouse, warehouse)
            one = Difference(Target.TIKTOK, ids, listing.item, sku, place, units, wanted.units)
            found.append(replace(one, undecided=undecided))
    return found
