"""Listings that were written and are not any more: why, what ends it, how long it is news. Pure.

What is gone or was switched off by the seller offers nothing: that is said for a day. A listing
that is still on sale without us is said for as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Collection

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Listing
from invsyncd.core.parking import ParkedBy

SAID_S = 86_400
OFF = "SELLER_DEACTIVATED"  # a product's status; it may still be written (documented)

DELETED = "its product was deleted at TikTok; list it again if it is to sell"
TAKEN_OFF = "it was taken off its product at TikTok; list it again if it is to sell"
NOT_FOUND = "its product is gone from TikTok; list it again if it is to sell"
SWITCHED_OFF = (
    "the seller deactivated its product at TikTok, so it does not sell; activate it there if it is"
    " to sell"
)
LEFT_WAREHOUSE = (
    "it is not stocked any more in the mapped warehouse {}; stock it there again at TikTok, because"
    " a write may not add a warehouse"
)


def was_managed(listing: Listing) -> bool:
    """Whether we wrote the listing, or would have written it."""
    return listing.item is not None and listing.parked_by != ParkedBy.KIND


def without_item(listing: Listing) -> str:
    """Why a listing that had an item has none now."""
    step = "give it the SKU of an item again, or set a [[tiktok.link]]"
    if not listing.sku:
        return f"it has no seller SKU any more, and its item is gone from Shopify; {step}"
    if listing.linked_item is not None:
        return f"its link names item {listing.linked_item}, which has not the SKU; correct the link"
    return f'its item is gone from Shopify, and no single item has the SKU "{listing.sku}"; {step}'


def is_still_lost(
    listing: Listing | None, warehouse: str, stocked: Collection[str], *, age_s: float
) -> bool:
    """Whether the loss is still news; `listing` is None if TikTok does not know it.

    `warehouse` is the one that it left, "" if all of it was lost. `stocked` are its warehouses.
    """
    if listing is None:
        return not warehouse and age_s < SAID_S
    if warehouse:
        return warehouse not in stocked and was_managed(listing)
    if listing.item is None:
        return True
    return listing.status == OFF and age_s < SAID_S


def is_back(listing: Listing | None, warehouse: str, stocked: Collection[str]) -> bool:
    """Whether the loss was made good, and did not only stop being news."""
    if listing is None:
        return False
    if warehouse:
        return warehouse in stocked
    return listing.item is not None and listing.status != OFF


def lost_entry(listing: Listing, why: str, warehouse: str = "") -> Entry:
    """The journal line of a loss."""
    place = {"warehouse": warehouse} if warehouse else {}
    numbers = {"product_id": listing.product_id, "sku_id": listing.sku_id, **place, "because": why}
    return Entry(EntryKind.LOST, listing.item, listing.sku or listing.seller_sku, {**numbers})


def rematched_entry(listing: Listing, item: int) -> Entry:
    """The journal line of a listing that sells another item now."""
    numbers: dict[str, object] = {
        "product_id": listing.product_id,
        "sku_id": listing.sku_id,
        "before": listing.item,
        "now": item,
    }
    return Entry(EntryKind.REMATCHED, item, listing.sku or listing.seller_sku, numbers)
