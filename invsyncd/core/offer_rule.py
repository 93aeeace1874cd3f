"""The TikTok quantity: what one listing shows in one warehouse, and what counts as sold there.

The rule works in integers, in the order of the specification: base, held, reserve, percent,
zero_at, cap. Every step is kept so that the number can be explained.

TikTok commits units when an order is created; a connector may bring the order to Shopify up to an
hour later. Until then Shopify still counts those units, and a share of them would put sold units
back on sale. So a fall of TikTok's own stock is held for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

TIKTOK_MAX = 999_999  # the highest quantity that any source says TikTok Shop accepts


class CountMirrored(StrEnum):
    """Whether the mirrored levels of an item count once (one physical stock) or each."""

    ONCE = "once"
    EACH = "each"


@dataclass(frozen=True, slots=True)
class OfferRule:
    """The settings for one listing; `enabled` False leaves the listing alone."""

    percent: int = 100
    reserve: int = 0
    zero_at: int = 0
    cap: int | None = None
    unlimited_quantity: int = TIKTOK_MAX
    max_quantity: int = TIKTOK_MAX
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class SourceStock:
    """An active level at a mapped location: its units, and whether it is mirrored."""

    available: int
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Quantity:
    """The result with the steps that led to it, in order: (name, units after the step).

    `at_most` says that there may be fewer: it may lower an offer, and never raise one.
    """

    units: int
    steps: tuple[tuple[str, int], ...]
    at_most: bool = False


def base(stocks: Sequence[SourceStock], pool: int | None, count: CountMirrored) -> int:
    """The sum over the mapped locations; mirrored levels count once, as the pool.

    Before the item has a pool, the lowest mirrored level counts. An item that is stocked nowhere
    gives 0.
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


def is_doubtful(read: int) -> bool:
    """Whether TikTok cannot really show this: less than nothing, or more than it accepts."""
    return not 0 <= read <= TIKTOK_MAX


def sold(
    shown: int | None,
    sent: int | None,
    read: int,
    held: int,
    ordered: int | None = None,
    *,
    open_orders: int = 0,
) -> int:
    """Units to hold because of this reading; negative gives units back; 0 changes nothing.

    `shown` is the last confirmed quantity, `sent` one that may or may not have arrived. `ordered`
    is by how many units the orders not yet shipped grew since the last reading; None is unknown.
    `open_orders` are the units of all those orders now.

    An order that was shipped meanwhile hides a new one: of a fall, as much may be sold as there are
    open orders now. That much is held, whatever else moved.

    Where the orders are known, exactly what was ordered is held, also what a write of ours hides: a
    fall without new orders is no sale but somebody's edit. A rise is a cancelled order as far as
    orders went away. Where they are not known, a fall counts from the higher of the two quantities:
    one unit held too many offers less for a while, one too few offers what is gone. A rise is then
    a cancelled order, up to the number of held units. A number that cannot be says nothing.
    """
    if shown is None and sent is None:
        return 0
    expected = [x for x in (shown, sent) if x is not None and not is_doubtful(x)]
    says_nothing = not expected or read in expected or is_doubtful(read)
    fallen = 0 if says_nothing else max(expected) - read
    if ordered is None:
        return max(fallen, -held)
    hidden = min(max(fallen, 0), open_orders)
    if ordered > 0 or hidden > 0:
        return max(ordered, hidden)
    if read + ordered in expected:
        return max(ordered, -held)
    return max(fallen, ordered, -held) if fallen < 0 else 0
