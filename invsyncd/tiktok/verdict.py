"""What became of an update: which SKUs were not written, and why. Pure.

The errors come under code 0 (documented): an update is no success until they were read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from invsyncd.net.decode import Shape, excerpt
from invsyncd.tiktok.codes import WRAPPER, Trouble, seriousness, trouble
from invsyncd.tiktok.parse import optional_id, optional_items, optional_text

Shown = Callable[[object], str]


@dataclass(frozen=True, slots=True)
class SkuError:
    """Why one SKU was not written: the most serious reason of those that were given.

    `warehouses` are the ids of all that were named as refused; empty where none was. `reasons` are
    (warehouse id, code) of each reason that named one.
    """

    code: int
    message: str
    trouble: Trouble
    warehouses: tuple[str, ...] = ()
    reasons: tuple[tuple[str, int], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """What became of an update: the SKUs that were not written; all others were."""

    errors: dict[str, SkuError] = field(default_factory=dict)
    request_id: str = ""


def update_errors(
    data: Shape, sku_ids: Iterable[str], shown: Shown = excerpt
) -> dict[str, SkuError]:
    """The errors of an update by SKU; one that names no SKU is everyone's.

    `shown` makes a foreign text fit to be shown.
    """
    written = list(sku_ids)
    reasons: dict[str, list[SkuError]] = {}
    for entry in optional_items(data, "errors"):
        detail = entry.maybe("detail")
        named = "" if detail is None else optional_id(detail, "sku_id")
        for sku_id in [named] if named else written:
            reasons.setdefault(sku_id, []).extend(_reasons(entry, detail, shown))
    return {sku_id: _most_serious(found) for sku_id, found in reasons.items()}


def _reasons(entry: Shape, detail: Shape | None, shown: Shown) -> list[SkuError]:
    """The reason of an entry and those inside it; the wrapper itself is none, if it has any."""
    inner = [] if detail is None else optional_items(detail, "extra_errors")
    outer = _reason(entry, shown)
    found = [_reason(one, shown, optional_id(one, "warehouse_id")) for one in inner]
    return found if found and outer.code == WRAPPER else [outer, *found]


def _reason(entry: Shape, shown: Shown, warehouse: str = "") -> SkuError:
    code, said = entry.at("code").whole(), optional_text(entry, "message")
    message = said + (f" (warehouse {warehouse})" if warehouse else "")
    named = (warehouse,) if warehouse else ()
    reasons = ((warehouse, code),) if warehouse else ()
    return SkuError(code, shown(message), trouble(code, said), named, reasons)


def _most_serious(reasons: list[SkuError]) -> SkuError:
    """The first of the most serious ones, with every warehouse that has the same code."""
    worst = min(reasons, key=lambda reason: seriousness(reason.trouble))
    same = (reason for reason in reasons if reason.code == worst.code)
    named = dict.fromkeys(warehouse for reason in same for warehouse in reason.warehouses)
    by_warehouse = dict.fromkeys(pair for reason in reasons for pair in reason.reasons)
    return SkuError(worst.code, worst.message, worst.trouble, tuple(named), tuple(by_warehouse))
