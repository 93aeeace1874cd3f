"""What was read from TikTok Shop: warehouses, listings, and what only a product's page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse. Names are not unique.

    `status` is ENABLED, DISABLED or RESTRICTED (documented). RESTRICTED is holiday or order limit
    mode: the stock cannot be bought, and is not zeroed. `sub_type` is TikTok's word (documented).
    Both are "" where nothing is known.
    """

    id: str
    name: str
    enabled: bool
    sales: bool
    status: str = ""
    sub_type: str = ""

    @property
    def writable(self) -> bool:
        """Whether its stock can be set: only that of an enabled sales warehouse."""
        return self.enabled and self.sales


@dataclass(frozen=True, slots=True)
class ListingSeen:
    """One SKU of one product, with the stock that the search showed: units by warehouse id.

    `updated_at` is when its product was last edited, in Unix seconds; 0 if TikTok did not say.
    """

    product_id: str
    sku_id: str
    seller_sku: str
    status: str
    stock: dict[str, int]
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """What only the product's own page shows: whose stock its SKUs show.

    `combined` are the SKUs whose stock follows from other SKUs, as a bundle's does. `shares_with`
    maps each SKU that shows the stock of another product, maybe of another shop, to the id of
    that product.
    """

    id: str
    status: str
    types: frozenset[str]
    replicated: bool
    combined: frozenset[str]
    shares_with: Mapping[str, str]
