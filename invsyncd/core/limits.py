"""limits: what TikTok lets a number be, as its answers to our writes teach it.

A ceiling cuts a higher number: TikTok confirms the write, and shows less. A campaign's units must
stay in stock: TikTok refuses a number below them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from invsyncd.core.model import Offer

CEILING_MIN = 999  # below this, a smaller number than the written one may as well be somebody's own
CUT_WITHIN_S = 300  # what was written is read again within a minute; later moves are other people's


def follows(now: int, wrote_at: int) -> bool:
    """Whether what is seen `now` can be the answer to a write; `wrote_at` is 0 without one."""
    return wrote_at > 0 and now - wrote_at <= CUT_WITHIN_S


def ceiling(written: int, found: int, ordered: int | None, *, open_orders: int = 0) -> int | None:
    """The ceiling to which a write was cut, or None if nothing looks like one.

    `ordered` is by how many units the orders grew since; None is unknown. `open_orders` are the
    units of all orders now: beside a shipment, a fall of no more than that may be a sale. Where
    orders are unknown, a fall by less than half may be one.
    """
    could_be_sold = open_orders if ordered is not None else written // 2
    is_cut = CEILING_MIN <= found < written - could_be_sold
    return found if is_cut and (ordered or 0) <= 0 else None


def is_round_limit(units: int) -> bool:
    """Whether programmers choose such a number as a limit: 999, 1,000, 9,999, 10,000, and so on."""
    return any(units in (10**digits - 1, 10**digits) for digits in range(3, 10))


def above_reserved(owed: Sequence[Offer], stock: Mapping[str, int], reserved: int) -> list[Offer]:
    """The same writes, with less of a decrease where `reserved` units must stay in stock.

    `stock` is what the SKU shows by warehouse. A decrease of which nothing is left is left out.
    """
    after = dict(stock) | {o.warehouse: o.wanted for o in owed if o.wanted is not None}
    short = reserved - sum(after.values())
    found: list[Offer] = []
    for offer in owed:
        shown, wanted = stock.get(offer.warehouse, 0), offer.wanted or 0
        back = max(min(short, shown - wanted), 0)
        short -= back
        if wanted + back != shown:
            found.append(replace(offer, wanted=wanted + back))
    return found
