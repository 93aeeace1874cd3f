"""Runs the real process against both fakes, and kills it with kill -9 again and again.

The fakes live in this process and survive every kill; so does the count of what was sold. Answers
get lost now and then. After the last kill every location must show the pool and TikTok its share.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from invsyncd.sandbox.child import Child, free_port
from invsyncd.sandbox.faults import Kind
from invsyncd.sandbox.serve import Sandbox, config_text, sandbox, serving
from tests.support.spoilt import Spoilt

INTERVAL_S = 0.2
PERCENT = 80
HOLD_S = 1
LIFE_S = (0.05, 1.5)
AWAKE_S = (0.3, 1.0, 2.5)
START_S_MAX = 5.0
LOOK_S = 0.01
SALES_PER_S = 15.0
LOST = 0.05
FIRST = 100_000
SKUS = ("TEE", "MUG", "CAP")
SETTLE_S_MAX = 30.0
SILENT_S = 1.5


@dataclass
class Figures:
    """One line of the table."""

    kills: int = 0
    sales: int = 0
    units: int = 0
    mutations: int = 0
    repeated: int = 0
    updates: int = 0
    lost_answers: int = 0
    settled_s: float = 0.0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


class Customers:
    """Everybody who moves a number, and the pool that must come of it."""

    def __init__(self, made: Sandbox, dice: random.Random, figures: Figures) -> None:
        self.made, self.dice, self.figures = made, dice, figures
        self.pools = dict.fromkeys(SKUS, FIRST)
        self._orders: list[tuple[str, str, int]] = []
        self._acts: tuple[Callable[[str, str, int], None], ...] = (
            self._online,
            self._online,
            self._till,
            self._till,
            self._cancelled,
            self._shipped,
            self._on_tiktok,
        )

    async def buy(self) -> None:
        """Go on until cancelled."""
        places = [place.name for place in self.made.shop.locations.values()]
        while True:
            act = self.dice.choice(self._acts)
            act(self.dice.choice(SKUS), self.dice.choice(places), self.dice.randint(1, 3))
            await asyncio.sleep(self.dice.expovariate(SALES_PER_S))

    def _sold(self, sku: str, units: int) -> None:
        self.pools[sku] -= units
        self.figures.sales += 1
        self.figures.units += units

    def _online(self, sku: str, place: str, units: int) -> None:
        self.made.shop.sell_online(sku, place, units)
        self._orders.append((sku, place, units))
        self._sold(sku, units)

    def _till(self, sku: str, place: str, units: int) -> None:
        self.made.shop.sell_till(sku, place, units)
        self._sold(sku, units)

    def _cancelled(self, *_: object) -> None:
        if self._orders:
            sku, place, units = self._orders.pop()
            self.made.shop.cancel(sku, place, units)
            self.pools[sku] += units

    def _shipped(self, *_: object) -> None:
        if self._orders:
            self.made.shop.fulfil(*self._orders.pop(0))

    def _on_tiktok(self, sku: str, place: str, units: int) -> None:
        """An order over there, which the connector brings to Shopify at once."""
        self.made.market.sell(sku, self.made.warehouse, units)
        self._online(sku, place, units)

    def wrong(self) -> list[str]:
        """Every number that is not what it must be."""
        shop, market = self.made.shop, self.made.market
        found: list[str] = []
        for sku, pool in self.pools.items():
            levels = [shop.available(sku, place.name) for place in shop.locations.values()]
            shown = market.available(sku, self.made.warehouse)
            if set(levels) != {pool} or shown != pool * PERCENT // 100:
                found.append(f"{sku}: {levels}, TikTok {shown}; the pool is {pool}")
        return found


async def settled(customers: Customers, child: Victim, within_s: float = SETTLE_S_MAX) -> float:
    """Seconds until every number is right, or until there is no more hope."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(int(within_s / LOOK_S)):
        if not customers.wrong() or not child.is_running:
            break
        await asyncio.sleep(LOOK_S)
    return loop.time() - began


async def kill_often(kills: int, seed: int) -> Figures:
    """Start, wait a moment, kill; in the end let it come to rest and look."""
    dice, figures, began = random.Random(seed), Figures(), time.perf_counter()
    made = sandbox(items=0, locations=4)
    for sku in SKUS:
        made.add(sku, FIRST)
    lossy = Spoilt(dice, Kind.LOST), Spoilt(dice, Kind.LOST)
    made.shopify.faults, made.tiktok._faults = lossy
    customers = Customers(made, dice, figures)
    with tempfile.TemporaryDirectory(prefix="invsyncd-kills-") as folder:
        home = Path(folder)
        async with serving(made) as urls:
            text = config_text(
                made,
                *urls,
                home / "state.db",
                interval_s=INTERVAL_S,
                percent=PERCENT,
                listen=f"127.0.0.1:{free_port()}",
            )
            text = text.replace("percent =", f"order_hold_s = {HOLD_S}\npercent =")
            (home / "config.toml").write_text(text)
            child = Victim(home / "config.toml", home / "daemon.log")
            try:
                await _story(kills, customers, child, lossy)
            finally:
                await child.stop()
    figures.mutations = len(made.shop.writes)
    figures.repeated = made.shop.mutations_received - len(made.shopify._idempotency._entries)
    figures.updates = len(made.market.updates)
    figures.lost_answers = sum(one.fired[Kind.LOST] for one in lossy)
    figures.seconds = time.perf_counter() - began
    return figures


class Victim(Child):
    """A child that may end by itself, which none should."""

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.returncode is None


async def _some_life(made: Sandbox, dice: random.Random) -> None:
    """Half of all lives are timed from the start of the process, half from its first request."""
    if dice.random() < 0.5:
        await asyncio.sleep(dice.uniform(*LIFE_S))
        return
    heard = made.shopify._requests
    for _ in range(int(START_S_MAX / LOOK_S)):
        if made.shopify._requests != heard:
            break
        await asyncio.sleep(LOOK_S)
    await asyncio.sleep(dice.uniform(0.0, dice.choice(AWAKE_S)))


async def _story(
    kills: int, customers: Customers, child: Victim, lossy: tuple[Spoilt, Spoilt]
) -> None:
    made, dice, figures = customers.made, customers.dice, customers.figures
    await child.start()
    await settled(customers, child)
    buying = asyncio.create_task(customers.buy())
    for one in lossy:
        one.share = LOST
    for _ in range(kills):
        await _some_life(made, dice)
        if not child.is_running:
            figures.violations.append("it ended by itself")
        await child.kill()
        figures.kills += 1
        await child.start()
    buying.cancel()
    for one in lossy:
        one.share = 0.0
    figures.settled_s = await settled(customers, child)
    figures.violations += customers.wrong()
    before = made.shop.mutations_received, made.tiktok.calls["update_inventory"]
    await asyncio.sleep(SILENT_S)
    after = made.shop.mutations_received, made.tiktok.calls["update_inventory"]
    if after != before:
        figures.violations.append(f"writes at rest: {before} became {after}")
