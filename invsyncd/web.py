"""The read-only HTTP side: health for monitors, metrics for Prometheus, a page for people.

Nothing here changes anything; only GET is answered.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from html import escape
from typing import Any

from aiohttp import web

from invsyncd import __version__
from invsyncd.engine.explain import explain
from invsyncd.engine.gist import gist
from invsyncd.engine.health import Health
from invsyncd.engine.listing_report import listings_json
from invsyncd.engine.rulebook import Rulebook
from invsyncd.errors import ConfigError, InvsyncError
from invsyncd.metrics import CONTENT_TYPE, Metrics
from invsyncd.store import Store
from invsyncd.sync.model import Target

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
JOURNAL_MAX = 1000


class Window:
    """What the server may look at; replaced as a whole by a reload."""

    def __init__(self, store: Store, metrics: Metrics, health: Health, rulebook: Rulebook) -> None:
        self.store = store
        self.metrics = metrics
        self.health = health
        self.rulebook = rulebook

    async def livez(self, _: web.Request) -> web.StreamResponse:
        """Whether the loop turns."""
        alive = self.health.live()
        return web.Response(text="ok\n" if alive else "hung\n", status=200 if alive else 503)

    async def readyz(self, _: web.Request) -> web.StreamResponse:
        """Whether everything is as it should be, with every reason where it is not."""
        ready, document = self.health.document()
        document["version"] = __version__
        return web.json_response(
            document, status=200 if ready else 503, content_type="application/health+json"
        )

    async def scrape(self, _: web.Request) -> web.StreamResponse:
        """Prometheus."""
        ready, _document = self.health.document()
        self.metrics.ready.set(ready)
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
        """What the daemon says of itself."""
        found = {"version": __version__, **self.health.status()}
        if Target.TIKTOK in self.health.targets:
            with suppress(ConfigError):  # named among the reasons
                found["listings"] = await listings_json(self.store, self.rulebook)
        return web.json_response(found)

    async def journal(self, request: web.Request) -> web.StreamResponse:
        """The newest lines of the record: ?sku=…&limit=…"""
        text = request.query.get("limit", "50")
        if not (re.fullmatch("[0-9]{1,4}", text) and 1 <= int(text) <= JOURNAL_MAX):
            raise web.HTTPBadRequest(text=f"limit is a number from 1 to {JOURNAL_MAX}\n")
        rows = await self.store.journal.read(sku=request.query.get("sku"), limit=int(text))
        return web.json_response({"journal": rows})

    async def explain(self, request: web.Request) -> web.StreamResponse:
        """Why each number of a SKU is what it is."""
        try:
            rules = await self.rulebook.rules()
        except InvsyncError:
            rules = None
        sku = request.match_info["sku"]
        found = await explain(self.store, rules, sku, int(time.time()))
        if found is None:
            return web.json_response({"error": f"no item has the SKU {sku!r}"}, status=404)
        return web.json_response(found)

    async def page(self, _: web.Request) -> web.StreamResponse:
        """The status page."""
        rows = await self.store.journal.read(limit=20)
        places = await self.store.locations.names()
        text = render(self.health.status(), list(reversed(rows)), places)
        return web.Response(text=text, content_type="text/html")


def render(status: Mapping[str, Any], rows: list[dict[str, Any]], places: Mapping[int, str]) -> str:
    """The page as HTML: no script, no build step; it asks to be loaded again."""
    state = "ready" if status["ready"] else "not ready"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in status["reasons"])
    targets = "".join(
        f"<tr><td>{escape(name)}</td><td>{'yes' if t['authorised'] else 'no'}</td>"
        f"<td>{t['undelivered']}</td><td>{escape(t['trouble'] or t['paused'] or '–')}</td></tr>"
        for name, t in status["targets"].items()
    )
    lines = "".join(
        "<tr>"
        f"<td>{time.strftime('%H:%M:%S', time.gmtime(row['at']))}</td>"
        f"<td>{escape(row['kind'])}</td><td>{escape(row['sku'])}</td>"
        f"<td>{escape(gist(row, places))}</td></tr>"
        for row in rows
    )
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<title>invsyncd: {state}</title><style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ text-align: left; padding: .2rem .6rem .2rem 0; vertical-align: top }}
</style><h1>invsyncd is {state}</h1><ul>{reasons}</ul>
<table><tr><th>target</th><th>authorised</th><th>owed</th><th>trouble</th></tr>{targets}</table>
<h2>Newest in the journal (UTC)</h2>
<table><tr><th>at</th><th>what</th><th>SKU</th><th>numbers</th></tr>{lines}</table>
<p>version {__version__}</p></html>"""


def guard(token: str | None) -> Any:
    """Ask for the token, where there is one; and add the headers that every answer carries."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if token is not None and not hmac.compare_digest(
            given.encode(), f"Bearer {token}".encode()
        ):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        response = await handler(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    return check


@asynccontextmanager
async def serving(
    look: Callable[[], Window], host: str, port: int, token: str | None
) -> AsyncIterator[int]:
    """Serve until the block ends; yields the port. `look` gives the window of the moment."""
    app = web.Application(middlewares=[guard(token)], client_max_size=0)
    routes: dict[str, Callable[[Window, web.Request], Awaitable[web.StreamResponse]]] = {
        "/": Window.page,
        "/livez": Window.livez,
        "/readyz": Window.readyz,
        "/healthz": Window.readyz,
        "/metrics": Window.scrape,
        "/api/status": Window.status,
        "/api/journal": Window.journal,
        "/api/explain/{sku:.+}": Window.explain,
    }

    def bound(method: Callable[[Window, web.Request], Awaitable[web.StreamResponse]]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await method(look(), request)

        return handle

    app.add_routes([web.get(path, bound(method)) for path, method in routes.items()])
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
