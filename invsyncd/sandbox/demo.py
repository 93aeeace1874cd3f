"""The demo of one minute: the real daemon between a fake Shopify and a fake TikTok Shop.

Each step changes something in the shops, waits until both targets agree, and shows the result.
While it waits, it says for what and why. Nothing on our side is mocked. The daemon is a process of
its own, and one step kills it.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from rich.console import Console

from invsyncd.sandbox.child import Child, free_port
from invsyncd.sandbox.faults import Kind
from invsyncd.sandbox.screen import Screen
from invsyncd.sandbox.serve import Sandbox, config_text, sandbox, serving
from invsyncd.text import listed, plural

PERCENT = 80
INTERVAL_S = 1.0
WAIT_S_MAX = 60.0
TICK_S = 0.02
QUIET_POLLS = 5
STORM_LEAST = 8  # refusals
LOG_LINES = 20
TEE, MUG, POSTER, GIFT = "TEE-M", "MUG-BLUE", "POSTER-A2", "GIFT-CARD"
TRACKED = {TEE: 100, MUG: 40, POSTER: 985}


class DaemonEndedError(Exception):
    """The daemon ended by itself, which no step of the demo wants."""


@dataclass(slots=True)
class Story:
    """The objects of one demo run, and its results so far."""

    made: Sandbox
    screen: Screen
    child: Child
    health_url: str
    pools: dict[str, int] = field(default_factory=lambda: dict(TRACKED))
    sales: int = 0
    failed: bool = False
    heard: int = 0
    """How many operations Shopify had answered when the daemon was started."""

    def agreed(self) -> bool:
        """Whether every location shows the pool, and TikTok shows its percentage of the pool."""
        return not self.locations_behind() and not self.listings_behind()

    def locations_behind(self) -> list[str]:
        """The locations that do not show the pool of every item yet."""
        shop = self.made.shop
        names = [location.name for location in shop.locations.values()]
        pools = self.pools.items()
        return [x for x in names if any(shop.available(sku, x) != pool for sku, pool in pools)]

    def listings_behind(self) -> list[str]:
        """The items of which TikTok does not show what the rule says."""
        wanted = {sku: pool * PERCENT // 100 for sku, pool in self.pools.items()}
        wanted[GIFT] = 999_999
        market, warehouse = self.made.market, self.made.warehouse
        return [sku for sku, units in wanted.items() if market.available(sku, warehouse) != units]

    def sell(self, sku: str, location: str, units: int, *, till: bool = False) -> None:
        """Sell units, and count the pool that both targets must reach."""
        self.pools[sku] -= units
        self.sales += 1
        sale = self.made.shop.sell_till if till else self.made.shop.sell_online
        sale(sku, location, units)

    async def start(self) -> None:
        """Start the daemon."""
        self.heard = self.answered()
        await self.child.start()

    async def stop(self) -> None:
        """End the daemon, and say so while that takes."""
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(self.child.stop())
            while not ending.done():
                self.screen.waiting("the daemon ends")
                await asyncio.wait((ending,), timeout=TICK_S)

    def answered(self) -> int:
        """How many operations Shopify has answered."""
        return sum(self.made.shopify.operations.values())

    def is_behind(self, sku: str) -> bool:
        """Whether some place does not show what it should show of an item."""
        shop, pool = self.made.shop, self.pools.get(sku)
        levels = {shop.available(sku, location.name) for location in shop.locations.values()}
        return sku in self.listings_behind() or (pool is not None and levels != {pool})

    def why(self) -> str:
        """What the shops still wait for, as seen from the shops."""
        if self.answered() == self.heard:
            return "the daemon starts"
        if behind := self.locations_behind():
            return f"{listed(behind)} follow with the next poll; one comes every {INTERVAL_S:g} s"
        left = plural(len(self.listings_behind()), "listing")
        return f"TikTok takes one call after the other, at its own pace: {left} to go"

    def why_refused(self) -> str:
        """Why a storm takes its time."""
        shopify, tiktok = self.made.shopify_faults, self.made.tiktok_faults
        return (
            f"refusals so far: {shopify.fired.total()} by Shopify, {tiktok.fired.total()} by "
            "TikTok; each wait is longer"
        )

    def refusals(self) -> int:
        """How many requests both sides have refused."""
        return self.made.shopify_faults.fired.total() + self.made.tiktok_faults.fired.total()

    async def wait(self, holds: Callable[[], bool], why: Callable[[], str]) -> float:
        """Wait until `holds` is true, and say why meanwhile; returns the seconds."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not holds() and loop.time() - began < WAIT_S_MAX:
            if self.child.ended:
                raise DaemonEndedError
            self.screen.waiting(why())
            await asyncio.sleep(TICK_S)
        return loop.time() - began

    async def rest(self, seconds: float, why: str) -> None:
        """Let some time pass, and say why."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            self.screen.waiting(why)
            await asyncio.sleep(TICK_S)

    async def until(
        self, what: str, holds: Callable[[], bool], why: Callable[[], str] | None = None
    ) -> None:
        """Wait until `holds` is true, and show how long that took."""
        seconds = await self.wait(holds, why or self.why)
        self.seen(what, holds(), f"{seconds:.1f} s")

    def seen(self, what: str, ok: bool, figure: str) -> None:
        """Show one result."""
        self.failed |= not ok
        mark = "[green]✓[/]" if ok else "[red]✗[/]"
        self.screen.say(f"   {mark} {what} [dim]({figure})[/]")

    async def is_ready(self) -> bool:
        """Whether /readyz answers 200."""
        try:
            async with aiohttp.ClientSession() as client, client.get(self.health_url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


async def a_catalogue(story: Story) -> None:
    """Step 1: the first baseline, and the first writes to TikTok."""
    story.screen.say(
        "[bold]1.[/] Four locations, four items, and a TikTok shop that shows nothing."
    )
    await story.start()
    await story.until("first baseline taken, every listing shows 80 %", story.agreed)


async def a_sale(story: Story) -> None:
    """Step 2: one sale, which needs one mutation with three rows and one update."""
    story.screen.say(f"[bold]2.[/] Somebody buys 3 {TEE} online; the order is for Berlin.")
    before = len(story.made.shop.writes), len(story.made.market.updates)
    story.sell(TEE, "Berlin", 3)
    await story.until("the other 3 locations and TikTok follow", story.agreed)
    mutations = len(story.made.shop.writes) - before[0]
    updates = len(story.made.market.updates) - before[1]
    figure = f"{mutations} mutation, {updates} TikTok update"
    story.seen("with the fewest calls there are", (mutations, updates) == (1, 1), figure)


async def no_tracking(story: Story) -> None:
    """Step 3: an untracked item, which is never out of stock."""
    story.screen.say(f"[bold]3.[/] {GIFT} is not tracked by Shopify.")
    shown = story.made.market.available(GIFT, story.made.warehouse)
    story.seen("TikTok shows it as unlimited", shown == 999_999, f"{shown:,}")


async def two_sales(story: Story) -> None:
    """Step 4: two sales between two polls, which must add up."""
    story.screen.say(f"[bold]4.[/] Two tills sell {MUG} at once: 2 in Hamburg, 1 in Vienna.")
    story.sell(MUG, "Hamburg", 2, till=True)
    story.sell(MUG, "Vienna", 1, till=True)
    await story.until(f"both count: {story.pools[MUG]} everywhere", story.agreed)


async def a_storm(story: Story) -> None:
    """Step 5: both APIs answer "too many requests" for a while."""
    story.screen.say("[bold]5.[/] A storm: both APIs answer 429 while 5 sales come in.")
    shopify, tiktok = story.made.shopify_faults, story.made.tiktok_faults
    shopify.add(Kind.TOO_MANY, times=4, retry_after_s=1)
    shopify.add(Kind.THROTTLED, times=2)
    tiktok.add(Kind.TOO_MANY, times=3, retry_after_s=1)
    for location in ("Berlin", "Hamburg", "Munich", "Vienna", "Berlin"):
        story.sell(POSTER, location, 1)
        await story.rest(0.3, "the sales come in")
    await story.until("nothing lost, nothing counted twice", story.agreed, story.why_refused)
    refused = story.refusals()
    story.seen("after refusals by both sides", refused >= STORM_LEAST, f"{refused} refusals")


async def a_crash(story: Story) -> None:
    """Step 6: kill -9 during a write, before its answer; then a sale while the daemon is down."""
    story.screen.say("[bold]6.[/] kill -9 in the middle of a write; a sale while it is down.")
    story.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=20)
    mutations = story.made.shop.mutations_received
    story.sell(TEE, "Munich", 4)
    await story.wait(
        lambda: story.made.shop.mutations_received > mutations,
        lambda: "the daemon finds the sale with the next poll, and begins to write",
    )
    await story.child.kill()
    story.sell(TEE, "Vienna", 1)
    await story.rest(1, "the daemon is dead, and its last write has no answer")
    await story.start()
    await story.until("restarted: the lost answer is asked for, the sale is found", story.agreed)


async def silence(story: Story) -> None:
    """Step 7: nothing happens, and nothing may be written."""
    story.screen.say("[bold]7.[/] And now nothing happens.")
    writes = len(story.made.shop.writes), len(story.made.market.updates)
    operations = story.made.shopify.operations
    began = operations["PollTogether"]
    await story.wait(
        lambda: operations["PollTogether"] >= began + QUIET_POLLS,
        lambda: f"{operations['PollTogether'] - began} of {QUIET_POLLS} polls found no change",
    )
    quiet = (len(story.made.shop.writes), len(story.made.market.updates)) == writes
    figure = "0 writes" if quiet else "writes!"
    story.seen(f"{QUIET_POLLS} passes, and not one write", quiet and story.agreed(), figure)
    story.seen("/readyz says ready", await story.is_ready(), "HTTP 200")


CHAPTERS: tuple[Callable[[Story], Awaitable[None]], ...] = (
    a_catalogue,
    a_sale,
    no_tracking,
    two_sales,
    a_storm,
    a_crash,
    silence,
)


async def tell(console: Console) -> bool:
    """Run the whole demo; True if everything agreed. SIGTERM and SIGHUP cancel it."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if task is not None:
            loop.add_signal_handler(number, task.cancel)
    made = sandbox(items=0)
    for sku, units in TRACKED.items():
        made.add(sku, units)
    made.add(GIFT, 0, tracked=False)
    with tempfile.TemporaryDirectory(prefix="invsyncd-demo-") as folder:
        home = Path(folder)
        port = free_port()
        screen = Screen(made, [*TRACKED, GIFT], console, loop.time)
        child = Child(home / "config.toml", home / "daemon.log")
        story = Story(made, screen, child, f"http://127.0.0.1:{port}/readyz")
        screen.is_behind = story.is_behind
        async with serving(made) as (shopify_url, tiktok_url):
            text = config_text(
                made,
                shopify_url,
                tiktok_url,
                home / "state.db",
                interval_s=INTERVAL_S,
                percent=PERCENT,
                listen=f"127.0.0.1:{port}",
            )
            (home / "config.toml").write_text(text)
            try:
                await _play(story)
            finally:
                await child.stop()
            _summary(story, console)
    return not story.failed


async def _play(story: Story) -> None:
    with story.screen.showing():
        try:
            for chapter in CHAPTERS:
                await chapter(story)
            await story.stop()
        except DaemonEndedError:
            story.seen("the daemon ended by itself", False, "see its log")


def _summary(story: Story, console: Console) -> None:
    made = story.made
    if story.failed:
        console.print("The daemon's own log ends with:")
        for line in story.child.log_text().splitlines()[-LOG_LINES:]:
            console.print("  " + line, markup=False, soft_wrap=True)
        return
    rows = sum(len(write.rows) for write in made.shop.writes)
    sold = sum(TRACKED.values()) - sum(story.pools.values())
    figures = (
        f"{story.sales} sales of {sold} units took {len(made.shop.writes)} Shopify writes of "
        f"{rows} numbers, and {len(made.market.updates)} TikTok updates."
    )
    console.print(figures, soft_wrap=not console.is_terminal)
