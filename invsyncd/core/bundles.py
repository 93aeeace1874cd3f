"""How many of a bundle its components allow: the least of stock ÷ units needed. Pure.

Shopify works out a bundle's stock from its components (documented). A bundle has up to 30 of them,
and none of them is a bundle itself (documented: NESTED_PARENT_PRODUCT_VARIANT).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from invsyncd.core.model import Component


class Bundles(StrEnum):
    """What TikTok shows of a bundle: Shopify's own number of it, or the least of its components."""

    OWN = "own"
    COMPONENTS = "components"


@dataclass(frozen=True, slots=True)
class BundlePart:
    """One component of a bundle: `needed` units go into each bundle, and `stock` units are there.

    `stock` is None where the component limits nothing: it is untracked, or keeps selling. `unknown`
    is why its stock is not known, "" where it is.
    """

    item: int
    needed: int
    stock: int | None = None
    unknown: str = ""

    @property
    def allows(self) -> int | None:
        """How many bundles its stock allows; None where it limits nothing, or is not known."""
        if self.stock is None or self.unknown:
            return None
        return self.stock // self.needed


@dataclass(frozen=True, slots=True)
class Least:
    """How many bundles the known components allow; None where none of them limits.

    Where `is_sure` is False a component is not known: there may be fewer, never more.
    """

    units: int | None
    is_sure: bool


def least(parts: Sequence[BundlePart]) -> Least:
    """The least that the components allow. Without any component nothing is known."""
    limits = [allows for part in parts if (allows := part.allows) is not None]
    is_sure = bool(parts) and not any(part.unknown for part in parts)
    return Least(min(limits, default=None), is_sure)


def without_edit(
    before: Sequence[Component], now: Sequence[Component], gone: Collection[int]
) -> tuple[Component, ...]:
    """What a bundle is made of now, where the items in `gone` were deleted.

    A deleted component drops out of Shopify's list. That does not make the bundle one without it:
    it stays in ours, without stock, until somebody edits the rest of the list.
    """
    if not set(now) <= set(before):
        return tuple(now)
    return tuple(sorted({*now, *(made for made in before if made.item in gone)}))


def unknown_parts(parts: Sequence[BundlePart]) -> str:
    """Why a bundle is left as it is, for people; "" where all of its components are known."""
    if not parts:
        return "it is a bundle, and Shopify names none of its components"
    odd = [part for part in parts if part.unknown]
    if not odd:
        return ""
    more = f", and {len(odd) - 1} more of its components" if len(odd) > 1 else ""
    return f"it is a bundle, and of its component {odd[0].item}: {odd[0].unknown}{more}"
