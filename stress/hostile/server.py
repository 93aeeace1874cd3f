"""A middleware that changes a given number of the sandbox's answers."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from invsyncd.sandbox.faults import Faults
from invsyncd.shopify import documents
from stress.hostile.mutations import Raw, mutated, mutated_lines

_SHOPIFY = {op: text.split("(")[0].split("{")[0].split()[1] for op, text in documents.ALL.items()}
Stamp = Callable[[web.Request, web.StreamResponse], Awaitable[None]]

_TIKTOK = {
    "SHOPS": "/authorization/202309/shops",
    "WAREHOUSES": "/logistics/202309/warehouses",
    "LISTINGS": "/products/search",
    "STOCK": "/inventory/search",
    "UPDATE": "/inventory/update",
    "TOKEN": "/api/v2/token/",
    "PRODUCT": "/product/202309/products/",
}


async def op_of(request: web.Request) -> str:
    """Which operation a request is for, in our clients' words."""
    if request.path.endswith("/graphql.json"):
        text = await request.text()
        return next(
            (op for op, name in _SHOPIFY.items() if f" {name}(" in text or f" {name} " in text), ""
        )
    if request.path.endswith("/oauth/access_token"):
        return "TOKEN"
    if "/bulk-operation-outputs/" in request.path:
        return "SCAN_FILE"
    return next((op for op, part in _TIKTOK.items() if part in request.path), "")


class Hostile(Faults):
    """Changes the next answers of one operation. `meanwhile` happens before one is handled."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: list[Raw] = []
        self.meanwhile: Callable[[], None] | None = None
        self._dice = random.Random(0)
        self._op, self._left = "", 0

    def arm(self, op: str, times: int, dice: random.Random) -> None:
        """Change so many answers of `op`, from the next one on."""
        self._op, self._left, self._dice, self.changed = op, times, dice, []

    def disarm(self) -> None:
        """Be honest again."""
        self._left, self.meanwhile = 0, None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let it be handled, then change the answer if it is one of those."""
        ours = bool(self._left) and await op_of(request) == self._op
        if ours and self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None
        answer = await super().middleware(request, handler)
        if not ours or not isinstance(answer, web.Response) or not isinstance(answer.body, bytes):
            return answer
        self._left -= 1
        count = self._dice.choices((1, 2, 3), (6, 2, 1))[0]
        change = mutated_lines if self._op == "SCAN_FILE" else mutated
        raw = change(self._dice, Raw(answer.status, answer.body), count)
        self.changed.append(raw)
        headers = {k: v for k, v in raw.headers.items() if "\x1b" not in v and k != "Date"}
        # What only a raw socket can send (1xx, ESC in a header) is for the tests with sockets.
        status = raw.status if 200 <= raw.status < 999 else 502
        made = web.Response(status=status, body=raw.body, headers=headers)
        if "Date" in raw.headers:
            request["date"] = raw.headers["Date"]
        return made


def stamped(original: Stamp) -> Stamp:
    """The fake's own stamp on every answer; a changed Date has the last word."""

    async def stamp(request: web.Request, response: web.StreamResponse) -> None:
        await original(request, response)
        if "date" in request:
            response.headers["Date"] = request["date"]

    return stamp
