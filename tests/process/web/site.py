"""A server over a store of its own, and the states in which its pages are looked at."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from invsyncd.config import Settings
from invsyncd.core.journal import EntryKind
from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import Catalogue, Entry, Level, Listing, Location, Offer, Standing, Target
from invsyncd.metrics import Metrics
from invsyncd.planning.rulebook import WAREHOUSES, Rulebook
from invsyncd.status.health import Health
from invsyncd.store import BASELINE, Store
from invsyncd.web import PeerLimits, Policy, Window, serving

HOSTILE = '<script>alert("x")</script>'
LOCATIONS = {1: "Berlin", 2: "Hamburg", 3: "Munich"}
WAREHOUSE = "7054915283043174149"
LOOPBACK = Policy.of("127.0.0.1", (), None)


@dataclass(frozen=True)
class Site:
    """What a test may change, and where to ask."""

    look: Window
    client: aiohttp.ClientSession
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def get(self, path: str, **options: Any) -> tuple[int, str]:
        """Status and text of an answer."""
        async with self.client.get(path, **options) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def site(
    path: Path,
    *,
    policy: Policy = LOOPBACK,
    limits: PeerLimits | None = None,
    health: Health | None = None,
    asked: Callable[[], None] = lambda: None,
) -> AsyncIterator[Site]:
    """A server over an empty store; `asked` is called once for each request that is answered."""
    settings = Settings(
        shopify={"shop": "acme.myshopify.com", "access_token": "shpat_x"},
        mirror={"enabled": True},
        tiktok={
            "enabled": True,
            "app_key": "key",
            "app_secret": "secret",
            "refresh_token": "TTP_x",
            "percent": 80,
            "mapping": [{"locations": ["*"], "warehouse": WAREHOUSE}],
        },
        state={"path": path / "state.db"},
    )
    async with Store.open(settings.state.path) as store:
        health = health or Health(time.time, 15, list(Target))
        window = Window(
            store,
            Metrics(),
            health,
            Rulebook(settings, store),
            settings.shopify.shop,
            actions=policy.actions,
        )

        def look() -> Window:
            asked()
            return window

        async with (
            serving(look, "127.0.0.1", 0, policy, limits) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
        ):
            yield Site(window, client, port)


class Budgeted(Health):
    """A health that knows what the APIs still allow."""

    def status(self) -> Mapping[str, Any]:
        """The same, with budgets."""
        return {**super().status(), "budgets": BUDGETS}


BUDGETS = {
    "shopify": {"left": 1830.0, "capacity": 2000.0, "restore_per_s": 100.0, "others_per_s": 3.1},
    "tiktok": {"calls_per_s": {"inventory_search": 4.0, "update_inventory": 1.2}},
}


def well(health: Health) -> None:
    """Make everything be as it should."""
    health.baseline = True
    health.location_names = dict(LOCATIONS)
    health.read_at = {place: time.time() - 4 for place in LOCATIONS}
    health.last_pass = {
        "id": "pass-7",
        "at": int(time.time()) - 4,
        "changes": 2,
        "writes": 6,
        "errors": [],
    }
    for target in Target:
        health.went_well(target)


async def journal(store: Store, *entries: Entry, at: int = 1_795_300_000) -> None:
    """Write lines of the record."""
    async with store.transaction() as tx:
        await store.journal.add(tx, f"pass-{at}", at, entries)


async def stock(
    store: Store, item: int, sku: str, units: int, *, standing: Standing = Standing.POOLED
) -> None:
    """An item with a level of this many units at every location, and its TikTok listing."""
    warehouses = [asdict(Warehouse(WAREHOUSE, "Main warehouse", enabled=True, sales=True))]
    async with store.transaction() as tx:
        await store.locations.save(tx, [Location(i, name) for i, name in LOCATIONS.items()])
        await store.meta.set(tx, WAREHOUSES, json.dumps(warehouses))
        await store.levels.add_items(
            tx, [Catalogue(item, sku, tracked=True, continues=False, product_types=("Shirt",))]
        )
    state = (await store.levels.states([item]))[item]
    levels = {
        place: Level(item, place, units, 2, units + 2, 1_795_300_000, wanted=units)
        for place in LOCATIONS
    }
    pool = None if standing is Standing.HELD else units
    held = replace(state, item=replace(state.item, standing=standing, pool=pool), levels=levels)
    listing = Listing(f"17293822569{item:05}", "1", sku, item, "ACTIVATE", sku=sku)
    shown = max(units, 0) * 8 // 10
    offer = Offer(*listing.key, WAREHOUSE, shown, shown)
    async with store.transaction() as tx:
        await store.levels.save_states(tx, [held])
        await store.meta.set(tx, BASELINE, "1")
        await store.assortment.save_seen(tx, [(listing, {WAREHOUSE: offer.shown or 0})], 1)
        await store.assortment.save_matches(tx, [(listing.key, item)])
        await store.listings.save_wanted(tx, [offer])


def change(sku: str, before: int, after: int, **more: object) -> Entry:
    """A change at Berlin."""
    one = {"location": 1, "from": before, "to": after, "delta": after - before}
    numbers: dict[str, object] = {
        "case": "one level changed",
        "changes": [{**one, "orders": after - before, "stock": 0}],
        "pool_before": before,
        "pool": after,
    }
    return Entry(EntryKind.CHANGE, 1, sku, {**numbers, **more})


def wrote(sku: str, before: int, after: int, outcome: str = "applied") -> Entry:
    """A write at Hamburg."""
    numbers: dict[str, object] = {
        "target": "shopify",
        "location": 2,
        "from": before,
        "to": after,
        "outcome": outcome,
    }
    return Entry(EntryKind.WRITE, 1, sku, numbers)


async def busy(made: Site) -> None:
    """All is well, and it was a busy afternoon."""
    look = made.look
    well(look.health)
    for number, sku in enumerate(("TEE-M", "TEE-L", "MUG-BLUE", "POSTER-A2"), 1):
        await stock(look.store, number, sku, 40 + 7 * number)
    now = int(time.time())
    for number in range(9):
        sku = ("TEE-M", "TEE-L", "MUG-BLUE")[number % 3]
        at = now - 4 - 67 * (8 - number) ** 2
        units = 50 - number
        await journal(look.store, change(sku, units, units - 1), at=at)
        await journal(look.store, wrote(sku, units, units - 1), at=at + 1)
    lags(look.health)


def lags(health: Health) -> None:
    """An afternoon of changes, at moments that the clock never sees."""
    lag, real = health.latency, health.latency._clock
    now = real()
    for quarter in range(23, -1, -1):
        for number in range((quarter * 7) % 11):
            seconds = 1.2 + (quarter * 13 + number * 5) % 14 + (180 if quarter == 9 else 0)
            for target, more in ((Target.SHOPIFY, 0.0), (Target.TIKTOK, 2.5)):
                moment = now - quarter * 900
                lag._clock = lambda moment=moment: moment  # type: ignore[misc]
                lag.changed([("X", moment - seconds - more)])
                lag.arrived(target, "X")
                lag.nothing_owed(Target.SHOPIFY)
                lag.nothing_owed(Target.TIKTOK)
    lag._clock = real


async def troubled(made: Site) -> None:
    """Not ready, for many reasons."""
    await busy(made)
    health = made.look.health
    health.read_at[2] = time.time() - 605
    health.unauthorised(Target.TIKTOK, "tiktok update_inventory: HTTP 401: access token is dead")
    health.targets[
        Target.TIKTOK
    ].paused = "tiktok is paused: 12 of 20 listings would show 0; see `invsyncd resume tiktok`"
    keys = [("TEE-M", str(number)) for number in range(12)]
    health.undelivered(Target.TIKTOK, keys, len(keys))
    health.targets[Target.TIKTOK].undelivered = dict.fromkeys(keys, time.time() - 930)
    health.other_writers = {"TEE-M": "wrote 40 three times within the hour"}
    health.scan_trouble = "the full scan lacks 40 % of the levels of Munich: refused, tried again"


async def held(made: Site) -> None:
    """Ready, and people are waited for."""
    await busy(made)
    store = made.look.store
    for number, sku in enumerate(("CAP-RED", "CAP BLUE/M", "-X; rm -rf ~"), 11):
        await stock(store, number, sku, 5, standing=Standing.HELD)
        await journal(
            store,
            change(sku, 10, 5, case="contradictory counts", pool=None, held=True),
            at=int(time.time()) - 300,
        )
    await stock(store, 21, "BUNDLE-3", 9)
    for item, sku, why, by, until in (
        (21, "BUNDLE-3", "it is a bundle: its stock follows from its parts", "kind", 4 * 10**12),
        (22, "FROZEN-1", "its status is FREEZE", "status", 4 * 10**12),
        (23, "PROMO-9", "12052048: the SKU is in a campaign", "error", int(time.time()) + 7000),
    ):
        await stock(store, item, sku, 9)
        listing = (await store.listings.of_items([item]))[0]
        async with store.transaction() as tx:
            parked = replace(listing, parked=why, parked_by=by, parked_until=until)
            await store.assortment.save(tx, [parked])


async def fresh(made: Site) -> None:
    """The first minute of a new database."""
    made.look.health.read_at = {}


async def hostile(made: Site) -> None:
    """Others wrote what they should not have."""
    well(made.look.health)
    await stock(made.look.store, 1, HOSTILE, 5, standing=Standing.HELD)
    await journal(made.look.store, change(HOSTILE, 6, 5, held=True), wrote(HOSTILE, 1, 0, HOSTILE))
    made.look.health.location_names, made.look.health.read_at = {1: HOSTILE}, {1: None}
    made.look.health.unauthorised(Target.TIKTOK, HOSTILE)


async def long(made: Site) -> None:
    """SKUs as long as Shopify takes them, with and without a place to break."""
    well(made.look.health)
    for number, sku in enumerate(("W" * 255, "ab-" * 85, "\u202eRTL " + "م" * 200), 1):
        await stock(made.look.store, number, sku, 5, standing=Standing.HELD)
        await journal(made.look.store, change(sku, 6, 5, held=True), wrote(sku, 6, 5))


STATES: dict[str, Callable[[Site], Awaitable[None]]] = {
    "well": busy,
    "troubled": troubled,
    "held": held,
    "fresh": fresh,
    "hostile": hostile,
    "long": long,
}
