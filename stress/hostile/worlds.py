"""Runs whole passes against a server that gives changed answers, and checks the world after.

An input is: something is sold, one operation's next answers are changed while passes run, then the
server is honest again. After a bounded number of passes, without a restart, every location and the
listing must show what was sold, everything known must be so, and nothing may have been written on
the way that the sales do not justify. Where the answer was a lie that nobody can see through, what
was written is not judged, only that it is taken without a crash or a hang, and that all comes to
rest.
"""

from __future__ import annotations

import asyncio
import random
import traceback
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from invsyncd.core.model import Target
from invsyncd.daemon.wiring import App, one_pass
from invsyncd.errors import InvsyncError
from invsyncd.sandbox.serve import sandbox, serving
from stress.hostile.operations import small_pages
from stress.hostile.server import Hostile, stamped
from tests.support import virtual
from tests.support.world import World

FIRST = 500
SKUS = ("TEE", "MUG", "CAP")
PASSES_MAX = 30
PASS_S_MAX = 6 * 3600.0
CONFIGURED: dict[str, dict[str, Any]] = {
    "shopify": {
        "access_token": None,
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    },
    "poll": {"interval_s": 15, "catalogue_interval_s": 15},
    "tiktok": {
        "shop_cipher": None,
        "listing_interval_s": 15,
        "audit_interval_s": 60,
        "full_discovery_interval_s": 600,
    },
    "guard": {"max_zeroed_percent": 0},
}
SHOPIFY = ("LOCATIONS", "POLL", "LIST_LEVELS", "READ_LEVELS", "READ_ITEMS", "ITEM_LEVELS",
           "CATALOGUE", "ITEM_VARIANTS", "COUNT_VARIANTS", "UPDATED_ITEMS", "UPDATED_VARIANTS",
           "UPDATED_PRODUCTS", "PRODUCTS", "SET_QUANTITIES", "RUN_SCAN", "SCAN_STATUS", "SCAN_FILE",
           "TOKEN")  # fmt: skip
TIKTOK = ("SHOPS", "WAREHOUSES", "LISTINGS", "PRODUCT", "STOCK", "UPDATE", "TOKEN")
OPS = (*(("Shopify", op) for op in SHOPIFY), *(("TikTok", op) for op in TIKTOK))


@dataclass
class Outcome:
    """What came of one input."""

    name: str
    outcome: str
    how: str = ""
    violation: str = ""


@dataclass
class Stage:
    """One world that many inputs go through; `pools` is what the sales leave."""

    world: World
    shopify: Hostile
    tiktok: Hostile
    pools: dict[str, int]
    spoilt: bool = False
    errors: Counter[str] = field(default_factory=Counter)
    _passes: int = 0

    async def play(self, side: str, op: str, dice: random.Random) -> Outcome:
        """One input, from sale to rest."""
        name = f"{side} {op}"
        hostile = self.shopify if side == "Shopify" else self.tiktok
        before, written = dict(self.pools), self._written()
        self.errors.clear()
        try:
            await self._provoke(side, op, dice)
            hostile.arm(op, dice.randint(1, 4), dice)
            if op == "SET_QUANTITIES" and dice.random() < 0.4:
                hostile.meanwhile = lambda: self._sell(dice)
            self._sell(dice)
            for _ in range(dice.randint(1, 3)):
                await self._pass(scan=op in ("RUN_SCAN", "SCAN_STATUS", "SCAN_FILE"))
                if dice.random() < 0.3:
                    self._sell(dice)
            hostile.disarm()
            wrong = await self._rest(name)
            if wrong and name == "TikTok TOKEN" and self._must_log_in():
                # The answer to a refresh was lost for good: the one thing that needs a person.
                return await self._logged_in(name)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  (a finding)
            hostile.disarm()
            self.spoilt = True
            where = traceback.extract_tb(error.__traceback__)[-1]
            found = f"{type(error).__name__}: {str(error)[:300]} ({where.name}:{where.lineno})"
            return Outcome(name, "crash or hang", _how(hostile), found)
        return self._judged(name, hostile, wrong, self._unjustified(before, written))

    def _judged(self, name: str, hostile: Hostile, wrong: list[str], bad: str) -> Outcome:
        lie = any(raw.lie for raw in hostile.changed)
        self.spoilt = bool(wrong)
        if (wrong or bad) and lie:
            return Outcome(name, "taken as told")
        if wrong:
            return Outcome(name, "no recovery", _how(hostile), "; ".join(wrong)[:400])
        if bad:
            return Outcome(name, "wrong write", _how(hostile), bad)
        if not hostile.changed:
            return Outcome(name, "not asked for")
        refused = ", ".join(sorted(self.errors))
        return Outcome(name, f"refused: {refused}" if refused else "harmless")

    def _must_log_in(self) -> bool:
        """Whether invsyncd says that TikTok's authorisation is dead, and what to do."""
        running = self.world.running
        trouble = running.health.targets[Target.TIKTOK] if running else None
        return trouble is not None and trouble.dead

    async def _logged_in(self, name: str) -> Outcome:
        parts = await self._parts()
        assert parts.tiktok_side is not None
        await parts.tiktok_side.tokens.exchange(self.world.made.tiktok.authorise())
        wrong = await self._rest(name)
        return Outcome(name, "refused: Unauthorised until a login", "", "; ".join(wrong)[:400])

    async def _provoke(self, side: str, op: str, dice: random.Random) -> None:
        """Make it likely that the operation is needed."""
        made = self.world.made
        if op == "TOKEN" and side == "Shopify":
            made.shopify.revoke()
        elif op == "TOKEN":
            made.tiktok.expire_access_token()
        elif op == "SHOPS":
            await self.world.stop()
        elif op in ("READ_ITEMS", "ITEM_LEVELS"):
            items = frozenset(made.shop.items)
            (await self._parts()).mirror.suspect(items)
        elif op == "PRODUCT":
            sku = made.market.sku(dice.choice(SKUS))
            made.market.products[sku.product_id].update_time = int(virtual.clock())

    def _sell(self, dice: random.Random) -> None:
        sku, place = dice.choice(SKUS), dice.choice(list(self.world.made.shop.locations))
        self.world.made.shop.sell_online(sku, place, 1)
        self.pools[sku] -= 1

    async def _parts(self) -> App:
        return self.world.running or await self.world.start()

    async def _pass(self, *, scan: bool = False) -> None:
        parts = await self._parts()
        self._passes += 1
        report = parts.jobs.report(f"pass-{self._passes}")
        async with asyncio.timeout(PASS_S_MAX):
            await one_pass(parts, report)
            if scan:
                await parts.jobs.full_scan(report, at_once=True)
        for _, error in report.failures:
            assert isinstance(error, InvsyncError)
            assert str(error).isprintable(), f"an unfit message: {error!r}"
            self.errors[type(error).__name__] += 1
        await asyncio.sleep(parts.settings.poll.interval_s)

    async def _rest(self, name: str) -> list[str]:
        """Passes until everything is as sold; what is still wrong after the last one."""
        kept, self.errors = self.errors, Counter()
        wrong = [name]
        for number in range(PASSES_MAX):
            await self._pass(scan=number == PASSES_MAX // 2)
            wrong = await self.wrong()
            if not wrong:
                break
        else:
            wrong += [f"{kind} {count}" for kind, count in self.errors.items()]
        self.errors = kept
        return wrong

    async def wrong(self) -> list[str]:
        """What is not as the sales left it, in the world or in what is known."""
        shop, store = self.world.made.shop, (await self._parts()).store
        found = [f"attempt {one.key}" for one in await store.attempts.open()]
        found += [f"doubtful {item}" for item in await store.levels.doubtful_items()]
        states = await store.levels.states(list(shop.items))
        for sku, pool in self.pools.items():
            if set(levels := self.world.levels(sku)) != {pool}:
                found.append(f"{sku} shows {levels}, not {pool}")
            if (shown := self.world.shown(sku)) != pool:
                found.append(f"TikTok shows {sku} {shown}, not {pool}")
            state = states.get(shop.item(sku))
            known = {} if state is None else state.levels
            for place in shop.locations:
                level, true = known.get(place), shop.level(shop.item(sku), place)
                assert true is not None
                if level is None or (level.available, level.committed, level.active) != (
                    true.available, true.committed, true.active,
                ):  # fmt: skip
                    found.append(f"{sku} is known as {level}, not {true.available}")
        return found

    def _written(self) -> tuple[int, int]:
        return len(self.world.made.shop.writes), len(self.world.made.market.updates)

    def _unjustified(self, before: dict[str, int], written: tuple[int, int]) -> str:
        """A write since then of a number that no moment of the sales could give; empty if none."""
        made = self.world.made
        skus = {made.shop.item(sku): sku for sku in SKUS}
        listed = {made.market.sku(sku).id: sku for sku in SKUS}
        rows = [
            (skus[row.item], row.after)
            for write in made.shop.writes[written[0] :]
            for row in write.rows
            if row.name == "available"
        ]
        rows += [
            (listed[row.sku_id], row.quantity)
            for update in made.market.updates[written[1] :]
            for row in update.rows
        ]
        bad = [f"{sku} := {to}" for sku, to in rows if not self.pools[sku] <= to <= before[sku]]
        return ", ".join(bad)


def _how(hostile: Hostile) -> str:
    return " | ".join("; ".join(raw.how) for raw in hostile.changed)


async def begun(stack: AsyncExitStack) -> Stage:
    """A world at rest after its first baseline."""
    folder = stack.enter_context(TemporaryDirectory())
    stack.enter_context(small_pages())
    made = sandbox(items=0, locations=3, clock=virtual.clock)
    shopify, tiktok = Hostile(), Hostile()
    made.shopify.faults, made.tiktok._faults = shopify, tiktok
    for fake in (made.shopify, made.tiktok):
        setattr(fake, "_stamp", stamped(fake._stamp))  # noqa: B010  (a method, wrapped)
    made = replace(made, shopify_faults=shopify, tiktok_faults=tiktok)
    for sku in SKUS:
        made.add(sku, FIRST)
        for _ in range(2):
            made.shop.add_variant(made.shop.item(sku), product_type="Shirt")
    urls = await stack.enter_async_context(serving(made))
    world = World(made, Path(folder), urls, CONFIGURED)
    stack.push_async_callback(world.stop)
    stage = Stage(world, shopify, tiktok, dict.fromkeys(SKUS, FIRST))
    wrong = await stage._rest("a first baseline")
    assert wrong == []
    return stage
