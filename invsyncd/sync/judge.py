"""judge: what became of an attempt whose answer was lost, told from readings alone.

Only for attempts that may have been carried out and whose own key can no longer say so: the key
is older than Shopify keeps it, or it came back stale after a try without an answer. A call is
all or nothing (recorded), so every row that gives evidence speaks for all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from invsyncd.sync.model import Level, LevelWrite, Reading


def was_applied(
    rows: Sequence[LevelWrite],
    known: Mapping[tuple[int, int], Level],
    readings: Mapping[tuple[int, int], Reading],
) -> bool:
    """Whether the readings say that the rows were applied. Keys are (item, location).

    A row speaks for it when the reading, with the orders since then taken back out, shows `after`;
    against it when that shows `before`. Orders are known: they move `committed`. Where nothing
    speaks, it is taken as not applied: the pool then comes out lower rather than higher.
    """
    spoken = 0
    for row in rows:
        key = (row.item, row.location)
        if key not in readings or key not in known or row.before == row.after:
            continue
        orders = readings[key].committed - known[key].committed
        before_orders = readings[key].available + orders
        spoken += (before_orders == row.after) - (before_orders == row.before)
    return spoken > 0
