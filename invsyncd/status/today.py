"""Today in numbers, counted from the journal since the machine's own midnight.

The journal only grows, so each look counts what came since the one before, and never more than
`LINES_MAX` lines: after a start in the middle of a busy day a few looks catch up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from invsyncd.core.journal import EntryKind
from invsyncd.core.sales import units_sold
from invsyncd.store import Store

LINES_MAX = 2_500  # some 10 ms of the processor


@dataclass(slots=True)
class _Count:
    """What was counted of the day that began at `midnight`, up to the line `line`."""

    midnight: int
    line: int
    sold: int = 0
    changes: int = 0
    corrections: int = 0
    writes: int = 0
    is_whole: bool = False


class Today:
    """The numbers of the day under way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = _Count(0, 0)

    async def as_json(self, now: float, sale_max: int) -> dict[str, Any]:
        """The numbers so far; `whole` is False while earlier lines of the day are not counted."""
        here = datetime.fromtimestamp(now, UTC).astimezone()
        begin = here.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0).astimezone()
        midnight = int(begin.timestamp())
        # Whoever asks at the same time counts for themselves: two must not add to one count.
        count = self._count
        if count.midnight != midnight:
            count = _Count(midnight, await self._store.journal.before(midnight))
        count = await self._counted(count, sale_max)
        self._count = count
        return {
            "since": midnight,
            "zone": here.tzname() or "",
            "sold": count.sold,
            "changes": count.changes,
            "corrections": count.corrections,
            "writes": count.writes,
            "whole": count.is_whole,
        }

    async def _counted(self, before: _Count, sale_max: int) -> _Count:
        found = await self._store.journal.following(before.line, LINES_MAX)
        return _Count(
            before.midnight,
            found.last,
            before.sold + sum(units_sold(line, sale_max) for line in found.changes),
            before.changes + len(found.changes),
            before.corrections + found.kinds.get(EntryKind.DRIFT.value, 0),
            before.writes + found.done,
            found.count < LINES_MAX,
        )
