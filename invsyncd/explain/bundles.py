"""Explains a bundle: what each of its components allows, and which is not known. Pure."""

from __future__ import annotations

from typing import Any

from invsyncd.core.bundles import BundlePart, unknown_parts
from invsyncd.core.model import ItemState, Offer
from invsyncd.core.plan import OfferPlan, parts_of
from invsyncd.explain.causes import Cause, Reason
from invsyncd.text import plain


def component_rows(
    state: ItemState, warehouse: str, plan: OfferPlan | None
) -> list[dict[str, Any]]:
    """Each component for the document; empty where the item's own levels decide."""
    if plan is None or not plan.counts_parts(state.item):
        return []
    return [
        {
            "item": part.item,
            "sku": _sku(state, part),
            "needed": part.needed,
            "stock": part.stock,
            "allows": part.allows,
            "says": _says(state, part),
        }
        for part in parts_of(state, warehouse, plan)
    ]


def base_text(state: ItemState, warehouse: str, plan: OfferPlan, units: int) -> str:
    """Where the units of a bundle come from."""
    parts = parts_of(state, warehouse, plan)
    each = "; ".join(_says(state, part) for part in parts)
    which = "" if not unknown_parts(parts) else " that are known"
    return f"the least that its components{which} allow ({each}): {plain(units)}"


def unlimited_text(units: int) -> str:
    """Why a bundle is unlimited."""
    return f"no component limits it, all are untracked or keep selling at 0: {plain(units)}"


def why_left(state: ItemState, known: Offer, name: str, plan: OfferPlan) -> Reason | None:
    """Why a bundle is left as it is; None where all of its components are known."""
    why = unknown_parts(parts_of(state, known.warehouse, plan))
    if not why or known.wanted not in (None, known.shown):
        return None
    text = f"{name} is left at {plain(known.shown)}, or lowered, and not raised: {why}"
    return Reason(Cause.UNKNOWN_COMPONENT, text)


def _says(state: ItemState, part: BundlePart) -> str:
    sku = _sku(state, part)
    name = f'"{sku}"' if sku else f"item {part.item}"
    if part.unknown:
        return f"{name}: {part.unknown}"
    if part.stock is None:
        return f"{name} limits nothing: it is untracked, or keeps selling at 0"
    if not any(level.active for level in state.parts[part.item].levels.values()):
        return f"{name} is stocked nowhere, or was deleted, and allows 0"
    return f"{plain(part.stock)} of {name}, {part.needed:,} each, allow {plain(part.allows)}"


def _sku(state: ItemState, part: BundlePart) -> str:
    known = state.parts.get(part.item)
    return known.item.sku if known is not None else ""
