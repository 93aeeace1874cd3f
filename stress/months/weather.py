"""The faults and their ends: networks, servers, tokens, limits, clocks and the process."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable

from aiohttp import web

from invsyncd.sandbox.faults import Faults, Kind, _Fault, _operation
from invsyncd.sandbox.serve import Sandbox
from stress.months.life import Machine
from stress.months.machine import Network, Road
from stress.months.schedule import Fault
from tests.support import virtual

SHOPIFY_PORT, TIKTOK_PORT = 8001, 8002
BETWEEN, BETWEEN_IN_TROUBLE = 0.1, 0.6  # of our writes, before which somebody buys
SLOW_TIKTOK = {"list": 0.5, "detail": 0.2, "stock": 0.2, "write": 0.1}  # requests per second
STUTTERS = (
    Kind.LOST,
    Kind.SLOW,
    Kind.GARBLED,
    Kind.ERROR_AFTER,
    Kind.ERROR_BEFORE,
    Kind.TOO_MANY,
    Kind.THROTTLED,
)


class Weather(Faults):
    """Faults by chance instead of on order. `share` is the part of all requests that is struck.

    A token refresh is spared unless all are struck: of a lost answer there the seller has to log
    in again (known limit of the grant, not of invsyncd), which is a fault of its own here.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.share = 0.0
        self.down = False
        self.between: Callable[[random.Random], None] = lambda _dice: None
        """Somebody who buys between our reading and our write."""
        self.on_write: Callable[[], None] = lambda: None
        self._dice = random.Random(seed)

    async def _next(self, request: web.Request) -> _Fault | None:
        if self.down:
            return _Fault(Kind.ERROR_BEFORE, 1, "", 1.0, 0.0)
        share = self.share
        if await _writes(request):
            if self._dice.random() < (BETWEEN_IN_TROUBLE if share else BETWEEN):
                self.between(self._dice)
            self.on_write()
            share = min(share * 3, 0.8)
        if not share or "token" in request.path or self._dice.random() >= share:
            return None
        delay_s = self._dice.choice((2.0, 20.0, 40.0))
        kinds = (*STUTTERS, Kind.LOST, Kind.LOST) if share > self.share else STUTTERS
        return _Fault(self._dice.choice(kinds), 1, "", 1.0, delay_s)


async def _writes(request: web.Request) -> bool:
    if request.path.endswith("/inventory/update"):
        return True
    return "inventorySetQuantities" in await _operation(request)


class Sky:
    """Lets faults happen. `log_in` is the seller, who consents anew."""

    def __init__(
        self, made: Sandbox, network: Network, machine: Machine, log_in: Callable[[], None]
    ) -> None:
        self.fired: Counter[str] = Counter()
        self.live: Counter[str] = Counter()
        self.last_end = 0.0
        self._made, self._network, self._machine = made, network, machine
        self._log_in = log_in
        self._over: list[Fault] = []

    def begin(self, fault: Fault) -> None:
        """It breaks."""
        self.fired[fault.kind] += 1
        self.live[fault.kind] += 1
        self._set(fault, on=True)

    def end(self, fault: Fault) -> None:
        """It is mended, unless another of its kind still lasts."""
        self.live[fault.kind] -= 1
        self.last_end = virtual.clock()
        self._set(fault, on=bool(self.live[fault.kind]))

    def is_out(self, side: str) -> bool:
        """Whether one API cannot be used at all."""
        return any(
            self.live[f"{side} {what}"]
            for what in ("refuses connections", "answers 5xx", "is silent", "is gone for a day")
        )

    def _set(self, fault: Fault, *, on: bool) -> None:
        side, _, what = fault.kind.partition(" ")
        match side:
            case "shopify" | "tiktok":
                self._api(side, what, fault, on=on)
            case "the":
                back = -1 if what.endswith("back") else 1
                jump = (60 + fault.size**3 * 4 * 3600) * back
                self._machine.skew_s = jump if on else 0.0
            case "restart" if on:
                self._machine.stop(fault.seconds)
            case "kill" if on:
                at_a_write = fault.dice % 4 > 0
                events = 1 + fault.dice % (20 if at_a_write else 60)
                self._machine.kill(events, fault.seconds, at_a_write=at_a_write)
            case _:
                pass

    def _api(self, side: str, what: str, fault: Fault, *, on: bool) -> None:
        made = self._made
        weather = made.shopify_faults if side == "shopify" else made.tiktok_faults
        assert isinstance(weather, Weather)
        match what:
            case "answers 5xx":
                weather.down = on
            case "stutters":
                weather.share = 0.02 + 0.3 * fault.size if on else 0.0
            case "refuses connections" | "is silent" | "is gone for a day":
                port = SHOPIFY_PORT if side == "shopify" else TIKTOK_PORT
                self._network.turn(port, self._road(side))
            case "bucket is crowded":
                made.shopify.bucket.restore = 5.0 if on else 100.0
            case "throttles":
                for one, rate in SLOW_TIKTOK.items():
                    made.tiktok.throttle.limit(one, rate if on else None)
            case _:
                self._tokens(what, on=on)

    def _tokens(self, what: str, *, on: bool) -> None:
        made = self._made
        match what:
            case "revokes the token" if on:
                made.shopify.revoke()
            case "expires the token" if on:
                made.tiktok.expire_access_token()
            case "consent is withdrawn" if on:
                made.tiktok.expire_access_token()
                made.tiktok.revoke_refresh_token()
            case "consent is withdrawn":
                self._log_in()
            case _:
                pass

    def _road(self, side: str) -> Road:
        if self.live[f"{side} is silent"]:
            return Road.SILENT
        shut = self.live[f"{side} refuses connections"] + self.live[f"{side} is gone for a day"]
        return Road.REFUSED if shut else Road.OPEN

    async def crowd(self) -> None:
        """Other apps, that empty Shopify's bucket on crowded days."""
        while True:
            await asyncio.sleep(30.0)
            if self.live["shopify bucket is crowded"]:
                bucket, now = self._made.shopify.bucket, self._made.shop.now()
                bucket.take(bucket.available(now) * 0.9, now)
