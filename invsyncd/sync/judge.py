"""judge: what became of an attempt whose answer was lost, told from readings alone.

Only for attempts that may have been carried out and whose own key can no longer say so: the key
is older than Shopify keeps it, or it came back stale after a try without an answer. A call is
all or nothing (recorded), so every row that gives evidence speaks for all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from invsyncd.sync.diff import STAMP_S_MAX
from invsyncd.sync.model import Level, LevelWrite, Reading


def was_applied(
    rows: Sequence[LevelWrite],
    known: Mapping[tuple[int, int], Level],
    readings: Mapping[tuple[int, int], Reading],
) -> bool:
    """Whether the readings say that the rows were applied. Keys are (item, location).

    A row speaks for it when the reading shows `after`, with the orders since then taken back out;
    against it when that shows `before`. A new order raises committed by what it takes. Where
    committed fell, orders were cancelled or shipped, and only cancelled ones gave their units back:
    the row speaks if one of the two readings of it says something, and the other does not object.
    A level that was touched since and shows `before` says nothing: it may have come back there.
    Where nothing speaks, it is taken as not applied: the pool then comes out lower, not higher.
    """
    spoken = 0
    for row in rows:
        key = (row.item, row.location)
        if key not in readings or key not in known or row.before == row.after:
            continue
        moved = readings[key].committed - known[key].committed
        available = readings[key].available
        shown = {available + moved} if moved > 0 else {available, available + moved}
        speaks = row.after in shown
        objects = row.before in shown and (speaks or not _touched(known[key], readings[key]))
        spoken += speaks - objects
    return spoken > 0


def _touched(known: Level, reading: Reading) -> bool:
    return reading.updated_at > max(known.updated_at, known.confirmed_at + STAMP_S_MAX)
