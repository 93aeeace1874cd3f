"""What was read from TikTok Shop: warehouses, listings, and what only a product's page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
class WarehouseList:
    """The warehouses of a shop. `odd` maps the id of each that cannot be read to the reason.

    The id is "" where it is not known either.
    """

    readable: list[Warehouse]
    odd: dict[str, str] = field(default_factory=dict)


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
class OddRow:
    """A product, SKU or stock row that cannot be read, or an id that TikTok does not take.

    `product_id` and `sku_id` are "" where they are not known. `why` names the place in the answer.
    `whole` is False where only a row of stock in a search is odd: the listing itself was read.
    """

    product_id: str
    sku_id: str
    why: str
    whole: bool = True

    def is_about(self, product_id: str, sku_id: str) -> bool:
        """Whether this listing may be the one that could not be read."""
        return self.sku_id == sku_id or (
            not self.sku_id and self.product_id in ("", product_id) and self.whole
        )


@dataclass(frozen=True, slots=True)
class Product:
    """What only the product's own page shows: whose stock its SKUs show.

    `combined` are the SKUs whose stock follows from other SKUs, as a bundle's does. `shares_with`
    maps each SKU that shows the stock of another product, maybe of another shop, to the id of
    that product. `odd` maps each SKU that cannot be read to the reason.
    """

    id: str
    status: str
    types: frozenset[str]
    replicated: bool
    combined: frozenset[str]
    shares_with: Mapping[str, str]
    odd: Mapping[str, str] = field(default_factory=dict)
