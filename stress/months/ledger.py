"""The books: the number that each item must have, kept by those who act, never by invsyncd.

Orders, cancellations, fulfilments and till sales always add up. A receipt, a count, a transfer and
an import state stock; together with other unread stock changes they would be contradictory counts,
the one exception of law 2. So they wait until everything before was read, and until they are read
nothing happens that could contradict them (orders may). A person who counts waits as well.
While a location is not read for long, its till sales may add up to more than `sale_max`; then
nobody sells what is not there: by the table, sales of a gap add up to 0 at least.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from invsyncd.sandbox.shopify.records import Level
from invsyncd.sandbox.shopify.shop import Shop

SALE_MAX = 10
UNLIMITED = 999_999

_MEANWHILE = {
    "": ("online", "till", "cancel", "fulfil"),
    "stated": ("online", "cancel"),
    "transfer": ("online",),
    "import": ("online",),
    "whole": (),
}
"""What may happen while this is unread."""


@dataclass
class Book:
    """One item. `pool` is what its mirrored levels must show; `alone` must be read first."""

    sku: str
    item: int
    pool: int
    shop: Shop
    listing: str = ""
    """TikTok's id of the SKU that sells it."""
    product_type: str = "Shirt"
    tracked: bool = True
    continues: bool = False
    gone: bool = False
    alone: str = ""
    imported_from: int = 0
    unread_since: float = 0.0
    falls: dict[int, int] = field(default_factory=dict)
    in_transit: int = 0
    """Units sold on TikTok whose order Shopify has not seen."""
    sold_there_at: float = 0.0
    """When TikTok last sold or gave back units by itself."""
    cancelled_there: list[tuple[float, int]] = field(default_factory=list)
    """When orders were cancelled on TikTok, and the units that it put back on sale by itself."""
    peak: int = 0
    """The most that the pool was since the last look, however short."""
    quiet_listing: bool = False
    """The listing is down, unmatched or on holiday: what it shows is nobody's promise."""
    sales: int = 0
    moved_at: float = 0.0
    """When something last happened to it in Shopify."""

    def __setattr__(self, name: str, value: object) -> None:
        """Note each value of the pool: one that lasts a second may be read, and written."""
        object.__setattr__(self, name, value)
        if name == "pool":
            assert isinstance(value, int)
            object.__setattr__(self, "peak", max(getattr(self, "peak", value), value))

    def looked(self) -> int:
        """The most that the pool was since the last look."""
        peak, self.peak = max(self.peak, self.pool), self.pool
        return peak

    @property
    def unread(self) -> bool:
        """Whether something happened that invsyncd may not have read."""
        return bool(self.unread_since)

    @property
    def left(self) -> int:
        """Units that nobody has bought yet, anywhere."""
        return self.pool - self.in_transit

    def levels(self) -> list[Level]:
        """The true levels, inactive ones included."""
        return self.shop.ledger.of_item(self.item)

    def mirrored(self, types: Collection[str]) -> bool:
        """Whether it belongs into the mirror."""
        return self.tracked and not self.gone and (not types or self.product_type in types)

    def places(self, excluded: Collection[int]) -> list[Level]:
        """The true levels that are mirrored where the item is."""
        return [
            level
            for level in self.levels()
            if level.active
            and level.location not in excluded
            and self.shop.locations[level.location].active
        ]

    def touched(self, now: float, alone: str = "") -> None:
        """Something happened that has to be read."""
        self.unread_since, self.moved_at = self.unread_since or now, now
        self.alone = alone or self.alone

    def was_read(self) -> None:
        """Everything that happened is known and shown."""
        self.unread_since, self.alone = 0.0, ""
        self.falls.clear()

    def order(self, what: str, level: Level, units: int, now: float, interval_s: float) -> bool:
        """An order, a sale at the till, a cancellation or a shipment, if it may happen now."""
        if what not in _MEANWHILE[self.alone] or units <= 0:
            return False
        if what in ("cancel", "fulfil") and level.committed < units:
            return False
        if self.alone == "import" and level.available - units == self.imported_from:
            return False
        if what in ("till", "fulfil") and not self._may_fall(
            level.location, units, now, interval_s
        ):
            return False
        if what == "online" and self._is_gap and self.left < units:
            return False
        if what in ("till", "fulfil"):
            self.falls[level.location] = self.falls.get(level.location, 0) + units
        act = {
            "online": self.shop.sell_online,
            "till": self.shop.sell_till,
            "cancel": self.shop.cancel,
            "fulfil": self.shop.fulfil,
        }[what]
        act(self.item, level.location, units)
        self.pool += {"online": -units, "till": -units, "cancel": units}.get(what, 0)
        self.sales += what in ("online", "till")
        self.touched(now)
        return True

    @property
    def _is_gap(self) -> bool:
        return max(self.falls.values(), default=0) > SALE_MAX

    def _may_fall(self, place: int, units: int, now: float, interval_s: float) -> bool:
        fallen = self.falls.get(place, 0) + units
        if fallen <= SALE_MAX and not self._is_gap:
            return True
        intervals = int((now - self.unread_since) / interval_s) if self.unread else 0
        many = SALE_MAX * (intervals - 1) if intervals > 4 else SALE_MAX
        return fallen <= many and self.left >= units

    def state(self, what: str, place: Level, other: Level | None, units: int, now: float) -> bool:
        """A receipt, a count, a transfer or an import; everything before was read."""
        shop = self.shop
        if self.unread:
            return False
        match what:
            case "receive":
                shop.receive(self.item, place.location, units)
                self.pool += units
            case "count":
                shop.count(self.item, place.location, units)
                self.pool = units
            case _:
                if other is None:
                    return False
                shop.transfer(self.item, place.location, other.location, units)
        self.touched(now, "transfer" if what == "transfer" else "stated")
        return True

    def imported(self, levels: Collection[Level], units: int, now: float) -> bool:
        """One number is written to every level, by a file."""
        if self.unread or 0 <= self.pool - units <= SALE_MAX:
            return False
        for level in levels:
            self.shop.count(self.item, level.location, units)
        self.imported_from, self.pool = self.pool, units
        self.touched(now, "import")
        return True
