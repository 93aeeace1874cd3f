"""Spoils a given share of answers at random."""

from __future__ import annotations

import random

from aiohttp import web

from invsyncd.sandbox.faults import Faults, Kind, _Fault


class Spoilt(Faults):
    """Spoils a `share` of all answers, each in one of these ways; none while it is 0."""

    def __init__(self, dice: random.Random, *kinds: Kind) -> None:
        super().__init__()
        self.share = 0.0
        self._dice, self._kinds = dice, kinds

    async def _next(self, request: web.Request) -> _Fault | None:
        if self._dice.random() < self.share:
            return _Fault(self._dice.choice(self._kinds), 1, "", 0.0, 0.0)
        return await super()._next(request)
