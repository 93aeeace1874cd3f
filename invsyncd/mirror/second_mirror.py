"""Keeps what it takes to recognise another program that mirrors the same shop.

`core/second_mirror.py` decides; this file remembers, across restarts, how items changed lately.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, replace

from invsyncd.core.fold import Folded
from invsyncd.core.second_mirror import Happened, is_named, remembered
from invsyncd.planning.rules import Rules
from invsyncd.store import Store
from invsyncd.store.database import Tx

SECOND_MIRROR = "second_mirror"  # how items changed lately, as JSON rows of `Happened`


class SecondMirror:
    """What is kept to recognise another program that mirrors the same shop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._happened: list[Happened] = []
        self.is_named = False
        """Whether such a program was known when the last pass began to commit."""

    async def known(self, rules: Rules, now: int) -> Rules:
        """The rules, with whether such a program is known now; called before each `add`."""
        text = await self._store.meta.get(SECOND_MIRROR)
        self._happened = [Happened(*row) for row in json.loads(text or "[]")]
        self.is_named = is_named(self._happened, now)
        return replace(rules, merge=replace(rules.merge, second_mirror=self.is_named))

    async def add(self, tx: Tx, folded: Sequence[Folded], now: int) -> None:
        """Remember how the items of one pass changed."""
        echoes = [f.echoes for f in folded if f.echoes.locations]
        others = sum(1 for f in folded if f.changes and not f.echoes.locations and f.verdict)
        if echoes or others:
            lone, sure = sum(x.lone for x in echoes), sum(x.sure for x in echoes)
            happened = Happened(now, len(echoes), others, lone, sure)
            last = remembered(self._happened, happened)
            text = json.dumps([astuple(one) for one in last])
            await self._store.meta.set(tx, SECOND_MIRROR, text)
