"""A model of the best-known mirror: Mechanic's "Keep variant inventory in sync across locations".

What the task does is public. For each inventory level that changed, including its own changes, the
task makes one query of the item's levels. If the value is not the one that the task remembers for
this item (for 60 s), one mutation sets every other level to that value. Since 2026 the mutation
names the values that were read, and is refused as a whole if one is stale; nothing is tried again.

The model uses the same server as the daemon, and pays by the same rule, but shares no code with the
daemon. All its assumptions favour the task: no event is lost, doubled or out of order, an event
arrives after 0.2 to 2 s, and a run without points waits for them as long as it takes.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from invsyncd.sandbox.serve import Sandbox

REMEMBERED_S = 60.0
EVENT_S = (0.2, 2.0)  # from a change until its run may begin
RUNS_AT_ONCE = 10
CHECK_S = 0.1  # between two checks for changes to report
VERSION = "2026-10"

QUERY = """
query Look($level: ID!) {
  inventoryLevel(id: $level) {
    item {
      id
      variant { legacyResourceId product { productType } }
      inventoryLevels(first: 100) {
        nodes { id location { id } quantities(names: ["available"]) { quantity } }
      }
    }
  }
}
"""
MUTATION = """
mutation Level($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    userErrors { code field message }
  }
}
"""


@dataclass
class Mechanic:
    """The running task. `clock` gives Unix seconds."""

    made: Sandbox
    url: str
    clock: Callable[[], float]
    session: aiohttp.ClientSession
    dice: random.Random
    refused: int = 0
    """The number of mutations that were refused as stale."""

    def __post_init__(self) -> None:
        self._reported = len(self.made.shop.adjustments)
        self._events: list[tuple[float, int, int, int]] = []
        self._numbers = itertools.count()
        self._remembered: dict[str, tuple[float, int]] = {}
        self._running: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether an event or a run is on its way."""
        behind = self._reported < len(self.made.shop.adjustments)
        return behind or bool(self._events or self._running)

    async def run(self) -> None:
        """Start a run of the task for every change of `available`."""
        while True:
            adjustments = self.made.shop.adjustments
            for one in itertools.islice(adjustments, self._reported, None):
                if one.name == "available":
                    due = one.time + self.dice.uniform(*EVENT_S)
                    event = (due, next(self._numbers), one.item, one.location)
                    heapq.heappush(self._events, event)
            self._reported = len(adjustments)
            while self._begins_now():
                _, _, item, location = heapq.heappop(self._events)
                run = asyncio.create_task(self._one(item, location))
                self._running.add(run)
                run.add_done_callback(self._running.discard)
            await asyncio.sleep(CHECK_S)

    def _begins_now(self) -> bool:
        due = bool(self._events) and self._events[0][0] <= self.clock()
        return due and len(self._running) < RUNS_AT_ONCE

    async def _one(self, item: int, location: int) -> None:
        """Make one run, for the level that an event names."""
        number = self.made.shop.locations[location].number
        source = f"gid://shopify/InventoryLevel/{number}?inventory_item_id={item}"
        found = (await self._send(QUERY, level=source))["inventoryLevel"]["item"]
        levels = {one["id"]: one for one in found["inventoryLevels"]["nodes"]}
        value = levels[source]["quantities"][0]["quantity"]
        key = found["variant"]["legacyResourceId"]
        until, remembered = self._remembered.get(key, (0.0, None))
        if len(levels) < 2 or (self.clock() < until and remembered == value):
            return
        self._remembered[key] = (self.clock() + REMEMBERED_S, value)
        changes = [
            {
                "inventoryItemId": found["id"],
                "locationId": one["location"]["id"],
                "delta": value - one["quantities"][0]["quantity"],
                "changeFromQuantity": one["quantities"][0]["quantity"],
            }
            for one in levels.values()
            if one["quantities"][0]["quantity"] != value
        ]
        if changes:
            given = {"name": "available", "reason": "correction", "changes": changes}
            token = f"{self.dice.getrandbits(128):032x}"
            answer = await self._send(MUTATION, input=given, key=token)
            self.refused += bool(answer["inventoryAdjustQuantities"]["userErrors"])

    async def _send(self, document: str, **variables: Any) -> dict[str, Any]:
        """Send a document, again and again until there are points for it."""
        headers = {"X-Shopify-Access-Token": "shpat_sandbox"}
        request = {"query": document, "variables": variables}
        url = f"{self.url}/admin/api/{VERSION}/graphql.json"
        while True:
            async with self.session.post(url, json=request, headers=headers) as answer:
                body: dict[str, Any] = await answer.json()
            cost = body["extensions"]["cost"]
            if body.get("data"):
                data: dict[str, Any] = body["data"]
                return data
            points = cost["throttleStatus"]
            missing = cost["requestedQueryCost"] - points["currentlyAvailable"]
            wait_s = max(missing, 1) / points["restoreRate"]
            await asyncio.sleep(wait_s * RUNS_AT_ONCE * self.dice.uniform(0.5, 1.0))


@asynccontextmanager
async def at_work(
    made: Sandbox, url: str, clock: Callable[[], float], seed: int
) -> AsyncIterator[Mechanic]:
    """Run the task until the block ends."""
    async with aiohttp.ClientSession() as session:
        mechanic = Mechanic(made, url, clock, session, random.Random(seed))
        loop = asyncio.create_task(mechanic.run())
        try:
            yield mechanic
        finally:
            loop.cancel()
            await asyncio.wait({loop})
