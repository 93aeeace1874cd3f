"""Lets people act in the sandbox's shop over HTTP, to try things by hand from a shell.

curl -X POST "http://127.0.0.1:PORT/sandbox/sell?sku=ITEM-0001&location=Berlin&units=2"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.sandbox.tiktok.marketplace import Marketplace

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


async def act(shop: Shop, market: Marketplace, request: web.Request) -> web.Response:
    """POST /sandbox/ACT?sku=…&location=…&units=…; answers the available units per location."""
    name = request.match_info["act"]
    sku, place = request.query.get("sku", ""), request.query.get("location", "")
    try:
        ACTS[name](shop, market, sku, place, int(request.query.get("units", "1")))
        levels = {
            location.name: shop.available(sku, location.name)
            for location in shop.locations.values()
        }
    except (LookupError, ValueError) as error:
        known = ", ".join(sorted(ACTS))
        return web.json_response({"error": str(error), "acts": known}, status=400)
    return web.json_response({"sku": sku, "available": levels})
