"""The true state of a shop: its stock, and what people sell, count and move.

Pure and in memory: no HTTP, no GraphQL. Tests and the demo act here as the people in the shop. The
fake Shopify shows this state, and only it acts as "app". The words are Shopify's: an online order
moves `available` to `committed` and leaves `on_hand`; a till sale takes from `available` and
`on_hand`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import StrEnum

from invsyncd.sandbox.shopify.goods import Goods, Sku, Stamps
from invsyncd.sandbox.shopify.records import (
    ON_HAND_PARTS,
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
    "Closed",
    "Item",
    "Level",
    "Location",
    "Product",
    "Shop",
    "Stamps",
    "Variant",
    "Write",
]


class Closed(StrEnum):
    """What the levels of a location show once their stock was moved away: not documented."""

    EMPTY = "empty"
    """Their quantities are 0."""
    KEPT = "kept"
    """What they had, though it now stands elsewhere."""
    GONE = "gone"
    """Nothing: no answer lists them any more."""


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
        """Whether writing an inactive level activates it: not documented."""
        self.closed_levels = Closed.EMPTY

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

    def expect(self, sku: Sku, location: str | int, units: int) -> None:
        """A transfer or a purchase order is on its way there: incoming rises."""
        self._move(sku, location, {"incoming": units}, "movement_created")

    def arrive(self, sku: Sku, location: str | int, accepted: int, rejected: int = 0) -> None:
        """What was on its way is received: incoming falls by all of it (documented)."""
        moved = {"incoming": -accepted - rejected, "available": accepted}
        self._move(sku, location, moved, "movement_received")

    def set_aside(self, sku: Sku, location: str | int, units: int, state: str = "reserved") -> None:
        """Units become damaged, reserved, safety stock …; on_hand stands still (recorded).

        Below 0 they are given back.
        """
        if state not in ON_HAND_PARTS[2:]:
            raise LookupError(f"{state} is no state that units are set aside in")
        reason = state if state != "reserved" else "reservation_created"
        self._move(sku, location, {"available": -units, state: units}, reason)

    def draft_order(self, sku: Sku, location: str | int, units: int) -> None:
        """A draft order reserves its units: available falls, committed and on_hand stand still."""
        self.set_aside(sku, location, units)

    def reassign(self, sku: Sku, source: str | int, destination: str | int, units: int) -> None:
        """An order is to be fulfilled from elsewhere: its units are committed there instead."""
        self._level(sku, destination)
        self.cancel(sku, source, units)
        self.sell_online(sku, destination, units)

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

    def deactivate_location(self, name: str | int, to: str | int | None = None) -> None:
        """Close a location. Its stock and its orders move `to` another one; else they sleep there.

        (Shopify refuses to close a location with stock that is not told where to go.)
        """
        place, now = self.locations[self.location(name)], self.now()
        place.active, place.deactivated_at, place.updated_at = False, now, now
        for level in list(self.ledger.at_location(place.id)):
            if to is not None and level.active:
                self._relocate(level, self.location(to), now)
            left = self.ledger.get(level.item, place.id) or level
            self.ledger.switch(left, now, active=False, stamp=self.activation_touches)

    def _relocate(self, level: Level, destination: int, now: float) -> None:
        """All that a level has, committed and incoming units too, is moved to another location."""
        moved = {name: level.quantity(name) for name in (*ON_HAND_PARTS, "incoming")}
        found = self.ledger.get(level.item, destination)
        if found is None:
            found = self.ledger.open(level.item, destination, now, active=True)
        self.ledger.move(found, moved, now, reason="movement_received")
        if self.closed_levels is not Closed.KEPT:
            away = {name: -units for name, units in moved.items()}
            self.ledger.move(level, away, now, reason="movement_created")

    def is_shown(self, level: Level) -> bool:
        """Whether any answer lists this level."""
        return self.closed_levels is not Closed.GONE or self.locations[level.location].active

    def _level(self, sku: Sku, location: str | int) -> Level:
        level = self.ledger.get(self.item(sku), self.location(location))
        if level is None:
            raise LookupError(f"{sku} was never stocked at {location}")
        return level

    def _move(self, sku: Sku, location: str | int, deltas: Mapping[str, int], reason: str) -> None:
        self.ledger.move(self._level(sku, location), deltas, self.now(), reason=reason)
