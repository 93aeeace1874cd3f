"""plan: from merged state to the writes of both targets, and what those writes mean to people.

Both targets come from the same state. Decreases go first, so that between two calls less is offered
rather than more. The effects are used before anything is written, by `plan`, `undo` and `resume`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase

from invsyncd.core.bundles import BundlePart, Bundles, Least, least
from invsyncd.core.fold import Scope
from invsyncd.core.model import Item, ItemState, LevelWrite, Listing, Offer, Standing, Target
from invsyncd.core.offer_rule import (
    CountMirrored,
    OfferRule,
    Quantity,
    SourceStock,
    base,
    quantity,
    unlimited,
)

ROWS_MAX = 250  # Shopify refuses longer input arrays (documented, recorded)
APART_MAX = 20  # items that get calls of their own after their rows went stale


def batches(
    writes: Iterable[LevelWrite],
    rows_max: int = ROWS_MAX,
    *,
    apart: Collection[int] = (),
) -> list[tuple[LevelWrite, ...]]:
    """Fill calls of at most `rows_max` rows, all decreases before any increase.

    A call is all or nothing, so one stale row refuses the whole call. The items in `apart`, whose
    rows just went stale, get calls of their own.
    """
    ordered = sorted(writes, key=lambda w: (w.after > w.before, w.item, w.location))
    together = [write for write in ordered if write.item not in apart]
    calls = [tuple(together[i : i + rows_max]) for i in range(0, len(together), rows_max)]
    isolated = sorted({write.item for write in ordered if write.item in apart})
    # Above APART_MAX items share calls: with a call each, their rows would go stale meanwhile.
    alone, rest = isolated[:APART_MAX], set(isolated[APART_MAX:])
    calls += [tuple(write for write in ordered if write.item == item) for item in alone]
    shared = [write for write in ordered if write.item in rest]
    return calls + [tuple(shared[i : i + rows_max]) for i in range(0, len(shared), rows_max)]


@dataclass(frozen=True, slots=True)
class Override:
    """The rule for SKUs that match one of `patterns` (shell-style, case-sensitive)."""

    patterns: tuple[str, ...]
    rule: OfferRule


@dataclass(frozen=True, slots=True)
class OfferPlan:
    """The rules for TikTok, and which locations feed which warehouse, by id.

    `falling` are the warehouses that nobody can buy from now: they are lowered and never raised.
    """

    rule: OfferRule
    overrides: tuple[Override, ...]
    sources: Mapping[str, frozenset[int]]
    count: CountMirrored
    scope: Scope
    falling: frozenset[str] = frozenset()
    bundles: Bundles = Bundles.OWN

    def counts_parts(self, item: Item) -> bool:
        """Whether the components of this item decide, and not its own levels."""
        return item.bundle and self.bundles is Bundles.COMPONENTS

    def rule_of(self, listing: Listing, sku: str) -> OfferRule:
        """The rule of a listing: by the seller's SKU at TikTok, or else by that of its item."""
        return self.rule_for(listing.seller_sku or sku)

    def rule_for(self, sku: str) -> OfferRule:
        """The rule of the first override that matches, otherwise the general rule."""
        found = self.override_for(sku)
        return self.rule if found is None else self.overrides[found[0]].rule

    def override_for(self, sku: str) -> tuple[int, str] | None:
        """The index of the first override that matches, and its pattern; None if none does."""
        for index, override in enumerate(self.overrides):
            for pattern in override.patterns:
                if fnmatchcase(sku, pattern):
                    return index, pattern
        return None


def offer(
    state: ItemState, listing: Listing, warehouse: str, held: int, plan: OfferPlan
) -> Quantity | None:
    """What one listing of an item should show in one warehouse; None leaves the offer as it is."""
    rule = plan.rule_of(listing, state.item.sku)
    locations = plan.sources.get(warehouse)
    if locations is None or not rule.enabled or state.item.standing is Standing.HELD:
        return None
    if plan.counts_parts(state.item):
        return _of_bundle(least(parts_of(state, warehouse, plan)), held, rule)
    if state.item.continues or not state.item.tracked:
        return unlimited(rule)
    return quantity(_base(state, locations, plan), held, rule)


def parts_of(state: ItemState, warehouse: str, plan: OfferPlan) -> tuple[BundlePart, ...]:
    """The components of a bundle with the stock that feeds this warehouse, in the order of items.

    Each counts by the rule of any item: mapped locations, mirrored ones once. What a component's
    own listing holds back or keeps in reserve is not taken off.
    """
    locations = plan.sources.get(warehouse, frozenset())
    return tuple(
        _part(made.item, made.units, state.parts.get(made.item), locations, plan)
        for made in state.item.components
    )


def _part(
    item: int, needed: int, state: ItemState | None, locations: frozenset[int], plan: OfferPlan
) -> BundlePart:
    if state is None:
        return BundlePart(item, needed, unknown="it is not known, or cannot be read")
    if state.item.bundle:
        return BundlePart(item, needed, unknown="it is a bundle itself")
    if state.item.standing is Standing.HELD:
        return BundlePart(
            item, needed, unknown="it is held: its locations were counted differently"
        )
    if state.item.continues or not state.item.tracked:
        return BundlePart(item, needed)
    return BundlePart(item, needed, _base(state, locations, plan))


def _of_bundle(found: Least, held: int, rule: OfferRule) -> Quantity | None:
    if found.units is None:
        return unlimited(rule) if found.is_sure else None
    return replace(quantity(found.units, held, rule), at_most=not found.is_sure)


def _base(state: ItemState, locations: frozenset[int], plan: OfferPlan) -> int:
    """The units of an item at these locations."""
    # A bundle, or another item that Shopify refuses to set, follows its mirrored parts: its levels
    # show one stock too, and are counted once.
    in_mirror = plan.scope.takes(replace(state.item, mutable=True, bundle=False))
    stocks = [
        SourceStock(level.available, mirrored=in_mirror and level.location in plan.scope.locations)
        for level in state.levels.values()
        if level.active and level.location in locations
    ]
    return base(stocks, state.item.pool, plan.count)


def planned(result: Quantity | None, known: Offer, plan: OfferPlan) -> int | None:
    """What an offer should show, given the rule's result; None leaves the offer as it is."""
    if result is None:
        return None
    may_only_fall = known.warehouse in plan.falling or result.at_most
    return result.units if not may_only_fall or result.units < (known.shown or 0) else None


def double_offers(plan: OfferPlan) -> Sequence[tuple[str, str]]:
    """Pairs of warehouses that would offer the same mirrored units twice.

    Mirrored locations show one physical stock, so two warehouses that count it sell it twice.
    Empty with `count_mirrored = "each"`, which allows this.
    """
    if plan.count is CountMirrored.EACH or not plan.scope.enabled:
        return ()
    feeding = sorted(w for w, ids in plan.sources.items() if ids & plan.scope.locations)
    return [(a, b) for i, a in enumerate(feeding) for b in feeding[i + 1 :]]


class Effect(StrEnum):
    """What happens to a number; each number has exactly one effect."""

    RAISED = "raised"
    LOWERED = "lowered"
    ZEROED = "zeroed"
    UNLIMITED = "newly unlimited"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "no longer written"


@dataclass(frozen=True, slots=True)
class Shift:
    """One level or offer: what it shows before and after, in units.

    `place` is a location's name or a warehouse's id. `key` holds the ids, as that of a write does.
    `before` is None if it is not known. `unlimited` says that the offer becomes unlimited now.
    """

    target: Target
    sku: str
    place: str
    before: int | None
    after: int
    key: Mapping[str, int | str] = field(default_factory=dict)
    unlimited: bool = False
    left_alone: bool = False

    @property
    def effect(self) -> Effect:
        """Its effect. A fall below zero counts as zeroed: buyers see nothing to buy."""
        before = self.before or 0
        if self.left_alone:
            return Effect.LEFT_ALONE
        if self.after == before:
            return Effect.UNCHANGED
        if self.unlimited:
            return Effect.UNLIMITED
        if self.after > before:
            return Effect.RAISED
        return Effect.ZEROED if self.after <= 0 < before else Effect.LOWERED

    @property
    def size(self) -> int:
        """The difference in units, without a sign."""
        return abs(self.after - (self.before or 0))


def by_size(shifts: Iterable[Shift]) -> list[Shift]:
    """The shifts, largest first; equal ones by name, so that the order never changes."""
    return sorted(shifts, key=lambda s: (-s.size, s.target, s.sku, s.place))


def totals(shifts: Iterable[Shift]) -> dict[Effect, int]:
    """How many shifts have each effect; effects without any are there with 0."""
    found = dict.fromkeys(Effect, 0)
    for shift in shifts:
        found[shift.effect] += 1
    return found
