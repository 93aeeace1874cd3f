"""hold: what a reading of TikTok's own stock says about sales there.

TikTok commits units when an order is created; a connector may bring that order to Shopify up to
an hour later. Until then Shopify still counts those units, and to write a share of them would
put sold units back on sale.
"""

from __future__ import annotations


def sold(
    shown: int | None, sent: int | None, read: int, held: int, ordered: int | None = None
) -> int:
    """Units to hold because of this reading; negative gives back; 0 for nothing of note.

    `shown` is the last confirmed quantity, `sent` one that may or may not have arrived. `ordered`
    is by how many units the orders not yet shipped grew since the last reading; None is unknown.

    A reading that the orders account for, from either quantity, says just that. Orders that came
    between a reading and our write were overwritten by it: the quantity hides them, and only the
    orders tell. Otherwise a fall counts from the higher of the two: to hold a unit too many for a
    while offers less, one too few offers what is gone. A rise while units are held is a cancelled
    order, as far as units are held.
    """
    expected = [value for value in (shown, sent) if value is not None]
    if not expected:
        return 0
    if ordered is not None and read + ordered in expected:
        return max(ordered, -held)
    fallen = 0 if read in expected else max(expected) - read
    sales = max(fallen, ordered) if ordered is not None and ordered > 0 else fallen
    return max(sales, -held)
