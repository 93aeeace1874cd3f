"""The records of the fake shop: plain data, without rules and without an API.

Times are seconds since the epoch (float). The API shows them to one second. The quantity names are
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
"""`on_hand` is the sum of these. `incoming` is not part of it."""

QUANTITY_NAMES = (*ON_HAND_PARTS, "incoming", "on_hand")


@dataclass(frozen=True, slots=True)
class Level:
    """One item at one location. Frozen, because the ledger also keeps earlier states."""

    item: int
    location: int
    row: int
    """Internal row id, by which every connection of levels is ordered."""
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
        """All units on the shelf."""
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
    """A location. `number` is part of the GID of each of its levels, and is not `id`."""

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
    """A product, with only the properties that matter for stock."""

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


@dataclass(frozen=True, slots=True)
class Component:
    """One variant in a bundle, so many times."""

    id: int
    product_variant: Variant
    quantity: int


@dataclass(slots=True)
class Item:
    """An inventory item. `updated_at` is its own stamp, which stock does not move.

    The stock of a `bundle` is that of its components, and nobody may set it.
    """

    id: int
    sku: str | None
    tracked: bool
    mutable: bool
    created_at: float
    updated_at: float
    bundle: bool = False
    components: list[Component] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)


class Adjustment(NamedTuple):
    """One change of one quantity of a level, and who made the change ("app" or "shop")."""

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
    """One mutation that was applied, with its idempotency key."""

    time: float
    mutation: str
    key: str | None
    reference: str | None
    rows: tuple[Row, ...]
