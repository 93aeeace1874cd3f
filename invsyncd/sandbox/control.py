"""Lets people act in the sandbox's shop, and play an outage, over HTTP from a shell.

curl -X POST "http://127.0.0.1:PORT/sandbox/sell?sku=ITEM-0001&location=Berlin&units=2"
curl -X POST "http://127.0.0.1:PORT/sandbox/down?side=tiktok&seconds=60"
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from invsyncd.sandbox.faults import Faults, Kind
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.text import plural

Act = Callable[[Shop, Marketplace, str, str, int], None]

ACTS: Mapping[str, Act] = {
    "sell": lambda shop, _, sku, place, units: shop.sell_online(sku, place, units),
    "till": lambda shop, _, sku, place, units: shop.sell_till(sku, place, units),
    "cancel": lambda shop, _, sku, place, units: shop.cancel(sku, place, units),
    "fulfil": lambda shop, _, sku, place, units: shop.fulfil(sku, place, units),
    "receive": lambda shop, _, sku, place, units: shop.receive(sku, place, units),
    "expect": lambda shop, _, sku, place, units: shop.expect(sku, place, units),
    "arrive": lambda shop, _, sku, place, units: shop.arrive(sku, place, units),
    "draft": lambda shop, _, sku, place, units: shop.draft_order(sku, place, units),
    "damage": lambda shop, _, sku, place, units: shop.set_aside(sku, place, units, "damaged"),
    "count": lambda shop, _, sku, place, units: shop.count(sku, place, units),
    "tiktok-sell": lambda _, market, sku, place, units: market.sell(sku, place, units),
    "tiktok-edit": lambda _, market, sku, place, units: market.edit(sku, place, units),
}

FAULTS: Final = ("429", "down", "lost-answer", "up")
SECONDS_MAX = 3600.0


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two fakes: its faults, the paths of its API, and its writes."""

    faults: Faults
    api: str
    write: str


class Control:
    """What people can do in the sandbox."""

    def __init__(
        self, shop: Shop, market: Marketplace, warehouse: str, sides: Mapping[str, Faults]
    ) -> None:
        self._shop, self._market, self._warehouse = shop, market, warehouse
        self._sides = {
            "shopify": Side(sides["shopify"], "/admin/", "inventorySetQuantities"),
            # Its own console is on the other port: every path here is the API's.
            "tiktok": Side(sides["tiktok"], "/", "/inventory/update"),
        }

    async def act(self, request: web.Request) -> web.Response:
        """POST /sandbox/ACT: sku, location (or warehouse), units; or side, times, seconds."""
        name = request.match_info["act"]
        try:
            if name in FAULTS:
                return _answer({"done": self._break(name, request.query)})
            return _answer(self._do(name, request.query))
        except (LookupError, ValueError) as error:
            return _answer({"error": str(error.args[0] if error.args else error)}, status=400)

    def _do(self, name: str, query: Mapping[str, str]) -> dict[str, object]:
        if name not in ACTS:
            known = ", ".join((*sorted(ACTS), *FAULTS))
            raise ValueError(f"there is no act {name!r}; the acts are: {known}")
        at_tiktok = name.startswith("tiktok-")
        place = query.get("location", query.get("warehouse", self._warehouse if at_tiktok else ""))
        sku, units = query.get("sku", ""), _whole("units", query, 1)
        try:
            self._shop.item(sku)
        except LookupError:
            raise ValueError(f"no item has the SKU {sku!r}; write it as in sku=ITEM-0001") from None
        names = [location.name for location in self._shop.locations.values()]
        if not at_tiktok and place not in names:
            raise ValueError(f"no location is called {place!r}; write location={'|'.join(names)}")
        ACTS[name](self._shop, self._market, sku, place, units)
        levels = {
            location.name: self._shop.available(sku, location.name)
            for location in self._shop.locations.values()
        }
        shown = self._market.available(sku, self._warehouse)
        return {"sku": sku, "available": levels, "tiktok": shown}

    def _break(self, name: str, query: Mapping[str, str]) -> str:
        """Order a fault of one side, or end all of them; returns what will happen."""
        if name == "up":
            for one in self._sides.values():
                one.faults.clear()
            return "both sides are well again"
        word = query.get("side", "shopify")
        if word not in self._sides:
            raise ValueError(f"side is shopify or tiktok, not {word!r}")
        side, times = self._sides[word], _whole("times", query, 1)
        seconds = float(_whole("seconds", query, 60))
        if times < 1 or not 0 < seconds <= SECONDS_MAX:
            raise ValueError(f"times begin at 1, and seconds end at {SECONDS_MAX:g}")
        if name == "429":
            side.faults.add(Kind.TOO_MANY, times=times, match=side.api)
            return f"{word} answers the next {plural(times, 'request')} with 429"
        if name == "down":
            side.faults.add(Kind.ERROR_BEFORE, match=side.api, for_s=seconds)
            return f"{word} is down for {seconds:g} s, or until up"
        side.faults.add(Kind.LOST, times=times, match=side.write)
        return f"{word} carries out the next {plural(times, 'write')}; no answer will arrive"


def _answer(body: Mapping[str, object], status: int = 200) -> web.Response:
    """JSON with a line end: a shell's prompt must not stand behind it."""
    text = json.dumps(body, ensure_ascii=False) + "\n"
    return web.Response(text=text, content_type="application/json", status=status)


def _whole(name: str, query: Mapping[str, str], default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise ValueError(f"{name} is a whole number, not {text!r}")
    return int(text)


def greeting(urls: tuple[str, str], program: str, config: str, *, page: str, location: str) -> str:
    """What `invsyncd sandbox` prints: the commands, the acts and the faults, ready to be pasted."""
    shopify, tiktok = urls
    sku = "ITEM-0001"
    post = f'curl -X POST "{shopify}/sandbox'
    return f"""\
In a second terminal:
  {program} --config {config} check               what is wrong with the set-up
  {program} --config {config} once --dry-run      what a first pass would write
  {program} --config {config} run                 the daemon
  {program} --config {config} status              what is owed, and why
  {program} --config {config} explain {sku}   why its numbers are so
While it runs, its page is at {page}

Be the people of the shop: an online order, a till sale, a count, a buyer on TikTok.
  {post}/sell?sku={sku}&location={location}"
  {post}/till?sku={sku}&location={location}&units=2"
  {post}/count?sku={sku}&location={location}&units=40"
  {post}/tiktok-sell?sku={sku}"

Play an outage of side=shopify or side=tiktok: five times "too many requests"; no good
answer for a minute; the next write is done and its answer lost. `up` ends all of it.
  {post}/429?side=shopify&times=5"
  {post}/down?side=tiktok&seconds=60"
  {post}/lost-answer?side=shopify"
  {post}/up"

Set it up by questions instead, in an empty folder. The shop is sandbox, the client ID
sandbox-client, its secret sandbox-secret, the app key sandbox-app, its secret
sandbox-app-secret, the service ID 7000000000000000042.
  {program} init --shopify-endpoint {shopify} \\
    --tiktok-endpoint {tiktok}

Ctrl-C ends the sandbox."""
