"""The demo of one minute: the real daemon between a fake Shopify and a fake TikTok Shop.

Each step changes something in the shops, waits until both targets agree, and notes the result.
Nothing on our side is mocked. The daemon is a process of its own, and one step kills it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from invsyncd.sandbox.child import Child, free_port
from invsyncd.sandbox.faults import Kind
from invsyncd.sandbox.screen import Screen
from invsyncd.sandbox.serve import Sandbox, config_text, sandbox, serving

PERCENT = 80
INTERVAL_S = 1.0
WAIT_S_MAX = 30.0
QUIET_POLLS = 10
TEE, MUG, POSTER, GIFT = "TEE-M", "MUG-BLUE", "POSTER-A2", "GIFT-CARD"
TRACKED = {TEE: 100, MUG: 40, POSTER: 985}


@dataclass(slots=True)
class Story:
    """The objects of one demo run, and its results so far."""

    made: Sandbox
    screen: Screen
    child: Child
    health_url: str
    pools: dict[str, int] = field(default_factory=lambda: dict(TRACKED))
    rows: list[tuple[str, ...]] = field(default_factory=list)
    sales: int = 0
    failed: bool = False

    def agreed(self) -> bool:
        """Whether every location shows the pool, and TikTok shows its percentage of the pool."""
        shop, market, warehouse = self.made.shop, self.made.market, self.made.warehouse
        names = [location.name for location in shop.locations.values()]
        return market.available(GIFT, warehouse) == 999_999 and all(
            {shop.available(sku, name) for name in names} == {pool}
            and market.available(sku, warehouse) == pool * PERCENT // 100
            for sku, pool in self.pools.items()
        )

    def sell(self, sku: str, location: str, units: int, *, till: bool = False) -> None:
        """Sell units, and count the pool that both targets must reach."""
        self.pools[sku] -= units
        self.sales += 1
        sale = self.made.shop.sell_till if till else self.made.shop.sell_online
        sale(sku, location, units)

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until `holds` is true, and note how long that took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not holds() and loop.time() - began < WAIT_S_MAX:
            await asyncio.sleep(0.02)
        seconds = loop.time() - began
        self.seen(what, holds(), f"{seconds:.1f} s")

    def seen(self, what: str, ok: bool, figure: str) -> None:
        """Note and show one result."""
        self.failed |= not ok
        self.rows.append((what, figure, "yes" if ok else "NO"))
        mark = "[green]✓[/]" if ok else "[red]✗[/]"
        self.screen.say(f"  {mark} {what} [dim]({figure})[/]")

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
    await story.child.start()
    await story.until("baseline taken, every listing shows 80 %", story.agreed)


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
    shopify.add(Kind.TOO_MANY, times=6, retry_after_s=1)
    shopify.add(Kind.THROTTLED, times=4)
    tiktok.add(Kind.TOO_MANY, times=3, retry_after_s=1)
    for location in ("Berlin", "Hamburg", "Munich", "Vienna", "Berlin"):
        story.sell(POSTER, location, 1)
        await asyncio.sleep(0.3)
    await story.until("nothing lost, nothing counted twice", story.agreed)
    fired = sum(shopify.fired.values()) + sum(tiktok.fired.values())
    story.seen("after refusals by both sides", fired >= 8, f"{fired} refusals")


async def a_crash(story: Story) -> None:
    """Step 6: kill -9 during a write, before its answer; then a sale while the daemon is down."""
    story.screen.say("[bold]6.[/] kill -9 in the middle of a write; a sale while it is down.")
    story.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=20)
    mutations = story.made.shop.mutations_received
    story.sell(TEE, "Munich", 4)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WAIT_S_MAX
    while story.made.shop.mutations_received == mutations and loop.time() < deadline:
        await asyncio.sleep(0.01)
    await story.child.kill()
    story.sell(TEE, "Vienna", 1)
    await asyncio.sleep(1)
    await story.child.start()
    await story.until("restarted: the lost answer is asked for, the sale is found", story.agreed)


async def silence(story: Story) -> None:
    """Step 7: nothing happens, and nothing may be written."""
    story.screen.say("[bold]7.[/] And now nothing happens.")
    writes = len(story.made.shop.writes), len(story.made.market.updates)
    polls = story.made.shopify.operations["PollTogether"] + QUIET_POLLS
    await story.until(
        f"{QUIET_POLLS} passes at rest",
        lambda: story.made.shopify.operations["PollTogether"] >= polls,
    )
    quiet = (len(story.made.shop.writes), len(story.made.market.updates)) == writes
    story.seen("not one write", quiet and story.agreed(), "0 writes" if quiet else "writes!")
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


async def tell() -> bool:
    """Run the whole demo; True if everything agreed."""
    made = sandbox(items=0)
    for sku, units in TRACKED.items():
        made.add(sku, units)
    made.add(GIFT, 0, tracked=False)
    with tempfile.TemporaryDirectory(prefix="invsyncd-demo-") as folder:
        home = Path(folder)
        port = free_port()
        screen = Screen(made, [*TRACKED, GIFT])
        child = Child(home / "config.toml", home / "daemon.log")
        story = Story(made, screen, child, f"http://127.0.0.1:{port}/readyz")
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
                with screen.showing():
                    for chapter in CHAPTERS:
                        await chapter(story)
            finally:
                await child.stop()
            _summary(story)
            if story.failed:
                screen.say("The daemon's own log ends with:")
                for line in child.log_text().splitlines()[-20:]:
                    screen.say("  " + line.replace("[", r"\["))
    return not story.failed


def _summary(story: Story) -> None:
    made = story.made
    story.screen.table("What was seen", story.rows, ("step", "figure", "agreed"))
    rows = sum(len(write.rows) for write in made.shop.writes)
    sold = sum(TRACKED.values()) - sum(story.pools.values())
    figures: list[tuple[str, ...]] = [
        ("units sold, in so many sales", f"{sold} in {story.sales}"),
        ("units lost or counted twice", "0" if story.agreed() else "see above"),
        ("Shopify levels written, in so many mutations", f"{rows} in {len(made.shop.writes)}"),
        ("TikTok updates", str(len(made.market.updates))),
        ("Shopify points spent", str(made.shopify.points_spent)),
    ]
    story.screen.table("In figures", figures, ("", ""))
