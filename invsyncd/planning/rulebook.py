"""The rules in force: settings together with what both shops call their places.

Locations and warehouses are remembered in the store, so that a restart while one side is down
still knows how to serve the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from invsyncd.config import Settings
from invsyncd.config.tiktok import Link
from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import Location
from invsyncd.core.offer_rule import TIKTOK_MAX
from invsyncd.errors import ConfigError, InvalidResponse
from invsyncd.planning.rules import (
    DoubleOffer,
    Rules,
    closed_warehouses,
    merge_rules,
    offer_plan,
    scope_of,
    without,
)
from invsyncd.store import Store

IN_FORCE = "rules"
WAREHOUSES = "warehouses"
READ_ONLY = "read_only_warehouses"
MAX_QUANTITY = "max_quantity"
MAX_QUANTITY_OLD = 99_999  # what TikTok's own documents say, and what some shops still enforce


class Rulebook:
    """Builds the rules and says when they changed. `offers_error` is why TikTok has none."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self.offers_error: ConfigError | None = None

    @property
    def links(self) -> Sequence[Link]:
        """The configured links."""
        return self._settings.tiktok.link

    async def keep_locations(self, locations: Sequence[Location]) -> None:
        """Remember Shopify's locations; InvalidResponse where none of them is active."""
        if not any(location.active for location in locations):
            # Every shop has one: to believe this would make every level leave.
            raise InvalidResponse("shopify LOCATIONS: no active location was named")
        async with self._store.transaction() as tx:
            await self._store.locations.save(tx, locations)

    async def locations(self) -> list[Location]:
        """Every location that is remembered."""
        return [known.location for known in await self._store.locations.all()]

    async def keep_warehouses(self, warehouses: Sequence[Warehouse]) -> bool:
        """Remember TikTok's warehouses; whether anything about them is new."""
        text = json.dumps([asdict(warehouse) for warehouse in warehouses])
        if text == await self._store.meta.get(WAREHOUSES):
            return False
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, WAREHOUSES, text)
        return True

    async def warehouses(self) -> list[Warehouse] | None:
        """TikTok's warehouses; None where they were never read."""
        return await remembered_warehouses(self._store)

    async def mark_read_only(self, warehouse_id: str) -> bool:
        """TikTok keeps this warehouse's stock itself (12052144, 12052382): left alone for good.

        Returns whether that is news; what it shows is to be planned again then.
        """
        known = await self._read_only()
        if warehouse_id in known:
            return False
        async with self._store.transaction() as tx:
            text = json.dumps(sorted({*known, warehouse_id}))
            await self._store.meta.set(tx, READ_ONLY, text)
        return True

    async def _read_only(self) -> frozenset[str]:
        return frozenset(json.loads(await self._store.meta.get(READ_ONLY) or "[]"))

    async def lower_max_quantity(self) -> bool:
        """TikTok refused a quantity as too high: for good, this shop takes the older maximum.

        Returns False where that was already so: then the maximum is not the reason.
        """
        if await self._store.meta.get(MAX_QUANTITY) is not None:
            return False
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, MAX_QUANTITY, str(MAX_QUANTITY_OLD))
        return True

    async def rules(self) -> Rules:
        """The rules as of now.

        ConfigError where the mirror names a location that is not there, DoubleOffer where the
        same units would be offered twice. Trouble on TikTok's side alone leaves the mirror
        working: `offers` is None and `offers_error` says why.
        """
        locations = await self.locations()
        scope = scope_of(self._settings, locations)
        rules = Rules(scope, merge_rules(self._settings))
        warehouses = await self.warehouses()
        highest = int(await self._store.meta.get(MAX_QUANTITY) or TIKTOK_MAX)
        read_only = await self._read_only()
        # No await from here on: whoever reads `offers_error` beside us never finds it half told.
        self.offers_error = None
        if not self._settings.tiktok.enabled or warehouses is None:
            return rules
        try:
            plan = offer_plan(self._settings, locations, warehouses, scope, highest)
        except DoubleOffer:
            raise
        except ConfigError as error:
            self.offers_error = error
            return rules
        closed = closed_warehouses(plan, warehouses, read_only)
        return Rules(scope, rules.merge, without(plan, closed), closed)

    async def accept(self) -> None:
        """Raise ConfigError unless these settings fit what is remembered of both shops."""
        if not await self.locations():
            return  # nothing is remembered yet
        await self.rules()
        if self.offers_error is not None:
            raise self.offers_error

    async def are_new(self, rules: Rules) -> bool:
        """Whether all items have to be planned again because the rules are not those in force."""
        return await self._store.meta.get(IN_FORCE) != fingerprint(rules)

    async def in_force(self, rules: Rules) -> None:
        """All items were planned by these rules."""
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, IN_FORCE, fingerprint(rules))


async def remembered_warehouses(store: Store) -> list[Warehouse] | None:
    """TikTok's warehouses as they were last read; None where they never were."""
    text = await store.meta.get(WAREHOUSES)
    return None if text is None else [Warehouse(**row) for row in json.loads(text)]


async def warehouse_names(store: Store) -> dict[str, str]:
    """The names of TikTok's warehouses by id, as far as they are known."""
    return {place.id: place.name for place in await remembered_warehouses(store) or ()}


def fingerprint(rules: Rules) -> str:
    """The same text for the same rules, whatever the order of sets."""
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
        ]
    return json.dumps(parts, sort_keys=True)
