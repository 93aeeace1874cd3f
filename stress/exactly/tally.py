"""The model: one expected pool per item, and the acts for which the merge table allows one.

Orders, cancellations, fulfilments and till sales add up always, as long as each level's falls stay
within `sale_max` in one poll window (row 2), and not all levels sell alike at one moment, which is
how an import looks (row 1). A receipt, a count, a transfer and an import speak of stock in another
way: two of them in one window may be contradictory counts (row 5), the one exception of law 2. So
they are done only when everything before was read, and until they are read nothing follows that
could contradict them; orders always may, and till sales beside one receipt or one count. What is
excluded by these preconditions:

- two of receive/count/transfer/import unread at once, or a transfer or an import with a till sale
  or a fulfilment elsewhere;
- till sales at every active level of an item in one window, and what looks like one: an order
  that was shipped before anybody read it leaves no trace but a lower number;
- cancellations with an unread transfer or import: the fall of `committed` cannot be told from a
  shipment, so the counted value would come out otherwise;
- an import of a number that differs by at most `sale_max`: once an order has stamped one of its
  levels anew, no two of them are of one moment, and rows 2 and 3 add it up;
- an order that takes a level back to where an unread import found it: available then stands still,
  and by the table a level whose available stands still did not change;
- changes of a level that was just (de)activated, or of an item that enters or leaves the mirror,
  before that was read: by the table such a change is not counted (joining, first sight).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from invsyncd.sandbox.shopify.records import Level
from invsyncd.sandbox.shopify.shop import Shop
from stress.exactly.history import EXCLUSIVE, Act

SALE_MAX = 10
UNLIMITED = 999_999
LISTED, UNLISTED = "Shirt", "Mug"

_ORDERS_TOO = {"": ("online", "till", "cancel", "fulfil"), "one": ("online", "cancel", "till")}
_ORDERS_TOO |= {"level": _ORDERS_TOO[""], "transfer": ("online",), "import": ("online",)}


@dataclass
class Tally:
    """What one item should show. `alone` names what must be read before anything else.

    `alone_at` is the place of a level that was switched, or the pool that an import found.
    """

    sku: str
    pool: int
    shop: Shop
    unread: bool = False
    alone: str = ""
    alone_at: int = 0
    tracked: bool = True
    continues: bool = False
    listed: bool = True
    falls: dict[int, int] = field(default_factory=dict)
    sold_at: set[int] = field(default_factory=set)
    ordered_at: set[int] = field(default_factory=set)
    done: int = 0

    @property
    def levels(self) -> dict[int, Level]:
        """The true levels by location, inactive ones included."""
        return {level.location: level for level in self.shop.ledger.of_item(self.item)}

    @property
    def active(self) -> list[Level]:
        """The true levels that are active."""
        return [level for level in self.levels.values() if level.active]

    @property
    def item(self) -> int:
        """Its id."""
        return self.shop.item(self.sku)

    @property
    def mirrored(self) -> bool:
        """Whether it belongs into the mirror."""
        return self.tracked and self.listed

    @property
    def offered(self) -> int:
        """What TikTok should show."""
        if not self.tracked or self.continues:
            return UNLIMITED
        total = self.pool if self.listed else sum(level.available for level in self.active)
        return max(total, 0)

    def was_read(self) -> None:
        """Everything that happened is known and delivered."""
        self.unread, self.alone = False, ""
        self.falls.clear()
        self.sold_at.clear()
        self.ordered_at.clear()

    def act(self, act: Act) -> bool:
        """Let it happen if it may; returns whether it did."""
        places = list(self.levels)
        place = places[act.place % len(places)]
        if act.what in ("tracked", "policy", "type"):
            happened = not self.unread and self._toggle(act.what)
        elif act.what in ("activate", "deactivate"):
            happened = not self.unread and self.mirrored and self._switch(act.what, place)
        elif act.what in EXCLUSIVE:
            happened = not self.unread and self._state(act, place)
        else:
            happened = self.mirrored and self._order(act.what, place, act.units)
        self.unread = self.unread or happened
        self.done += happened
        return happened

    def _order(self, what: str, place: int, units: int) -> bool:
        level = self.levels[place]
        if not level.active or not self._lets(what, level, units):
            return False
        if what in ("cancel", "fulfil"):
            units = min(units, level.committed)
        if what in ("till", "fulfil"):
            units = min(units, SALE_MAX - self.falls.get(place, 0))
            self.falls[place] = self.falls.get(place, 0) + max(units, 0)
        sold = what == "till" or (what == "fulfil" and place in self.ordered_at)
        if units <= 0 or (sold and self._would_be_everywhere(place)):
            return False
        match what:
            case "online":
                self.ordered_at.add(place)
                self.shop.sell_online(self.sku, place, units)
            case "till":
                self.shop.sell_till(self.sku, place, units)
            case "cancel":
                self.shop.cancel(self.sku, place, units)
            case _:
                self.shop.fulfil(self.sku, place, units)
        self.pool += {"online": -units, "till": -units, "cancel": units}.get(what, 0)
        return True

    def _would_be_everywhere(self, place: int) -> bool:
        """Whether with a sale there, every active level has one that is unread."""
        self.sold_at.add(place)
        everywhere = self.sold_at.issuperset(level.location for level in self.active)
        if everywhere:
            self.sold_at.discard(place)
        return everywhere

    def _lets(self, what: str, level: Level, units: int) -> bool:
        """Whether what is still unread would not be contradicted or hidden."""
        switched = self.alone == "level" and level.location == self.alone_at
        hidden = self.alone == "import" and level.available - units == self.alone_at
        return what in _ORDERS_TOO.get(self.alone, ()) and not switched and not hidden

    def _state(self, act: Act, place: int) -> bool:
        """A receipt, a count, a transfer or an import: all that came before is read."""
        active = [level.location for level in self.active]
        if act.what == "import":
            if abs(self.pool - act.units) <= SALE_MAX and self.mirrored:
                return False
            for one in active:
                self.shop.count(self.sku, one, act.units)
            self.alone, self.alone_at = "import", self.pool
            self.pool = act.units
            return True
        if place not in active or not self.mirrored:
            return False
        other = active[(active.index(place) + 1) % len(active)]
        if act.what == "transfer" and other == place:
            return False
        self.alone = "transfer" if act.what == "transfer" else "one"
        match act.what:
            case "receive":
                self.shop.receive(self.sku, place, act.units)
                self.pool += act.units
            case "count":
                self.shop.count(self.sku, place, act.units)
                self.pool = act.units
            case _:
                self.shop.transfer(self.sku, place, other, act.units)
        return True

    def _switch(self, what: str, place: int) -> bool:
        level = self.levels[place]
        if level.active is (what == "activate") or (level.active and len(self.active) < 2):
            return False
        (self.shop.activate if what == "activate" else self.shop.deactivate)(self.sku, place)
        self.alone, self.alone_at = "level", place
        return True

    def _toggle(self, what: str) -> bool:
        self.alone = "whole"
        match what:
            case "tracked":
                self.tracked = not self.tracked
                self.shop.set_tracked(self.sku, self.tracked)
            case "policy":
                self.continues = not self.continues
                self.shop.set_policy(self.sku, "CONTINUE" if self.continues else "DENY")
            case _:
                self.listed = not self.listed
                self.shop.set_product_type(self.sku, LISTED if self.listed else UNLISTED)
        return True
