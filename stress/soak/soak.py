"""Runs the real process in fast motion: a shop fifty times as busy, polled fifty times as often.

Both fakes live in this process. All intervals of the daemon are divided by the speed; sales, faults
and readings come that much faster. The memory and files of the daemon are sampled from outside.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sqlite3
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from invsyncd.sandbox.child import Child, free_port
from invsyncd.sandbox.faults import Kind
from invsyncd.sandbox.serve import Sandbox, config_text, sandbox, serving
from tests.support.spoilt import Spoilt

SHOP_S = {  # seconds in a shop's life; divided by the speed
    "interval_s": 15.0,
    "overlap_s": 120.0,
    "catalogue_interval_s": 300.0,
    "full_scan_interval_s": 86_400.0,
    "order_hold_s": 450,  # a connector that is quick; settling at the end waits for it
    "audit_interval_s": 900.0,
    "listing_interval_s": 900.0,
}
CHANGES_PER_MIN = 6.0  # in the shop's life
KINDS = (Kind.LOST, Kind.ERROR_BEFORE, Kind.ERROR_AFTER, Kind.THROTTLED, Kind.GARBLED)
LOCATIONS, FIRST = 4, 100_000
PAGES = ("/readyz", "/metrics", "/", "/api/status", "/api/journal")
SETTLE_S_MAX = 120.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds at a moment; bytes, counts."""

    at: float
    rss: int
    fds: int
    threads: int
    tasks: int
    wal: int
    database: int
    journal: int


@dataclass
class Soaked:
    """The whole soak. `wrong` are numbers that are not what they must be at the end."""

    samples: list[Sample] = field(default_factory=list)
    changes: int = 0
    writes: int = 0
    updates: int = 0
    faults: int = 0
    answers: int = 0
    not_ready: int = 0
    cpu_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Shoppers:
    """Everybody who moves a number, and the pool that must come of it."""

    def __init__(self, made: Sandbox, dice: random.Random, items: int) -> None:
        self._made, self._dice = made, dice
        self._places = [place.name for place in made.shop.locations.values()]
        self.pools = {f"SKU-{n:04d}": FIRST for n in range(items)}
        self.changes = 0

    async def buy(self, per_s: float) -> None:
        """Go on until cancelled."""
        shop, market = self._made.shop, self._made.market
        skus, orders = list(self.pools), deque[tuple[str, str, int]]()
        while True:
            sku, dice = self._dice.choice(skus), self._dice.random()
            place, units = self._dice.choice(self._places), self._dice.randint(1, 3)
            # No receipts: beside a till sale in the same poll they are contradictory counts.
            if orders and dice < 0.3:
                sku, place, units = orders.popleft()
                shop.cancel(sku, place, units)
                self.pools[sku] += units
            elif dice < 0.5:
                shop.sell_till(sku, place, units)
                self.pools[sku] -= units
            else:
                if dice < 0.7 and market.available(sku, self._made.warehouse) >= units:
                    # An order over there, which the connector brings to Shopify at once.
                    market.sell(sku, self._made.warehouse, units)
                shop.sell_online(sku, place, units)
                orders.append((sku, place, units))
                self.pools[sku] -= units
            self.changes += 1
            await asyncio.sleep(self._dice.expovariate(per_s))

    def wrong(self) -> list[str]:
        """Every number that is not its pool."""
        found = []
        for sku, pool in self.pools.items():
            shown = {self._made.shop.available(sku, place) for place in self._places}
            tiktok = self._made.market.available(sku, self._made.warehouse)
            if shown != {pool} or tiktok != pool:
                found.append(f"{sku}: {sorted(shown)}, TikTok {tiktok}; the pool is {pool}")
        return found


def configured(made: Sandbox, urls: tuple[str, str], home: Path, speed: float, port: int) -> str:
    """The configuration of the daemon, `speed` times as fast."""
    text = config_text(
        made,
        *urls,
        home / "state.db",
        interval_s=SHOP_S["interval_s"] / speed,
        percent=100,
        listen=f"127.0.0.1:{port}",
    )
    poll = "".join(f"{key} = {SHOP_S[key] / speed}\n" for key in list(SHOP_S)[1:4])
    market = f"order_hold_s = {int(SHOP_S['order_hold_s'] / speed)}\n"
    market += "".join(f"{key} = {SHOP_S[key] / speed}\n" for key in list(SHOP_S)[5:])
    text = text.replace("\n[mirror]", f"{poll}\n[mirror]")
    # Beside a hundred thousand sales there may be three contradictory counts by chance alone.
    text = text.replace("enabled = true\n\n[tiktok]", "enabled = true\nsale_max = 1000\n\n[tiktok]")
    return text.replace("percent = 100\n", f"percent = 100\n{market}")


class Look:
    """Samples one process from outside: /proc, its files, its own metrics."""

    def __init__(self, pid: int, home: Path, port: int, session: aiohttp.ClientSession) -> None:
        self._proc, self._home, self._port = Path(f"/proc/{pid}"), home, port
        self._session = session
        self.answers, self.not_ready = 0, 0

    async def sample(self) -> Sample:
        """Now. OSError when the process is gone."""
        texts = {path: await self._get(path) for path in PAGES}
        found = re.search(r"(?m)^invsyncd_tasks ([\d.]+)", texts["/metrics"])
        return Sample(
            at=time.monotonic(),
            rss=int((self._proc / "statm").read_text().split()[1]) * PAGE_BYTES,
            fds=len(list((self._proc / "fd").iterdir())),
            threads=len(list((self._proc / "task").iterdir())),
            tasks=int(float(found[1])) if found else -1,
            wal=self._bytes("state.db-wal"),
            database=self._bytes("state.db"),
            journal=self._rows(),
        )

    def cpu_s(self) -> float:
        """Seconds of processor time until now."""
        parts = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def _bytes(self, name: str) -> int:
        path = self._home / name
        return path.stat().st_size if path.exists() else 0

    def _rows(self) -> int:
        reading = sqlite3.connect(f"file:{self._home / 'state.db'}?mode=ro", uri=True)
        try:
            return int(reading.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0])
        finally:
            reading.close()

    async def _get(self, path: str) -> str:
        async with self._session.get(f"http://127.0.0.1:{self._port}{path}") as answer:
            self.answers += 1
            self.not_ready += path == "/readyz" and answer.status != 200
            return await answer.text()


async def soak(
    home: Path,
    *,
    minutes: float,
    speed: float,
    items: int,
    seed: int,
    every_s: float,
    share: float,
) -> Soaked:
    """Let it run, sample it, let it come to rest, and look whether every number is right."""
    dice, soaked = random.Random(seed), Soaked()
    made = sandbox(items=0, locations=LOCATIONS)
    shoppers = Shoppers(made, dice, items)
    for sku in shoppers.pools:
        made.add(sku, FIRST)
    faulty = Spoilt(dice, *KINDS), Spoilt(dice, *KINDS)
    made.shopify.faults, made.tiktok._faults = faulty
    port = free_port()
    async with serving(made) as urls, aiohttp.ClientSession() as session:
        (home / "config.toml").write_text(configured(made, urls, home, speed, port))
        child = Child(home / "config.toml", home / "daemon.log")
        await child.start()
        try:
            look = Look(child.pid, home, port, session)
            await _ready(session, port)
            for one in faulty:
                one.share = share
            buying = asyncio.create_task(shoppers.buy(CHANGES_PER_MIN / 60 * speed))
            began = time.monotonic()
            while time.monotonic() - began < minutes * 60 and not buying.done():
                soaked.samples.append(await look.sample())
                await asyncio.sleep(every_s)
            if buying.done():
                buying.result()
            buying.cancel()
            for one in faulty:
                one.share = 0.0
            soaked.wrong = await _at_rest(shoppers)
            soaked.cpu_s = look.cpu_s()
            soaked.answers, soaked.not_ready = look.answers, look.not_ready
        finally:
            await child.stop()
    soaked.changes = shoppers.changes
    soaked.writes, soaked.updates = len(made.shop.writes), len(made.market.updates)
    soaked.faults = sum(one.fired.total() for one in faulty)
    return soaked


async def _ready(session: aiohttp.ClientSession, port: int) -> None:
    deadline = time.monotonic() + SETTLE_S_MAX
    while time.monotonic() < deadline:
        try:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError("the daemon did not become ready")


async def _at_rest(shoppers: Shoppers) -> list[str]:
    deadline = time.monotonic() + SETTLE_S_MAX
    while time.monotonic() < deadline:
        if not shoppers.wrong():
            return []
        await asyncio.sleep(0.2)
    return shoppers.wrong()
