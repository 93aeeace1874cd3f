"""Which SKU a listing sells, and whose stock it shows. Pure, and without guessing.

The store finds the item with that SKU, and compares exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from invsyncd.config.tiktok import Link
from invsyncd.core.marketplace import ListingSeen, Product
from invsyncd.core.model import Listing
from invsyncd.core.parking import Kind

Links = Mapping[tuple[str, str], Link]  # by (product_id, sku_id)


def links_of(links: Iterable[Link]) -> Links:
    """The configured links by the listing that they link."""
    return {(link.product_id, link.sku_id): link for link in links}


def listing_of(seen: ListingSeen, links: Links) -> Listing:
    """A listing as discovery saw it, with the SKU of its link or else its seller SKU."""
    link = links.get((seen.product_id, seen.sku_id))
    return Listing(
        seen.product_id,
        seen.sku_id,
        seen.seller_sku,
        status=seen.status,
        updated_at=seen.updated_at,
        sku=link.sku if link is not None else seen.seller_sku,
        linked_item=int(link.item) if link is not None and link.item else None,
    )


def kind_of(listing: Listing, product: Product) -> tuple[Kind, str]:
    """Whose stock a listing shows, and why the listing is not written; "" where it is written.

    A bundle's stock follows from its parts, and a shared replica's stock is that of its source
    (documented).
    """
    if source := product.shares_with.get(listing.sku_id):
        return (
            Kind.SHARED,
            f"it shows the stock of product {source}, which is to be written instead",
        )
    if "COMBINED_PRODUCT" in product.types or listing.sku_id in product.combined:
        return Kind.BUNDLE, "it is a bundle: TikTok works its stock out from that of its parts"
    return Kind.PLAIN, ""
