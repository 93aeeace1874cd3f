"""How many units a journal line says were sold: orders, and till sales as far as one can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invsyncd.core.journal import EntryKind
from invsyncd.core.merge import Case

_TILL = frozenset({Case.ONE, Case.ORDERS, Case.SALES, Case.ADDED})


def units_sold(line: Mapping[str, Any], sale_max: int) -> int:
    """The units of one line. A fall of more than `sale_max` may be a count, and is none.

    What the merge took for sales after a gap counts whatever its size. Cancelled orders take
    nothing off: what was sold was sold.
    """
    if line["kind"] != EntryKind.CHANGE:
        return 0
    case, sold = line.get("case"), 0
    for change in line.get("changes", ()):
        sold += max(-change.get("orders", 0), 0)
        fall = max(-change.get("stock", 0), 0)
        if case == Case.GAP or (case in _TILL and fall <= sale_max):
            sold += fall
    return sold
