"""Runs one simulation: builds the world, plays the plan in virtual time, returns what was seen."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from invsyncd.daemon.wiring import assemble
from invsyncd.errors import InvsyncError
from invsyncd.sandbox.serve import Sandbox, sandbox
from invsyncd.store import copy_to, prepare
from stress.crash.state import memory
from stress.months.ledger import Book
from stress.months.life import Machine
from stress.months.machine import Network, StillLoop, without_chance
from stress.months.referee import Referee, Violation
from stress.months.schedule import DAY_S, Fault, Plan, drawn
from stress.months.shop import EXCLUDED, FILTER, FIXED, MAIN, People
from stress.months.weather import SHOPIFY_PORT, TIKTOK_PORT, Sky, Weather
from tests.support import virtual

ITEMS = 20
ZONE = "Europe/Berlin"
TICK_S = 1e-4  # the loop calls a moment come that is nearer than a float can tell


@dataclass
class Outcome:
    """What one seed showed."""

    seed: int
    days: float
    violations: list[Violation]
    counts: Counter[str]
    faults: Counter[str]
    stale: dict[str, float]
    stale_offers: dict[str, float]
    unready: dict[str, float]
    journal: str
    digest: str
    seconds: float = 0.0
    story: list[str] = field(default_factory=list)


class Run:
    """Everything of one run. `trace` is a SKU whose story is told."""

    def __init__(self, plan: Plan, folder: Path, network: Network, trace: str = "") -> None:
        self.plan, self.folder, self.network = plan, folder, network
        self.made = _made(plan.seed)
        endpoints = tuple(f"http://127.0.0.1:{port}" for port in (SHOPIFY_PORT, TIKTOK_PORT))
        (folder / "state").mkdir()
        self.machine = Machine(folder / "state", network, (endpoints[0], endpoints[1]))
        self.sky = Sky(self.made, network, self.machine, self._log_in)
        self.people = People(self.made, plan, self.machine, self.sky, ITEMS)
        self.referee = Referee(self.made, self.people, self.machine, self.sky)
        self.people.look_at = self.referee.look_at
        self.story: list[str] = []
        self._trace = trace
        self.people.story = self._tell
        for weather, between in (
            (self.made.shopify_faults, self.people.buy_between),
            (self.made.tiktok_faults, self.people.buy_there_between),
        ):
            assert isinstance(weather, Weather)
            weather.between, weather.on_write = between, self.machine.write_arrives
        self._tasks: set[asyncio.Task[None]] = set()
        self.backups = 0

    async def play(self) -> None:
        """Live through the plan, and then a quiet night."""
        async with (
            self.network.serving(self.made.shopify.app(), SHOPIFY_PORT),
            self.network.serving(self.made.tiktok.app(), TIKTOK_PORT),
        ):
            running = asyncio.create_task(self.machine.run())
            others = [asyncio.create_task(self.referee.watch())]
            others.append(asyncio.create_task(self.sky.crowd()))
            try:
                for book in self.people.books:
                    book.touched(virtual.clock(), "whole")
                await asyncio.sleep(1800)
                await self._happen()
                await self._until(self.plan.begin + self.plan.days * DAY_S + 6 * 3600)
            finally:
                for task in others:
                    task.cancel()
                await asyncio.wait(others)
                await self.machine.end(running)
                for task in list(self._tasks):
                    task.cancel()

    async def _happen(self) -> None:
        for act in self.plan.acts:
            self.people.at(self.plan.begin + act.at, partial(self.people.wish, act))
        for fault in self.plan.faults:
            self.people.at(self.plan.begin + fault.at, partial(self._break, fault))
        await self._until(self.plan.begin + self.plan.days * DAY_S)

    async def _until(self, end: float) -> None:
        people = self.people
        while (now := virtual.clock()) < end:
            people.news.clear()
            wait_s = min(people.next_at, end) - now
            with suppress(TimeoutError):  # somebody who buys meanwhile may bring something sooner
                await asyncio.wait_for(people.news.wait(), max(0.0, wait_s))
            for _, do in people.due(virtual.clock() + TICK_S):
                do()

    def _break(self, fault: Fault) -> None:
        now = virtual.clock()
        begun = fault._replace(at=now - self.plan.begin)
        if fault.kind.startswith("deploy"):
            if not self._deploy(begun):
                self.people.at(now + 300.0, partial(self._break, fault))
                return
        elif fault.kind == "backup":
            self._backup()
        self.referee.begun.append(begun)
        self._tell(None, f"{fault.kind} for {fault.seconds:.0f} s")
        self.sky.begin(begun)
        self.people.at(now + fault.seconds, partial(self._mend, begun))

    def _mend(self, fault: Fault) -> None:
        self.sky.end(fault)
        if fault.seconds:
            self._tell(None, f"{fault.kind} is over")

    def _deploy(self, fault: Fault) -> bool:
        config, people = self.machine.configuration, self.people
        match fault.kind:
            case "deploy percent":
                config.percent = (100, 80, 50, 100)[fault.dice % 4]
            case "deploy reserve":
                config.reserve = (0, 3)[fault.dice % 2]
            case "deploy mapping":
                config.mapped = FIXED if config.mapped == ("*",) else ("*",)
            case "deploy nonsense":
                config.nonsense = True
                asyncio.get_running_loop().call_later(1.0, setattr, config, "nonsense", False)
            case _ if not people.all_settled() or self.machine.window is None:
                return False
            case "deploy product types":
                config.product_types = () if config.product_types else FILTER
                people.all_touched()
                self._back(fault, self._all_types)
            case _:
                config.excluded = () if config.excluded else (EXCLUDED,)
                people.all_touched()
                self._back(fault, self._include)
        people.acted_at = virtual.clock()
        self.machine.reload()
        return True

    def _back(self, fault: Fault, undo: Callable[[], None]) -> None:
        if fault.seconds:
            self.people.at(virtual.clock() + fault.seconds, undo)

    def _all_types(self) -> None:
        self._undo(self._all_types, "product_types")

    def _include(self) -> None:
        self._undo(self._include, "excluded")

    def _undo(self, again: Callable[[], None], name: str) -> None:
        if not self.people.all_settled() or self.machine.window is None:
            self.people.at(virtual.clock() + 300.0, again)
            return
        setattr(self.machine.configuration, name, ())
        self.people.all_touched()
        self.machine.reload()
        self._tell(None, f"deploy: {name} is empty again")

    def _backup(self) -> None:
        """As `invsyncd backup` does, beside the daemon; and whether it can be opened."""
        copy = self.folder / "copy.db"
        copy.unlink(missing_ok=True)
        with closing(sqlite3.connect(f"file:{self.machine.state}?mode=ro", uri=True)) as database:
            copy_to(database, copy)
        try:
            prepare(copy)
        except InvsyncError as error:
            self.referee.wrong(virtual.clock(), f"a backup cannot be used: {error}")
        self.backups += 1

    def _log_in(self) -> None:
        task = asyncio.create_task(self._consent())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _consent(self) -> None:
        """As `invsyncd tiktok-login` does: new tokens in the state database, until it works."""
        while True:
            window = self.machine.window
            if window is not None:
                try:
                    settings = self.machine.settings()
                    store = window().store
                    async with assemble(settings, store, clock=self.machine.wall) as parts:
                        assert parts.tiktok_side is not None
                        await parts.tiktok_side.tokens.exchange(self.made.tiktok.authorise())
                except (InvsyncError, ValueError, sqlite3.Error):
                    pass
                else:
                    self._tell(None, "the seller has logged in")
                    return
            await asyncio.sleep(300.0)

    def _tell(self, book: Book | None, text: str) -> None:
        if self._trace and (book is None or book.sku == self._trace):
            levels = [x.available for x in self.people.places(book)] if book else []
            pool = f" pool {book.pool} levels {levels}" if book else ""
            when = time.strftime("%m-%d %H:%M:%S", time.gmtime(virtual.clock()))
            sku = book.sku if book else "-"
            self.story.append(f"{when} {sku} {text}{pool}")

    def outcome(self) -> Outcome:
        """What was seen."""
        made, machine, referee = self.made, self.machine, self.referee
        with closing(sqlite3.connect(machine.state)) as db:
            rows = db.execute("SELECT * FROM journal ORDER BY id").fetchall()
        journal = "\n".join(map(repr, rows))
        sent = "\n".join(map(repr, [*made.shop.writes, *made.market.updates]))
        counts = referee.counts
        counts.update(
            between=self.people.done["between reading and write"],
            changes=sum(self.people.done.values()),
            sales=sum(book.sales for book in self.people.books),
            shopify_writes=len(made.shop.writes),
            tiktok_writes=len(made.market.updates),
            starts=machine.lives,
            kills=machine.kills,
            restarts=machine.stops,
            reloads=machine.reloads,
            backups=self.backups,
            oversold=self.people.oversold,
            worst_excess=referee.worst_excess,
            raised=referee.raised,
            lasting_excess=referee.lasting_excess,
            leaks=len(machine.log.leaks),
            log_lines=machine.log.lines,
            journal_rows=len(rows),
            state_bytes=machine.state.stat().st_size,
            polls=made.shopify.operations["PollTogether"] + made.shopify.operations["Poll"],
        )
        end = self.plan.begin + self.plan.days * DAY_S
        for text in (*machine.log.leaks, *machine.deaths, *machine.log.problems):
            referee.violations.append(Violation(end, text))
        return Outcome(
            self.plan.seed,
            self.plan.days,
            referee.violations,
            counts,
            self.sky.fired + Counter({f"answer: {k}": n for k, n in self._struck().items()}),
            dict(referee.stale),
            dict(referee.stale_offers),
            dict(referee.unready),
            journal,
            hashlib.sha256(f"{journal}\n{sent}".encode()).hexdigest(),
            story=self.story,
        )

    def _struck(self) -> Counter[str]:
        return self.made.shopify_faults.fired + self.made.tiktok_faults.fired


def _made(seed: int) -> Sandbox:
    made = sandbox(items=0, locations=4, clock=virtual.clock)
    for_shopify, for_tiktok = Weather(seed), Weather(seed + 1)
    made.shopify.faults, made.tiktok._faults = for_shopify, for_tiktok
    made.shop.activation_touches = True
    late = made.shopify.behaviours  # half of all answers are late, wherever they are read
    late.replica_delay_s, late.replica_share, late.replica_points = 4.0, 0.5, True
    late.replica_dice, late.created_late_s = random.Random(seed + 2), 1
    late.lag_s = late.catalogue_lag_s = 30.0  # and every index
    assert made.market.warehouse(MAIN).id == made.warehouse
    return replace(made, shopify_faults=for_shopify, tiktok_faults=for_tiktok)


@contextmanager
def _zone(name: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def months(seed: int, days: float, *, until: float = 0.0, trace: str = "") -> Outcome:
    """Live through the days of this seed; `until` ends it after so many of them."""
    plan = drawn(seed, days)
    if until:
        plan = replace(plan, days=until)
        cut = plan.days * DAY_S
        plan = replace(
            plan,
            acts=tuple(act for act in plan.acts if act.at < cut),
            faults=tuple(fault for fault in plan.faults if fault.at < cut),
        )
    return played(plan, trace)


def played(plan: Plan, trace: str = "") -> Outcome:
    """Live through a plan."""
    began = time.perf_counter()
    hooks: list[Callable[[], None]] = []

    def event() -> None:
        for hook in hooks:
            hook()

    network = Network(event)

    async def main() -> Outcome:
        with tempfile.TemporaryDirectory(dir=memory()) as folder:
            run = Run(plan, Path(folder), network, trace)
            hooks.append(run.machine.event)
            await run.play()
            return run.outcome()

    begin = plan.begin - virtual.EPOCH
    with (
        _zone(ZONE),
        without_chance(plan.seed, network, event),
        asyncio.Runner(loop_factory=lambda: StillLoop(begin)) as runner,
    ):
        found = runner.run(main())
    found.seconds = time.perf_counter() - began
    return found
