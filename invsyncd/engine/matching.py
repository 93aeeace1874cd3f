"""Which item a listing sells: by link, else by the seller SKU, exactly; never by a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from invsyncd.sync.model import Listing

Links = Mapping[tuple[str, str], str]  # (product_id, sku_id) → Shopify SKU

# Documented: the others (PLATFORM_DEACTIVATED, FREEZE) may not be written; DELETED is not listed.
WRITABLE = frozenset({"ACTIVATE", "DRAFT", "PENDING", "FAILED", "SELLER_DEACTIVATED"})


@dataclass(slots=True)
class Unmatched:
    """Listings that sell nothing we know, by reason; counted, listed by `check`, never guessed."""

    empty: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)


def match(
    listing: Listing, links: Links, items_of: Mapping[str, Sequence[int]], unmatched: Unmatched
) -> int | None:
    """The item of one listing, or None with the reason noted.

    `items_of` gives the items of each Shopify SKU. One SKU on several items is refused until it
    is linked, because each has a stock of its own.
    """
    where = f"{listing.product_id}/{listing.sku_id}"
    sku = links.get((listing.product_id, listing.sku_id), listing.seller_sku)
    if not sku:
        unmatched.empty.append(where)
        return None
    items = items_of.get(sku, ())
    if len(items) == 1:
        return items[0]
    (unmatched.ambiguous if items else unmatched.unknown).append(sku)
    return None


def parked_by_status(status: str) -> str:
    """Why a listing of this status may not be written; empty when it may, or has no status."""
    return "" if not status or status in WRITABLE else f"its status is {status}"
