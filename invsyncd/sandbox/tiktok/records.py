"""The records of the fake TikTok shop: what it consists of, and what happened in it."""

from dataclasses import dataclass, field

# Every value that the API documents name. An unknown one is a mistake in the test.
PRODUCT_STATUSES = (
    "DRAFT",
    "PENDING",
    "FAILED",
    "ACTIVATE",
    "SELLER_DEACTIVATED",
    "PLATFORM_DEACTIVATED",
    "FREEZE",
    "DELETED",
)
WAREHOUSE_STATUSES = ("ENABLED", "DISABLED", "RESTRICTED")
WAREHOUSE_KINDS = ("SALES_WAREHOUSE", "RETURN_WAREHOUSE")


@dataclass(slots=True)
class Warehouse:
    """A warehouse with stock. `platform` marks one that TikTok itself runs (FBT)."""

    id: str
    entity_id: str
    name: str
    kind: str
    status: str
    sub_type: str
    platform: bool
    is_default: bool


@dataclass(slots=True)
class Stock:
    """Units of one SKU in one warehouse. Committed units are ordered and not yet shipped.

    `backorder` units are offered beyond the stock.
    """

    available: int
    committed: int = 0
    backorder: int = 0


@dataclass(slots=True)
class Sku:
    """One sellable variant. `locked` units are reserved for a campaign and still available.

    `shares_source` marks a replica, which shows the stock of another SKU. `source` is the (product
    id, SKU id) of that SKU if it is in this shop, else None. `parts` of a bundle are (SKU id,
    units).
    """

    id: str
    product_id: str
    seller_sku: str
    shares_source: bool
    stock: dict[str, Stock]
    locked: int = 0
    source: tuple[str, str] | None = None
    parts: tuple[tuple[str, int], ...] = ()

    @property
    def total_available(self) -> int:
        """Units that buyers can order, over all warehouses."""
        return sum(stock.available for stock in self.stock.values())

    @property
    def total_committed(self) -> int:
        """Units ordered and not yet shipped, over all warehouses."""
        return sum(stock.committed for stock in self.stock.values())


@dataclass(slots=True)
class Product:
    """A product with its SKUs. Times are Unix seconds."""

    id: str
    title: str
    status: str
    product_types: tuple[str, ...]
    create_time: int
    update_time: int
    skus: list[Sku] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an available quantity: when (Unix seconds), where, from, to, and by whom."""

    time: float
    product_id: str
    sku_id: str
    warehouse: str
    before: int
    after: int
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an Update Inventory call: the quantity of a SKU in a warehouse."""

    sku_id: str
    warehouse: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Update:
    """An Update Inventory call with its applied rows, whether they changed a quantity or not."""

    time: float
    product_id: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """When (Unix seconds) the stock of a SKU was shown to an app."""

    time: float
    sku_id: str
