"""The items of which Shopify's answers cannot be read: they wait, and are asked for in each pass.

They are kept over restarts, because the watermarks move on without them. They stand among the
things that were reported, so that each reason is reported once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import NamedTuple

from invsyncd.store.database import Database, Tx, fetch
from invsyncd.store.meta import Reported

SUBJECT = "unreadable"


class Part(StrEnum):
    """What of an item cannot be read."""

    LEVELS = "levels"
    CATALOGUE = "catalogue"


class Unread(NamedTuple):
    """One part of an item that cannot be read, and why."""

    part: Part
    item: int
    why: str

    @property
    def key(self) -> tuple[Part, int]:
        """What it is about, whatever the reason."""
        return self.part, self.item


def unread(part: Part, aside: Mapping[int, str]) -> tuple[Unread, ...]:
    """What of these items cannot be read; `aside` gives the reasons by item."""
    return tuple(Unread(part, item, why) for item, why in aside.items())


_QUESTION = "SELECT name FROM told WHERE subject = ? ORDER BY name"


class Unreadable:
    """What cannot be read now."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._reported = Reported()

    async def all(self) -> list[Unread]:
        """Everything that could not be read when it was last asked for."""
        return [_unread(row[0]) for row in await self._db.rows(_QUESTION, (SUBJECT,))]

    async def note(
        self, tx: Tx, found: Collection[Unread], readable: Collection[tuple[Part, int]]
    ) -> list[Unread]:
        """Save what cannot be read, and forget what can again. Returns what is new or changed."""
        over = {*readable, *(one.key for one in found)}
        known = [_unread(row[0]) for row in await fetch(tx, _QUESTION, (SUBJECT,))]
        now = [*found, *(one for one in known if one.key not in over)]
        names = [f"{one.part.value} {one.item} {one.why}" for one in now]
        return [_unread(name) for name in await self._reported.changed(tx, SUBJECT, names)]


def _unread(name: str) -> Unread:
    part, item, why = name.split(" ", 2)
    return Unread(Part(part), int(item), why)
