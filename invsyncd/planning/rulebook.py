"""Builds the rules in force: settings together with the locations and warehouses of both shops.

Locations and warehouses are kept in the store. A restart while one side is down can then still
serve the other side.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace

from invsyncd.config import Settings
from invsyncd.config.tiktok import Link
from invsyncd.core.bundles import Bundles
from invsyncd.core.marketplace import Warehouse, WarehouseList
from invsyncd.core.model import Location, LocationList
from invsyncd.core.offer_rule import TIKTOK_MAX, CountMirrored
from invsyncd.errors import ConfigError, InvalidResponse
from invsyncd.planning.locations import location_ids, location_notes
from invsyncd.planning.rules import (
    DoubleOffer,
    Rules,
    closed_warehouses,
    merge_rules,
    offer_plan,
    scope_of,
    without,
)
from invsyncd.planning.warehouses import warehouse_ids, warehouse_notes, with_lacking
from invsyncd.store import BASELINE, Store

IN_FORCE = "rules"
LOCATION_IDS = "location_ids"  # configured names, as JSON, with the ids that they meant
WAREHOUSES = "warehouses"
WAREHOUSE_IDS = "warehouse_ids"  # mapped names, as JSON, with the ids that they meant
READ_ONLY = "read_only_warehouses"
UNNAMED_WAREHOUSES = "unnamed_warehouses"
MAX_QUANTITY = "max_quantity"
MAX_QUANTITY_OLD = 99_999  # in TikTok's documents, and still enforced in some shops


class Rulebook:
    """Builds the rules and detects their changes. `offers_error` is why TikTok has no rules."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self.offers_error: ConfigError | None = None

    @property
    def links(self) -> Sequence[Link]:
        """The configured links."""
        return self._settings.tiktok.link

    @property
    def counts_once(self) -> bool:
        """Whether the mirrored levels of an item count as one stock."""
        return self._settings.tiktok.count_mirrored is CountMirrored.ONCE

    @property
    def sale_max(self) -> int:
        """The largest fall that counts as a till sale."""
        return self._settings.mirror.sale_max

    async def keep_locations(self, found: LocationList) -> None:
        """Save Shopify's locations; InvalidResponse where none of them is active.

        One that cannot be read now stays as it was known. Before a first baseline each of them must
        be readable: whether its numbers agree with the others' decides at first sight.
        """
        read = {x.id for x in found.readable}
        kept = [x for x in await self.locations() if x.id not in read]
        kept = kept if found.lost else [x for x in kept if x.id in found.odd]
        locations = [*found.readable, *kept]
        unknown = found.odd.keys() - found.closed - {x.id for x in kept}
        if (unknown or found.lost) and await self._store.meta.get(BASELINE) is None:
            why = "; ".join([*(f"location {x}: {found.odd[x]}" for x in unknown), *found.lost])
            raise InvalidResponse(
                f"shopify LOCATIONS: no first baseline without all of them: {why}"
            )
        if not any(location.active for location in locations):
            # Every shop has an active location. Taking this as true would make every level leave.
            raise InvalidResponse("shopify LOCATIONS: no active location was named")
        ids = location_ids(self._settings, locations, await self._location_ids())
        async with self._store.transaction() as tx:
            await self._store.locations.save(tx, locations)
            await self._store.meta.set(tx, LOCATION_IDS, json.dumps(ids, sort_keys=True))

    async def location_notes(self) -> list[str]:
        """What people should know of configured locations that were renamed or deactivated."""
        ids = await self._location_ids()
        return location_notes(self._settings, await self.locations(), ids)

    async def _location_ids(self) -> dict[str, int]:
        """Which location each configured name meant when it was last seen."""
        stored: dict[str, int] = json.loads(await self._store.meta.get(LOCATION_IDS) or "{}")
        return stored

    async def locations(self) -> list[Location]:
        """Every location in the store."""
        return [known.location for known in await self._store.locations.all()]

    async def keep_warehouses(self, listed: WarehouseList) -> tuple[WarehouseList, bool]:
        """Save TikTok's warehouses.

        Returns the list, with the mapped warehouses among its odd ones that it lacks now, and
        whether anything about them changed. An odd one stays as it was.
        """
        known, before = await self.warehouses() or [], await self.warehouse_ids()
        found = with_lacking(listed, known, before)
        odd, read = found.odd, {warehouse.id for warehouse in found.readable}
        kept = [x for x in known if x.id not in read and (x.id in odd or "" in odd)]
        now = [*found.readable, *kept]
        text = json.dumps([asdict(warehouse) for warehouse in now])
        ids = warehouse_ids(self._settings, now, before)
        is_new = text != await self._store.meta.get(WAREHOUSES)
        if is_new or ids != before:
            async with self._store.transaction() as tx:
                await self._store.meta.set(tx, WAREHOUSES, text)
                await self._store.meta.set(tx, WAREHOUSE_IDS, json.dumps(ids, sort_keys=True))
        return found, is_new

    async def warehouse_notes(self) -> list[str]:
        """What people should know of mapped warehouses that were renamed."""
        known = await self.warehouses() or ()
        return warehouse_notes(self._settings, known, await self.warehouse_ids())

    async def warehouse_ids(self) -> dict[str, str]:
        """Which warehouse each mapped name meant when it was last read."""
        stored: dict[str, str] = json.loads(await self._store.meta.get(WAREHOUSE_IDS) or "{}")
        return stored

    async def warehouses(self) -> list[Warehouse] | None:
        """TikTok's warehouses as they were last read; None if they never were."""
        return await stored_warehouses(self._store)

    async def mark_read_only(self, warehouse_id: str) -> bool:
        """Never write this warehouse again: TikTok keeps its stock itself (12052144, 12052382).

        Returns whether this is new. If so, the caller plans the warehouse's offers again.
        """
        return await self._learn(READ_ONLY, warehouse_id)

    async def leave_unnamed(self, warehouse_id: str) -> bool:
        """Name this warehouse in no write: TikTok keeps it, and refuses even what it shows itself.

        Returns whether this is new.
        """
        return await self._learn(UNNAMED_WAREHOUSES, warehouse_id)

    async def name_all(self) -> None:
        """Name every warehouse again: TikTok refused a write that lacked one."""
        if await self.unnamed():
            async with self._store.transaction() as tx:
                await self._store.meta.forget(tx, UNNAMED_WAREHOUSES)

    async def unnamed(self) -> frozenset[str]:
        """The warehouses that no write may name."""
        return await self._learnt(UNNAMED_WAREHOUSES)

    async def _read_only(self) -> frozenset[str]:
        return await self._learnt(READ_ONLY)

    async def _learn(self, what: str, warehouse_id: str) -> bool:
        known = await self._learnt(what)
        if warehouse_id in known:
            return False
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, what, json.dumps(sorted({*known, warehouse_id})))
        return True

    async def _learnt(self, what: str) -> frozenset[str]:
        return frozenset(json.loads(await self._store.meta.get(what) or "[]"))

    async def lower_max_quantity(self, to: int = MAX_QUANTITY_OLD) -> bool:
        """Write nothing above this to the shop from now on: TikTok refused it, or showed less.

        Returns False where that or a lower maximum was already in use. Then it is not the reason.
        """
        known = await self._store.meta.get(MAX_QUANTITY)
        if known is not None and int(known) <= to:
            return False
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, MAX_QUANTITY, str(to))
        return True

    async def lift_max_quantity(self, shows: int) -> int | None:
        """Forget a maximum that is lower than what TikTok shows; returns it, None without one."""
        known = await self._store.meta.get(MAX_QUANTITY)
        if known is None or shows <= int(known):
            return None
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, MAX_QUANTITY, str(TIKTOK_MAX))
        return int(known)

    async def rules(self) -> Rules:
        """The rules as of now.

        ConfigError where the mirror names a location that does not exist, DoubleOffer where the
        same units would be offered twice. A problem on TikTok's side alone does not stop the
        mirror: `offers` is None and `offers_error` says why.
        """
        locations = await self.locations()
        ids = await self._location_ids()
        scope = scope_of(self._settings, locations, ids)
        rules = Rules(scope, merge_rules(self._settings))
        warehouses, named = await self.warehouses(), await self.warehouse_ids()
        highest = int(await self._store.meta.get(MAX_QUANTITY) or TIKTOK_MAX)
        read_only = await self._read_only()
        # No await from here on: another task must not read a half-decided `offers_error`.
        self.offers_error = None
        if not self._settings.tiktok.enabled or warehouses is None:
            return rules
        try:
            plan = offer_plan(
                self._settings,
                locations,
                warehouses,
                scope,
                highest,
                ids=ids,
                warehouse_ids=named,
            )
        except DoubleOffer:
            raise
        except ConfigError as error:
            self.offers_error = error
            return rules
        closed = closed_warehouses(plan, warehouses, read_only)
        open_ = without(plan, closed, warehouses, read_only)
        return Rules(scope, rules.merge, open_, closed, plan)

    async def closed(self) -> frozenset[str]:
        """The mapped warehouses that are closed now and may open again."""
        return frozenset((await self.rules()).closed) - await self._read_only()

    async def with_closing(self, rules: Rules, closing: Collection[int]) -> Rules:
        """The same rules, under which the mirrored ones of these closed locations leave."""
        if not closing:
            return rules
        as_before = [
            replace(place, active=place.active or place.id in closing)
            for place in await self.locations()
        ]
        were = scope_of(self._settings, as_before, await self._location_ids()).locations
        return replace(rules, scope=replace(rules.scope, closing=were.intersection(closing)))

    async def accept(self) -> None:
        """Raise ConfigError unless these settings fit the locations and warehouses in the store."""
        if not await self.locations():
            return  # nothing is known of the shop yet
        await self.rules()
        if self.offers_error is not None:
            raise self.offers_error

    async def are_new(self, rules: Rules) -> bool:
        """Whether the rules differ from those in force, so that all items must be planned again."""
        return await self._store.meta.get(IN_FORCE) != fingerprint(rules)

    async def in_force(self, rules: Rules) -> None:
        """Record that all items were planned by these rules."""
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, IN_FORCE, fingerprint(rules))


async def stored_warehouses(store: Store) -> list[Warehouse] | None:
    """TikTok's warehouses in the store; None if they were never read."""
    text = await store.meta.get(WAREHOUSES)
    return None if text is None else [Warehouse(**row) for row in json.loads(text)]


async def warehouse_names(store: Store) -> dict[str, str]:
    """The names of the known TikTok warehouses, by id."""
    return {warehouse.id: warehouse.name for warehouse in await stored_warehouses(store) or ()}


def fingerprint(rules: Rules) -> str:
    """A text that is equal for equal rules, whatever the order of sets."""
    scope = rules.scope
    parts: dict[str, object] = {
        "mirror": [scope.enabled, sorted(scope.locations), sorted(scope.product_types)]
    }
    if rules.offers is not None:
        plan = rules.offers
        parts["offers"] = [
            asdict(plan.rule),
            [[row.patterns, asdict(row.rule)] for row in plan.overrides],
            {warehouse: sorted(ids) for warehouse, ids in sorted(plan.sources.items())},
            plan.count.value,
            sorted(plan.falling),
        ]
        if plan.bundles is not Bundles.OWN:  # as it was before there was a choice
            parts["bundles"] = plan.bundles.value
    return json.dumps(parts, sort_keys=True)
