"""rule: what one listing shows in one TikTok warehouse.

Integers only, in the order of the specification: base − held − reserve, × percent, zero_at, cap.
Every step is kept, because a number that cannot be explained is a number that nobody trusts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

TIKTOK_MAX = 999_999  # the highest quantity that any source says TikTok Shop accepts


class CountMirrored(StrEnum):
    """Whether the mirrored levels of one pool count once (one physical stock) or each."""

    ONCE = "once"
    EACH = "each"


@dataclass(frozen=True, slots=True)
class OfferRule:
    """The settings that apply to one listing; `enabled` False leaves it alone."""

    percent: int = 100
    reserve: int = 0
    zero_at: int = 0
    cap: int | None = None
    unlimited_quantity: int = TIKTOK_MAX
    max_quantity: int = TIKTOK_MAX
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Stock:
    """One level at a mapped location: active, in units, and whether the mirror keeps it."""

    available: int
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Quantity:
    """The result with the steps that led to it, in order: (name, units after the step)."""

    units: int
    steps: tuple[tuple[str, int], ...]


def base(stocks: Sequence[Stock], pool: int | None, count: CountMirrored) -> int:
    """Σ over the mapped locations, where all mirrored levels of one pool count once.

    Before the item has a pool they count once, at the lowest. Not stocked anywhere: 0.
    """
    mirrored = [stock.available for stock in stocks if stock.mirrored]
    alone = sum(stock.available for stock in stocks if not stock.mirrored)
    if not mirrored:
        return alone
    if count is CountMirrored.EACH:
        each = [pool] * len(mirrored) if pool is not None else mirrored
        return alone + sum(each)
    return alone + (pool if pool is not None else min(mirrored))


def quantity(base_units: int, held: int, rule: OfferRule) -> Quantity:
    """The quantity for a tracked item that stops selling at zero.

    `held` are units sold on TikTok that Shopify may not have seen yet.
    """
    steps: list[tuple[str, int]] = [("base", base_units)]

    def step(name: str, units: int) -> int:
        steps.append((name, units))
        return units

    units = step("held", max(base_units - held, 0))
    units = step("reserve", max(units - rule.reserve, 0))
    units = step("percent", units * rule.percent // 100)
    units = step("zero_at", 0 if units <= rule.zero_at else units)
    if rule.cap is not None:
        units = step("cap", min(units, rule.cap))
    units = step("max", min(units, rule.max_quantity))
    return Quantity(units, tuple(steps))


def unlimited(rule: OfferRule) -> Quantity:
    """The quantity for an item that is untracked or keeps selling: no other setting applies."""
    units = min(rule.unlimited_quantity, rule.max_quantity)
    return Quantity(units, (("unlimited", units),))
