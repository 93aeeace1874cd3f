"""The sandbox's faults, and two more: pages that repeat old rows, and a hook at every request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from invsyncd.sandbox.faults import Faults
from stress.exactly.history import DUPLICATED


class Chaos(Faults):
    """Faults with a bell, which rings before and after each request is handled."""

    def __init__(self, bell: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.bell = bell
        self.duplicates = 0
        self._pages: dict[str, list[Any]] = {}

    @property
    def live(self) -> bool:
        """Whether anything is still to come."""
        return bool(self._live or self.duplicates)

    def clear(self) -> None:
        """Be well again."""
        super().clear()
        self.duplicates = 0

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Ring, let it be handled with whatever goes wrong, ring."""

        async def handled(request: web.Request) -> web.StreamResponse:
            return await self._repeating(request, await handler(request))

        self.bell()
        try:
            return await super().middleware(request, handled)
        finally:
            self.bell()

    async def _repeating(
        self, request: web.Request, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Put the rows of the page before into a page of a poll, older or not."""
        text = await request.text()
        # A page of a list and one of a poll have other rows: each repeats only its like.
        kind = next((one for one in ("Poll", "ListLevels") if f"query {one}" in text), "")
        if not kind or not isinstance(answer, web.Response):
            return answer
        said = json.loads(answer.text or "{}")
        for location, page in _pages(json.loads(text)["variables"], said.get("data") or {}):
            place = kind + location
            before, self._pages[place] = self._pages.get(place, []), list(page["edges"])
            if self.duplicates and before:
                self.duplicates -= 1
                self.fired[DUPLICATED] += 1
                page["edges"] += before
        answer.text = json.dumps(said)
        return answer


def _pages(asked: dict[str, Any], data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each location of an answer with its page of levels: of one location, or of many at once."""
    places = asked.get("locations") or [asked.get("location")]
    slots = data.get("nodes") or [data.get("location")]
    for place, slot in zip(places, slots, strict=True):
        if slot and slot.get("inventoryLevels"):
            yield place, slot["inventoryLevels"]
