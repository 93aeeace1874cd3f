"""Scenarios for crashes: what happens in the shops before, and what must be true afterwards."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from invsyncd.sandbox.faults import Kind
from invsyncd.sandbox.serve import Sandbox, sandbox
from tests.support import virtual
from tests.support.world import SERVERS

TEE, MUG = "TEE", "MUG"
UNLIMITED = 999_999


class Sale(NamedTuple):
    """Somebody buys, at a till or online."""

    sku: str
    place: str
    units: int
    till: bool = True


@dataclass
class Truth:
    """Both shops, the configuration, and what every number must come to.

    `between` and `counted` happen just before the first write reaches Shopify, `down` one by one
    while invsyncd is down after a crash.
    """

    made: Sandbox
    pools: dict[str, int]
    configured: dict[str, dict[str, Any]]
    down_s: float = 1.0
    percent: int = 100
    unlimited: set[str] = field(default_factory=set)
    between: list[Sale] = field(default_factory=list)
    down: list[Sale] = field(default_factory=list)
    counted: list[tuple[str, str, int]] = field(default_factory=list)

    def sell(self, sku: str, location: str, units: int, till: bool = True) -> None:
        """Somebody buys: the pool that everything must come to falls."""
        self.pools[sku] -= units
        sale = self.made.shop.sell_till if till else self.made.shop.sell_online
        sale(sku, location, units)

    def next_of(self, acts: list[Sale]) -> None:
        """Let the next one of these sales happen, if there is one left."""
        if acts:
            self.sell(*acts.pop(0))

    def before_the_write(self) -> None:
        """What happens just before the first write arrives."""
        self.next_of(self.between)
        if self.counted:
            self.made.shop.count(*self.counted.pop(0))

    def wrong(self) -> list[str]:
        """Every number that is not what it must be."""
        shop, market = self.made.shop, self.made.market
        found: list[str] = []
        for sku, pool in self.pools.items():
            levels = [shop.available(sku, place.name) for place in shop.locations.values()]
            if set(levels) != {pool}:
                found.append(f"{sku} shows {levels}, the pool is {pool}")
            share = UNLIMITED if sku in self.unlimited else pool * self.percent // 100
            shown = market.available(sku, self.made.warehouse)
            if shown != share:
                found.append(f"TikTok shows {shown} of {sku}, it must be {share}")
        return found

    def copied(self) -> Truth:
        """An independent copy; what was parsed and never changes is shared."""
        shared = (self.made.shopify._engine._documents,)
        return copy.deepcopy(self, {id(one): one for one in shared})


@dataclass(frozen=True)
class Scenario:
    """`act` is what happens; `fresh` scenarios crash in the start of the process, too.

    `server` is one of the kinds that the documents leave possible. `limit` says why
    a crash in the wrong moment may still cost something here.
    """

    name: str
    act: Callable[[Truth], None]
    locations: int = 3
    fresh: bool = False
    baseline: bool = True
    down: tuple[Sale, ...] = ()
    down_s: float = 1.0
    server: str = "as documented"
    limit: str = ""

    async def begun(self) -> Truth:
        """The shops before anything happened."""
        made = sandbox(items=0, locations=self.locations, clock=virtual.clock)
        for name, value in SERVERS[self.server].items():
            setattr(made.shopify.behaviours, name, value)
        for sku in (TEE, MUG):
            made.add(sku, 10)
        return Truth(
            made,
            {TEE: 10, MUG: 10},
            {"poll": {"interval_s": 5.0}},
            down=list(self.down),
            down_s=self.down_s,
        )


def nothing(_: Truth) -> None:
    """A first start."""


def one_sale(truth: Truth) -> None:
    """One online order."""
    truth.sell(TEE, "Berlin", 1, till=False)


def two_sales(truth: Truth) -> None:
    """Two at once, and a third between our reading and our writing."""
    truth.sell(TEE, "Berlin", 1)
    truth.sell(TEE, "Hamburg", 2, till=False)
    truth.between = [Sale(TEE, "Munich", 1)]


def imported(truth: Truth) -> None:
    """Somebody counts 50 in two places; we read the one, and write before we read the other."""
    shop = truth.made.shop
    shop.count(TEE, "Berlin", 50)
    truth.pools[TEE] = 50
    truth.counted = [(TEE, "Hamburg", 50)]


def stale(truth: Truth) -> None:
    """The very level that is about to be written sells one, of two items."""
    truth.sell(TEE, "Berlin", 1)
    truth.sell(MUG, "Berlin", 3)
    truth.between = [Sale(TEE, "Hamburg", 1)]


def lost(truth: Truth) -> None:
    """Both sides do what they are told and do not answer."""
    truth.sell(TEE, "Berlin", 1)
    truth.made.shopify_faults.add(Kind.LOST, times=2, match="SetQuantities")
    truth.made.tiktok_faults.add(Kind.LOST, times=2, match="inventory/update")


def silent(truth: Truth) -> None:
    """They do not answer for so long that every patience ends."""
    truth.sell(TEE, "Berlin", 1)
    truth.made.shopify_faults.add(Kind.LOST, times=6, match="SetQuantities")
    truth.made.tiktok_faults.add(Kind.LOST, times=6, match="inventory/update")


def many(truth: Truth) -> None:
    """More than a till sells in one interval; and an order, just before we write."""
    truth.configured["mirror"] = {"enabled": True, "sale_max": 1}
    truth.sell(TEE, "Berlin", 3)
    truth.between = [Sale(TEE, "Hamburg", 1, till=False)]


def expired(truth: Truth) -> None:
    """The access token has run out; the refresh token is good for one refresh."""
    truth.made.tiktok.expire_access_token()
    truth.sell(TEE, "Berlin", 1)


def other_rules(truth: Truth) -> None:
    """One item is now sold beyond zero, and the share of the other is another one."""
    truth.made.shop.set_policy(MUG, "CONTINUE")
    truth.unlimited = {MUG}
    truth.percent = 80
    truth.configured["tiktok"] = {"percent": 80}
    truth.sell(TEE, "Berlin", 1)


DOWN = (Sale(TEE, "Hamburg", 2), Sale(TEE, "Berlin", 1))
THE_SAME = (Sale(TEE, "Hamburg", 1),)
ORDERS = (Sale(TEE, "Hamburg", 2, till=False), Sale(TEE, "Berlin", 1, till=False))
MANY = (Sale(TEE, "Hamburg", 2),)

TWO_PASSES = "a crash divides a pass in two, and with it an import that fell into the pass"

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("first baseline, first push", nothing, fresh=True, baseline=False),
    Scenario("one sale", one_sale),
    Scenario("one sale, more while down", one_sale, locations=2, down=DOWN),
    Scenario("the same sale while down", one_sale, locations=2, down=THE_SAME),
    Scenario("two sales, one before the write", two_sales),
    Scenario("two sales, more while down", two_sales, down=DOWN),
    Scenario("a stale row", stale),
    Scenario("a stale row, more while down", stale, down=DOWN),
    Scenario("lost answers", lost),
    Scenario("lost answers, more while down", lost, locations=2, down=DOWN),
    Scenario("no answer until patience ends", silent),
    Scenario("repeated keys are evaluated again", lost, server="repeated keys evaluated again"),
    Scenario("keys are ignored", lost, locations=2, down=ORDERS, server="keys ignored"),
    Scenario("down for a minute, many sales", many, fresh=True, down=MANY, down_s=60.0),
    Scenario("a token refresh", expired),
    Scenario("a catalogue toggle, other rules", other_rules, fresh=True),
)

LIMITS: tuple[Scenario, ...] = (
    Scenario("an import, half before the write", imported, limit=TWO_PASSES),
)

BY_NAME = {scenario.name: scenario for scenario in (*SCENARIOS, *LIMITS)}
