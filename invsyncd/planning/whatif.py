"""Compares what two configurations show, for `plan`: from the store alone, without a call.

Both results come from the functions that a pass uses, over the same known state: each item is
folded without a reading under each scope, and then the rule is applied. What only the shops could
tell is listed as unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from invsyncd.config import Settings
from invsyncd.config.problems import ConfigProblems, Problem
from invsyncd.core.fold import fold
from invsyncd.core.guard import GuardLimits, Impact, tripped
from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import ItemState, Level, Listing, Location, Standing, Target
from invsyncd.core.offer_rule import Quantity
from invsyncd.core.plan import Effect, Shift, offer, planned
from invsyncd.errors import ConfigError
from invsyncd.planning.bundles import with_parts
from invsyncd.planning.links import links_of
from invsyncd.planning.locations import find_locations
from invsyncd.planning.rulebook import Rulebook
from invsyncd.planning.rules import Rules
from invsyncd.planning.warehouses import WarehouseIds, find_warehouse
from invsyncd.store import BASELINE, Store
from invsyncd.store.listings import Key, OfferState

OnPage = Callable[[int], None]  # gets the number of items compared since the last call


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The comparison. `unknown` are sentences about what could not be taken into account."""

    compared: Compared
    unknown: tuple[str, ...]
    as_of: str | None


async def what_if(
    store: Store, running: Settings, new: Settings, now: int, *, name: str, on_page: OnPage
) -> WhatIf:
    """Compare two configurations over a private copy of the state.

    ConfigError with every name in the new configuration (the file `name`) that the shop lacks.
    """
    unknown = _other_state(running, new)
    if await store.meta.get(BASELINE) is None:
        unknown.append("no first baseline is complete: most of the stock is not known yet")
    rulebook = Rulebook(new, store)
    locations, warehouses = await rulebook.locations(), await rulebook.warehouses()
    if locations:
        _check_locations(new, locations, name)
    named = await rulebook.warehouse_ids()
    new, left_out = _without_unknown_warehouses(new, warehouses, named)
    unknown += left_out
    old_rules = await Rulebook(running, store).rules()
    new_rules = await Rulebook(new, store).rules()
    fed_before = old_rules.offers.sources.keys() if old_rules.offers else set()
    for warehouse in sorted(
        new_rules.offers.sources.keys() - fed_before if new_rules.offers else ()
    ):
        lacking = await store.listing_census.lacking(warehouse)
        if lacking.count:
            unknown.append(
                f"warehouse {warehouse}: {lacking.count} listings were never seen stocked there;"
                " only TikTok knows whether they are"
            )
    compared = await Comparison(store, old_rules, new_rules, now).run(new, on_page)
    read = [k.read_at for k in await store.locations.all() if k.location.active and k.read_at]
    as_of = datetime.fromtimestamp(min(read), UTC).isoformat(timespec="seconds") if read else None
    return WhatIf(compared, tuple(unknown), as_of)


def _other_state(running: Settings, new: Settings) -> list[str]:
    found = []
    if running.shopify.shop != new.shopify.shop:
        found.append("shopify.shop is another shop: nothing is known of its stock here")
    if running.state.path != new.state.path:
        found.append(
            "state.path is another one: the daemon would take a first baseline there, and"
            " first sight would decide for every item"
        )
    return found


def _check_locations(new: Settings, locations: list[Location], name: str) -> None:
    """Raise with every location that the shop lacks, not only the first."""
    active = [location for location in locations if location.active]
    named = [("mirror.locations", one) for one in new.mirror.locations]
    for number, row in enumerate(new.tiktok.mapping if new.tiktok.enabled else (), 1):
        key = f"tiktok.mapping[{number}].locations"
        named += [(key, one) for one in row.locations if one != "*"]
    problems = []
    for key, one in named:
        try:
            find_locations([one], active, key)
        except ConfigError as error:
            problems.append(Problem("", str(error), error.advice))
    if problems:
        raise ConfigProblems(name, problems)


def _without_unknown_warehouses(
    new: Settings, warehouses: list[Warehouse] | None, named: WarehouseIds
) -> tuple[Settings, list[str]]:
    """Leave out the mappings to warehouses that were never read: only TikTok knows these."""
    if not new.tiktok.enabled:
        return new, []
    if warehouses is None:
        unknown = "TikTok's warehouses were never read: what its listings would show is not known"
        return new, [unknown]
    known, left_out = [], []
    for row in new.tiktok.mapping:
        try:
            find_warehouse(row.warehouse, warehouses, named)
            known.append(row)
        except ConfigError as error:
            left_out.append(f"{error}, as far as was read: its listings are left out of this plan")
    tiktok = new.tiktok.model_copy(update={"mapping": tuple(known)})
    return new.model_copy(update={"tiktok": tiktok}), left_out


@dataclass(slots=True)
class Compared:
    """Totals over all levels and offers, and every shift except the unchanged ones."""

    totals: dict[Target, dict[Effect, int]] = field(
        default_factory=lambda: {target: dict.fromkeys(Effect, 0) for target in Target}
    )
    shifts: list[Shift] = field(default_factory=list)
    would_pause: dict[Target, str] = field(default_factory=dict)
    pooled: int = 0

    def add(self, shift: Shift) -> None:
        """Count one level or offer."""
        self.totals[shift.target][shift.effect] += 1
        if shift.effect is not Effect.UNCHANGED:
            self.shifts.append(shift)


@dataclass(frozen=True, slots=True)
class Both:
    """One item under both configurations; None where there is no such item."""

    old: ItemState | None
    new: ItemState | None


class Comparison:
    """Two sets of rules over one store, which is a private copy: new links are saved in it."""

    def __init__(self, store: Store, old: Rules, new: Rules, now: int) -> None:
        self._store = store
        self._old = old
        self._new = new
        self._now = now
        self._names: dict[int, str] = {}

    async def run(self, settings: Settings, on_page: OnPage = lambda _: None) -> Compared:
        """Compare every mirrored level and every offer. `settings` are the new settings."""
        self._names = await self._store.locations.names()
        rematched = await self._rematched(settings)
        found = Compared()
        after = 0
        while items := await self._store.levels.all_items(after):
            after = items[-1]
            both = await self._both(items)
            for one in both.values():
                found.pooled += one.new is not None and one.new.item.standing is Standing.POOLED
                for shift in self._levels(one):
                    found.add(shift)
            listings = [
                x for x in await self._store.listings.of_items(items) if x.key not in rematched
            ]
            await self._add_offers(found, [(x, both.get(x.item or 0)) for x in listings])
            on_page(len(items))
        await self._add_rematched(found, rematched)
        total, _ = await self._store.listing_census.matched()
        guard = settings.guard
        limits = GuardLimits(guard.max_zeroed_percent, guard.max_changed_percent)
        for target, count in ((Target.SHOPIFY, found.pooled), (Target.TIKTOK, total)):
            if why := tripped(limits, target, _impact(found.shifts, target, count)):
                found.would_pause[target] = why
        return found

    async def _both(self, items: Iterable[int]) -> dict[int, Both]:
        states = await self._store.levels.states(list(items))
        old = await with_parts(self._store, self._old.offers, states)
        new = await with_parts(self._store, self._new.offers, states)
        return {
            item: Both(_under(old[item], self._old), _under(new[item], self._new))
            for item in states
        }

    def _levels(self, both: Both) -> Iterable[Shift]:
        if both.old is None or both.new is None:
            return
        for location, old in sorted(both.old.levels.items()):
            new = both.new.levels[location]
            if old.wanted is None and new.wanted is None:
                continue  # in neither mirror
            before = _shows(old)
            yield Shift(
                Target.SHOPIFY,
                both.new.item.sku,
                self._names.get(location, str(location)),
                before,
                before if new.wanted is None else new.wanted,
                {"item": both.new.item.id, "location": location},
                left_alone=new.wanted is None,
            )

    async def _add_offers(
        self, found: Compared, listings: Sequence[tuple[Listing, Both | None]]
    ) -> None:
        offers = await self._store.listings.offers([x.key for x, _ in listings], self._now)
        for listing, both in listings:
            for known in offers.get(listing.key, ()):
                if (shift := self._offer(listing, both or Both(None, None), known)) is not None:
                    found.add(shift)

    def _offer(self, listing: Listing, both: Both, known: OfferState) -> Shift | None:
        old = _result(both.old, listing, known, self._old)
        new = _result(both.new, listing, known, self._new)
        if old is None and new is None:
            return None  # not written under either
        parked = listing.parked_until != 0  # then it is not written, whatever the rule says
        before = known.offer.shown if old is None or parked else old.units
        after = (before or 0) if new is None or parked else new.units
        state = both.new or both.old
        return Shift(
            Target.TIKTOK,
            listing.sku or listing.seller_sku or (state.item.sku if state else ""),
            known.offer.warehouse,
            before,
            after,
            {
                "product_id": listing.product_id,
                "sku_id": listing.sku_id,
                "warehouse": known.offer.warehouse,
            },
            unlimited=_unlimited(new) and not _unlimited(old),
            left_alone=new is None and not parked,
        )

    async def _rematched(self, settings: Settings) -> dict[Key, int | None]:
        """Listings to which the new links give another item, each with that item."""
        links = links_of(settings.tiktok.link)
        relinked: list[Listing] = []
        for listing in await self._store.listings.all():
            link = links.get(listing.key)
            sku = link.sku if link is not None else listing.seller_sku
            item = int(link.item) if link is not None and link.item else None
            if (sku, item) != (listing.sku, listing.linked_item):
                relinked.append(replace(listing, sku=sku, linked_item=item))
        if not relinked:
            return {}
        return dict(await self._store.assortment.mismatched(relinked))

    async def _add_rematched(self, found: Compared, rematched: Mapping[Key, int | None]) -> None:
        listings = await self._store.listings.by_keys(rematched)
        items = {x.item for x in listings} | set(rematched.values())
        states = await self._both([item for item in items if item is not None])
        none = Both(None, None)
        pairs = [
            (
                x,
                Both(
                    states.get(x.item or 0, none).old,
                    states.get(rematched[x.key] or 0, none).new,
                ),
            )
            for x in listings
        ]
        await self._add_offers(found, pairs)


def _under(state: ItemState, rules: Rules) -> ItemState:
    """The item under these rules."""
    parts = {item: _under(part, rules) for item, part in state.parts.items()}
    return replace(fold(state, (), rules.scope, rules.merge).state, parts=parts)


def _shows(level: Level) -> int:
    return level.available if level.wanted is None else level.wanted


def _result(
    state: ItemState | None, listing: Listing, known: OfferState, rules: Rules
) -> Quantity | None:
    if state is None or rules.offers is None or known.offer.warehouse in rules.offers.falling:
        return None
    result = offer(state, listing, known.offer.warehouse, known.held, rules.offers)
    return result if planned(result, known.offer, rules.offers) is not None else None


def _unlimited(result: Quantity | None) -> bool:
    return result is not None and result.steps[0][0] == "unlimited"


def _impact(shifts: Iterable[Shift], target: Target, total: int) -> Impact:
    """The impact as the guard counts it: by item, or by listing."""
    names = {Target.SHOPIFY: ("item",), Target.TIKTOK: ("product_id", "sku_id")}[target]
    changed: set[tuple[int | str, ...]] = set()
    zeroed: set[tuple[int | str, ...]] = set()
    for shift in shifts:
        if shift.target is target and shift.effect is not Effect.LEFT_ALONE:
            key = tuple(shift.key[name] for name in names)
            changed.add(key)
            if shift.effect is Effect.ZEROED:
                zeroed.add(key)
    return Impact(total, len(zeroed), len(changed))
