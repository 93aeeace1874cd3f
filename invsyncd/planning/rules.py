"""Makes the rules that `core` works with: settings, with the shop's names resolved to ids.

Names become ids here and nowhere else. A name that does not exist is an error (law 8): a location
that cannot be found must never drop out of the mirror silently.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from invsyncd.config import Settings
from invsyncd.core.fold import Scope
from invsyncd.core.marketplace import Warehouse
from invsyncd.core.merge import MergeRules
from invsyncd.core.model import Location
from invsyncd.core.offer_rule import OfferRule
from invsyncd.core.plan import OfferPlan, Override, double_offers
from invsyncd.errors import ConfigError
from invsyncd.planning.locations import NO_IDS, LocationIds, every_location, find_locations
from invsyncd.planning.warehouses import NO_WAREHOUSE_IDS, WarehouseIds, find_warehouse


class DoubleOffer(ConfigError):
    """The mapping would offer the same units twice. Nothing may run with such a mapping."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a pass. `offers` is None while TikTok is off or its warehouses are unknown.

    `closed` are the mapped warehouses that are not written, by id, with the reason; `whole` is the
    plan as if they were open.
    """

    scope: Scope
    merge: MergeRules
    offers: OfferPlan | None = None
    closed: Mapping[str, str] = field(default_factory=dict)
    whole: OfferPlan | None = None


def scope_of(settings: Settings, locations: Sequence[Location], ids: LocationIds = NO_IDS) -> Scope:
    """Which levels are mirrored."""
    mirror = settings.mirror
    active = [loc for loc in locations if loc.active]
    if mirror.locations:
        found = find_locations(mirror.locations, active, "mirror.locations", ids)
    else:
        found = every_location(mirror.exclude_locations, active, ids)
    return Scope(
        enabled=mirror.enabled,
        locations=frozenset(found) if mirror.enabled else frozenset(),
        product_types=frozenset(mirror.product_types),
    )


def merge_rules(settings: Settings) -> MergeRules:
    """The merge table's settings."""
    mirror = settings.mirror
    return MergeRules(mirror.sale_max, mirror.on_conflict, mirror.unlevelled)


def offer_plan(
    settings: Settings,
    locations: Sequence[Location],
    warehouses: Sequence[Warehouse],
    scope: Scope,
    max_quantity: int,
    *,
    ids: LocationIds = NO_IDS,
    warehouse_ids: WarehouseIds = NO_WAREHOUSE_IDS,
) -> OfferPlan:
    """What TikTok should show; ConfigError where the same units would be offered twice."""
    tiktok = settings.tiktok
    active = [loc for loc in locations if loc.active]
    sources: dict[str, frozenset[int]] = {}
    for number, row in enumerate(tiktok.mapping, 1):
        if row.locations == ("*",):
            # The mirror's lists say nothing here: what is not mirrored is stock of its own.
            out = (*tiktok.exclude_locations, *row.exclude_locations)
            found = every_location(out, active, ids)
        else:
            key = f"tiktok.mapping[{number}].locations"
            found = find_locations(row.locations, active, key, ids)
        warehouse = find_warehouse(row.warehouse, warehouses, warehouse_ids)
        sources[warehouse] = sources.get(warehouse, frozenset()) | found
    _check_one_warehouse_each(sources, locations)
    rule = OfferRule(
        percent=tiktok.percent,
        reserve=tiktok.reserve,
        zero_at=tiktok.zero_at,
        cap=tiktok.cap,
        unlimited_quantity=tiktok.unlimited_quantity,
        max_quantity=max_quantity,
    )
    plan = OfferPlan(
        rule,
        _overrides(settings, rule),
        sources,
        tiktok.count_mirrored,
        scope,
        bundles=tiktok.bundles,
    )
    _check_no_double_offer(plan, warehouses)
    return plan


def closed_warehouses(
    plan: OfferPlan, warehouses: Sequence[Warehouse], read_only: Collection[str]
) -> dict[str, str]:
    """The mapped warehouses that may not be written now, by id, with the reason."""
    closed: dict[str, str] = {}
    for warehouse in warehouses:
        if warehouse.id not in plan.sources:
            continue
        if warehouse.id in read_only:
            closed[warehouse.id] = TIKTOKS_OWN
        elif not warehouse.writable:
            status = warehouse.status or "not ENABLED"
            closed[warehouse.id] = _CLOSED.get(status, f"its status is {status}")
    return closed


def without(
    plan: OfferPlan, closed: Collection[str], warehouses: Sequence[Warehouse], own: Collection[str]
) -> OfferPlan:
    """The same plan without the `closed` warehouses, which then keep what they show.

    No source says that TikTok refuses to write a RESTRICTED one. Such a warehouse is lowered while
    it is closed, so that it shows too much at no moment when it opens. `own` are those that TikTok
    lets nobody write.
    """
    falling = {w.id for w in warehouses if w.id in closed and w.status == "RESTRICTED" and w.sales}
    falling -= set(own)
    sources = {w: ids for w, ids in plan.sources.items() if w not in closed or w in falling}
    return replace(plan, sources=sources, falling=frozenset(falling))


TIKTOKS_OWN = "TikTok keeps its stock itself and lets nobody write it"
_CLOSED = {
    "RESTRICTED": "it is RESTRICTED (holiday or order limit): nothing can be bought from it",
    "DISABLED": "it is DISABLED",
}


def _check_no_double_offer(plan: OfferPlan, warehouses: Sequence[Warehouse]) -> None:
    for one, other in double_offers(plan):
        names = {w.id: w.name for w in warehouses}
        raise DoubleOffer(
            f'tiktok.mapping: the warehouses "{names.get(one)}" and "{names.get(other)}" are both'
            " fed by mirrored locations, which show one physical stock: every unit would be"
            " offered twice",
            advice="map all mirrored locations to one warehouse, take some out of the mirror, or"
            ' set tiktok.count_mirrored = "each" if they really are separate stocks',
        )


def _check_one_warehouse_each(
    sources: dict[str, frozenset[int]], locations: Sequence[Location]
) -> None:
    """Raise where a location feeds two warehouses: one mapping may use its name, one its id."""
    names = {loc.id: loc.name for loc in locations}
    fed: dict[int, str] = {}
    for warehouse, ids in sources.items():
        for location in ids:
            if fed.setdefault(location, warehouse) != warehouse:
                raise DoubleOffer(
                    f'tiktok.mapping: location "{names[location]}" feeds two warehouses',
                    advice="a location feeds at most one warehouse: remove it from one mapping",
                )


def _overrides(settings: Settings, general: OfferRule) -> tuple[Override, ...]:
    def value_or(value: int | None, otherwise: int) -> int:
        return otherwise if value is None else value

    return tuple(
        Override(
            patterns=row.skus,
            rule=OfferRule(
                percent=value_or(row.percent, general.percent),
                reserve=value_or(row.reserve, general.reserve),
                zero_at=value_or(row.zero_at, general.zero_at),
                cap=general.cap if row.cap is None else row.cap,
                unlimited_quantity=general.unlimited_quantity,
                max_quantity=general.max_quantity,
                enabled=row.enabled is not False,
            ),
        )
        for row in settings.tiktok.override
    )
