"""What the fake shop remembers: plain records, without any rule and without any API.

Times are seconds since the epoch (float); the API shows them to one second. The quantity names are
those of `inventoryProperties.quantityNames` in the Admin API 2026-10.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

ON_HAND_PARTS = (
    "available",
    "committed",
    "reserved",
    "damaged",
    "safety_stock",
    "quality_control",
)
"""`on_hand` is their sum; `incoming` stands beside it."""

QUANTITY_NAMES = (*ON_HAND_PARTS, "incoming", "on_hand")


@dataclass(frozen=True, slots=True)
class Level:
    """One item at one location. Frozen: the past of a level is kept beside its present."""

    item: int
    location: int
    row: int
    """Internal row id: the order of every connection of levels."""
    active: bool
    created_at: float
    updated_at: float
    available_updated_at: float
    available: int = 0
    committed: int = 0
    reserved: int = 0
    damaged: int = 0
    safety_stock: int = 0
    quality_control: int = 0
    incoming: int = 0

    @property
    def on_hand(self) -> int:
        """Everything that stands on the shelf, in units."""
        return (
            self.available
            + self.committed
            + self.reserved
            + self.damaged
            + self.safety_stock
            + self.quality_control
        )

    def quantity(self, name: str) -> int:
        """The units under one of QUANTITY_NAMES."""
        units: int = getattr(self, name)
        return units


@dataclass(slots=True)
class Location:
    """A place with stock. `number` stands in the GID of each of its levels (it is not `id`)."""

    id: int
    number: int
    name: str
    created_at: float
    updated_at: float
    active: bool = True
    fulfilment_service: bool = False
    deactivated_at: float | None = None


@dataclass(slots=True)
class Product:
    """A product, with exactly the properties that decide about stock."""

    id: int
    title: str
    product_type: str
    created_at: float
    updated_at: float
    status: str = "ACTIVE"
    variants: list[Variant] = field(default_factory=list)


@dataclass(slots=True)
class Variant:
    """A variant; several may reference one item."""

    id: int
    item: int
    product: Product
    policy: str
    created_at: float
    updated_at: float


@dataclass(slots=True)
class Item:
    """An inventory item. `updated_at` is its own stamp: stock does not move it."""

    id: int
    sku: str | None
    tracked: bool
    mutable: bool
    created_at: float
    updated_at: float
    variants: list[Variant] = field(default_factory=list)


class Adjustment(NamedTuple):
    """One quantity of one level that changed, and who did it ("app" or "shop")."""

    time: float
    item: int
    location: int
    name: str
    delta: int
    after: int
    reason: str
    reference: str | None
    actor: str


class Row(NamedTuple):
    """One row of a write that changed something: `name` went from `before` to `after`."""

    item: int
    location: int
    name: str
    before: int
    after: int


class Write(NamedTuple):
    """One mutation that was really applied, under its idempotency key."""

    time: float
    mutation: str
    key: str | None
    reference: str | None
    rows: tuple[Row, ...]
