"""The true state of a shop: its stock, and what people sell, count and move.

Pure and in memory: no HTTP, no GraphQL. Tests and the demo act here as the people in the shop. The
fake Shopify shows this state, and only it acts as "app". The words are Shopify's: an online order
moves `available` to `committed` and leaves `on_hand`; a till sale takes from `available` and
`on_hand`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from invsyncd.sandbox.shopify.goods import Goods, Sku, Stamps
from invsyncd.sandbox.shopify.records import (
    Adjustment,
    Item,
    Level,
    Location,
    Product,
    Variant,
    Write,
)

__all__ = [
    "Adjustment",
    "Item",
    "Level",
    "Location",
    "Product",
    "Shop",
    "Stamps",
    "Variant",
    "Write",
]


class Shop(Goods):
    """A shop with locations and items."""

    def __init__(
        self, *, clock: Callable[[], float] = time.time, name: str = "sandbox.myshopify.com"
    ) -> None:
        super().__init__(clock)
        self.name = name
        self.locations: dict[int, Location] = {}
        self.by_number: dict[int, Location] = {}
        self.writes: list[Write] = []
        self.mutations_received = 0
        self.activation_touches = False
        """Whether (de)activating stamps the level. Not documented. Off is the harder case."""
        self.write_activates = False
        """Whether a write to an inactive level activates it. Not documented."""

    @property
    def adjustments(self) -> list[Adjustment]:
        """Every change of a quantity, oldest first."""
        return self.ledger.adjustments

    def add_location(
        self, name: str, *, active: bool = True, fulfilment_service: bool = False
    ) -> int:
        """Open a location; returns its id."""
        nth, now = len(self.locations) + 1, self.now()
        made = Location(70_000_000_000 + nth, 110_000_000_000 + nth, name, now, now)
        made.fulfilment_service = fulfilment_service
        self.locations[made.id] = self.by_number[made.number] = made
        if not active:
            self.deactivate_location(name)
        return made.id

    def location(self, name: str | int) -> int:
        """The id of the location with this name."""
        if isinstance(name, int):
            return self.locations[name].id
        for place in self.locations.values():
            if place.name == name:
                return place.id
        raise LookupError(f"No location is called {name}")

    def level(self, item: int, location: int) -> Level | None:
        """The level by ids, or None where the item was never stocked."""
        return self.ledger.get(item, location)

    def available(self, sku: Sku, location: str | int) -> int:
        """The units that can be sold there now."""
        return self._level(sku, location).available

    def sell_online(self, sku: Sku, location: str | int, units: int = 1) -> None:
        """Place an online order: available → committed; on_hand stays."""
        self._move(sku, location, {"available": -units, "committed": units}, "reservation_created")

    def sell_till(self, sku: Sku, location: str | int, units: int = 1) -> None:
        """Sell at the till: available and on_hand fall."""
        self._move(sku, location, {"available": -units}, "other")

    def fulfil(self, sku: Sku, location: str | int, units: int = 1) -> None:
        """Ship an order: committed and on_hand fall."""
        self._move(sku, location, {"committed": -units}, "other")

    def cancel(self, sku: Sku, location: str | int, units: int = 1) -> None:
        """Cancel an order before it is shipped: committed → available."""
        self._move(sku, location, {"available": units, "committed": -units}, "reservation_deleted")

    def receive(self, sku: Sku, location: str | int, units: int) -> None:
        """Receive a delivery: available and on_hand rise."""
        self._move(sku, location, {"available": units}, "received")

    def count(self, sku: Sku, location: str | int, available: int) -> None:
        """Count the stock: `available` becomes that number; on_hand moves by the same amount."""
        delta = available - self.available(sku, location)
        self._move(sku, location, {"available": delta}, "cycle_count_available")

    def transfer(self, sku: Sku, source: str | int, destination: str | int, units: int) -> None:
        """Move units to another location, at once."""
        self._level(sku, destination)
        self._move(sku, source, {"available": -units}, "movement_created")
        self._move(sku, destination, {"available": units}, "movement_received")

    def touch(self, sku: Sku, location: str | int) -> None:
        """Stamp the level without changing a number."""
        self.ledger.touch(self._level(sku, location), self.now())

    def activate(self, sku: Sku, location: str | int, available: int | None = None) -> None:
        """Stock the item. An inactive level keeps its units unless a number is given."""
        item, place = self.item(sku), self.location(location)
        level, now = self.ledger.get(item, place), self.now()
        if level is None:
            level = self.ledger.open(item, place, now, active=True)
        elif not level.active:
            level = self.ledger.switch(level, now, active=True, stamp=self.activation_touches)
        if available is not None:
            delta = available - level.available
            self.ledger.move(level, {"available": delta}, now, reason="correction")

    def deactivate(self, sku: Sku, location: str | int) -> None:
        """Stop stocking the item at a location. The quantities stay, but are not shown."""
        level = self._level(sku, location)
        self.ledger.switch(level, self.now(), active=False, stamp=self.activation_touches)

    def deactivate_location(self, name: str | int) -> None:
        """Close a location. Its levels become inactive and keep their quantities."""
        place, now = self.locations[self.location(name)], self.now()
        place.active, place.deactivated_at, place.updated_at = False, now, now
        for level in list(self.ledger.at_location(place.id)):
            self.ledger.switch(level, now, active=False, stamp=self.activation_touches)

    def _level(self, sku: Sku, location: str | int) -> Level:
        level = self.ledger.get(self.item(sku), self.location(location))
        if level is None:
            raise LookupError(f"{sku} was never stocked at {location}")
        return level

    def _move(self, sku: Sku, location: str | int, deltas: Mapping[str, int], reason: str) -> None:
        self.ledger.move(self._level(sku, location), deltas, self.now(), reason=reason)
