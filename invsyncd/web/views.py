"""Answers each path: health for monitors, metrics for Prometheus, pages for people."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import web

from invsyncd import __version__
from invsyncd.core.model import Target
from invsyncd.errors import InvsyncError, StateError
from invsyncd.explain.gather import explain_name
from invsyncd.metrics import CONTENT_TYPE, Metrics
from invsyncd.planning.rulebook import Rulebook
from invsyncd.status.health import Health
from invsyncd.status.today import Today
from invsyncd.store import Store
from invsyncd.web.document import facts, rules_json, with_listings
from invsyncd.web.explain_page import explained_page, missing_page, unknown_page
from invsyncd.web.html import POLICY
from invsyncd.web.page import status_page
from invsyncd.web.stock import ALIKE_MAX, FIRST_ROWS, ROWS_MAX, StockQuery, stock_json
from invsyncd.web.stock_page import stock_page

JOURNAL_MAX = 1000
_WAY_BACK = "Try: / is the status page, /stock the stock list"


class Window:
    """What the server may read; a reload replaces the whole window."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        health: Health,
        rulebook: Rulebook,
        shop: str = "",
        *,
        wake: Callable[[], None] = lambda: None,
        actions: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.metrics = metrics
        self.health = health
        self.rulebook = rulebook
        self.shop = shop
        self.today = Today(store)
        self.actions = actions
        self.clock = clock
        self.wake = wake
        """Begins the next pass at once, for what a person asked for on a page."""

    async def livez(self, _: web.Request) -> web.StreamResponse:
        """Whether every job makes progress."""
        alive = self.health.live()
        return web.Response(text="ok\n" if alive else "hung\n", status=200 if alive else 503)

    async def readyz(self, _: web.Request) -> web.StreamResponse:
        """Whether everything is as it should be, and every reason if not."""
        ready, document = self.health.document()
        document["version"] = __version__
        return web.json_response(
            document, status=200 if ready else 503, content_type="application/health+json"
        )

    async def scrape(self, _: web.Request) -> web.StreamResponse:
        """The metrics in Prometheus' text format."""
        ready, _document = self.health.document()
        self.metrics.ready.set(ready)
        self.metrics.tasks.set(len(asyncio.all_tasks()))
        for target in Target:
            health = self.health.targets.get(target)
            if health is not None:
                self.metrics.authorised.labels(target.value).set(health.authorised)
                self.metrics.undelivered.labels(target.value).set(health.owed)
                since = self.metrics.undelivered_since.labels(target.value)
                since.set(health.oldest_undelivered or 0)
                self.metrics.paused.labels(target.value).set(bool(health.paused))
        return web.Response(body=self.metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def status(self, _: web.Request) -> web.StreamResponse:
        """The document of the status page, with all held items and the listings."""
        found = await facts(self.store, self.health, self.shop, time.time(), self.rulebook)
        return web.json_response(await with_listings(found, self.store, self.rulebook))

    async def journal(self, request: web.Request) -> web.StreamResponse:
        """The newest lines of the journal: ?sku=…&limit=…"""
        text = request.query.get("limit", "50")
        if not (re.fullmatch("[0-9]{1,4}", text) and 1 <= int(text) <= JOURNAL_MAX):
            raise web.HTTPBadRequest(text=f"limit must be a number from 1 to {JOURNAL_MAX}")
        rows = await self.store.journal.read(sku=request.query.get("sku"), limit=int(text))
        return web.json_response({"journal": rows})

    async def explain(self, request: web.Request) -> web.StreamResponse:
        """Why each number of a SKU is what it is."""
        sku = request.match_info["sku"]
        found = await self._explained(sku)
        if found is None:
            return web.json_response({"error": f"no item has the SKU {sku!r}"}, status=404)
        return web.json_response(found)

    async def page(self, _: web.Request) -> web.StreamResponse:
        """The status page."""
        now = time.time()
        found = await facts(self.store, self.health, self.shop, now, self.rulebook)
        found["actions"] = self.actions
        with suppress(StateError):  # the health reports it
            found["stock"] = await self._stock(StockQuery(), FIRST_ROWS, now)
            found["rules"] = await rules_json(self.store, self.rulebook)
            found["today"] = await self.today.as_json(now, self.rulebook.sale_max)
        return _html(status_page(found))

    async def stock_page(self, request: web.Request) -> web.StreamResponse:
        """The stock list: ?search=…&filter=…&after=…"""
        now = time.time()
        found = await self._stock(StockQuery.of(request.query), ROWS_MAX, now)
        return _html(stock_page(found, self.shop, now, tiktok=Target.TIKTOK in self.health.targets))

    async def stock(self, request: web.Request) -> web.StreamResponse:
        """The document of the stock list."""
        query = StockQuery.of(request.query)
        return web.json_response(await self._stock(query, ROWS_MAX, time.time()))

    async def skus(self, request: web.Request) -> web.StreamResponse:
        """SKUs that contain what somebody types: ?search=…"""
        text = request.query.get("search", "")
        return web.json_response({"skus": await self.store.stock.like(text, ALIKE_MAX)})

    async def _stock(self, query: StockQuery, rows_max: int, now: float) -> dict[str, Any]:
        return await stock_json(self.store, self.rulebook, query, rows_max, int(now))

    async def explain_page(self, request: web.Request) -> web.StreamResponse:
        """The answer of `explain` as a page: /explain/SKU, or /explain?sku=SKU from the form."""
        sku = request.match_info.get("sku") or request.query.get("sku", "")
        found = await self._explained(sku) if sku else None
        if found is None:
            alike = await self.store.stock.like(sku, ALIKE_MAX) if sku else []
            return _html(unknown_page(sku, alike, self.shop), 404 if sku else 200)
        return _html(explained_page(found, self.shop, time.time(), actions=self.actions))

    async def missing(self, request: web.Request) -> web.StreamResponse:
        """An address that leads nowhere: a page for browsers, a line for programs."""
        if "text/html" in request.headers.get("Accept", ""):
            return _html(missing_page(self.shop), 404)
        # The address is not repeated: somebody may have pasted a secret one.
        raise web.HTTPNotFound(text=f"Error: there is no such page\n{_WAY_BACK}")

    async def _explained(self, sku: str) -> dict[str, Any] | None:
        try:
            rules = await self.rulebook.rules()
        except InvsyncError:
            rules = None
        return await explain_name(self.store, rules, sku, int(time.time()), self.health)


def _html(page: str, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=page.encode("utf-8", "replace"),
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": POLICY},
    )


ROUTES: Mapping[str, Callable[[Window, web.Request], Awaitable[web.StreamResponse]]] = {
    "/": Window.page,
    "/stock": Window.stock_page,
    "/explain": Window.explain_page,
    "/explain/{sku:.+}": Window.explain_page,
    "/livez": Window.livez,
    "/readyz": Window.readyz,
    "/healthz": Window.readyz,
    "/metrics": Window.scrape,
    "/api/status": Window.status,
    "/api/journal": Window.journal,
    "/api/stock": Window.stock,
    "/api/skus": Window.skus,
    "/api/explain/{sku:.+}": Window.explain,
    "/{path:.*}": Window.missing,
}
