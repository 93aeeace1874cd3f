"""The people: they sell, ship, cancel, receive, count and edit in both shops, and keep books."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from invsyncd.sandbox.serve import Sandbox
from invsyncd.sandbox.shopify.records import Level
from stress.months.ledger import UNLIMITED, Book
from stress.months.life import INTERVAL_S, Machine
from stress.months.schedule import Act, Plan
from stress.months.weather import Sky
from tests.support import virtual

MAIN = "Main warehouse"
TYPES = ("Shirt", "Shirt", "Shirt", "Mug", "Poster")
FILTER = ("Shirt", "Mug")
FIXED = ("Berlin", "Hamburg")  # a deploy may name these, so they stay as they are
EXCLUDED = "Vienna"
LAG_S_MAX = 3600.0
AGAIN_S, AGAIN_MAX = 600.0, 300
ORDERS = ("online", "till", "tiktok", "cancel", "fulfil", "delivery", "draft")
PARCELS = 4


@dataclass(slots=True)
class Order:
    """An order that has not left the house. `place` is None while the connector has it."""

    book: Book
    units: int
    tiktok: bool
    place: int | None = None
    cancelled: bool = False


class People:
    """Everybody at work. `later` holds what will follow from what they did."""

    def __init__(self, made: Sandbox, plan: Plan, machine: Machine, sky: Sky, items: int) -> None:
        self.made, self.plan, self.machine, self.sky = made, plan, machine, sky
        self.books: list[Book] = []
        self.orders: list[Order] = []
        self.done: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.acted_at = 0.0
        self.story: Callable[[Book | None, str], None] = lambda _book, _text: None
        self.look_at: Callable[[Book], None] = lambda _book: None
        """Somebody who finds out whether everything that happened to it was read."""
        self.news = asyncio.Event()
        self.oversold = 0
        self.holidays = 0
        self._shunned: set[int] = set()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count(1)
        self._pop_ups = 0
        dice = random.Random(plan.seed)
        for _ in range(items):
            self._new_product(dice)

    # Time

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Something follows at this time, in Unix seconds; who waits for it is told."""
        self.news.set()
        heapq.heappush(self._later, (when, next(self._numbers), do))

    def due(self, until: float) -> Iterator[tuple[float, Callable[[], None]]]:
        """What follows up to this time, one after the other."""
        while self._later and self._later[0][0] <= until:
            when, _, do = heapq.heappop(self._later)
            yield when, do

    @property
    def next_at(self) -> float:
        """When something follows next."""
        return self._later[0][0] if self._later else float("inf")

    def wish(self, act: Act, tries: int = 0) -> None:
        """Do it if it can be done; whoever states or edits something comes again."""
        if self._try(act):
            self.done[act.what] += 1
            self.acted_at = virtual.clock()
        elif act.what in ORDERS or tries >= AGAIN_MAX:
            self.dropped[act.what] += 1
        else:
            self.at(virtual.clock() + AGAIN_S, partial(self.wish, act, tries + 1))

    # What is what

    @property
    def types(self) -> tuple[str, ...]:
        """The filter in the configuration file."""
        return self.machine.configuration.product_types

    @property
    def excluded(self) -> frozenset[int]:
        """Ids of the locations that the configuration excludes."""
        names = self.machine.configuration.excluded
        return frozenset(x.id for x in self.made.shop.locations.values() if x.name in names)

    def places(self, book: Book) -> list[Level]:
        """Where this item is mirrored."""
        return book.places(self.excluded)

    def is_plain(self, book: Book) -> bool:
        """Whether its number on TikTok is a share of its pool."""
        return book.mirrored(self.types) and not book.continues and not book.quiet_listing

    def offered(self, book: Book) -> int:
        """What TikTok must show of it at rest."""
        now = self.machine.configuration
        if not book.tracked or book.continues:
            return UNLIMITED
        levels = self.places(book)
        if now.mapped != ("*",):
            names = {x.id: x.name for x in self.made.shop.locations.values()}
            levels = [level for level in levels if names[level.location] in now.mapped]
        if not levels:
            return 0
        base = book.pool if book.mirrored(self.types) else sum(x.available for x in levels)
        base += self.of_its_own(book)
        return max(0, max(0, base) - now.reserve) * now.percent // 100

    def of_its_own(self, book: Book) -> int:
        """The stock of locations that the mirror excludes, which is sold beside the pool."""
        if self.machine.configuration.mapped != ("*",):
            return 0
        own = [x for x in book.places(frozenset()) if x.location in self.excluded]
        return max(0, sum(x.available for x in own))

    def shown(self, book: Book) -> int:
        """What TikTok shows of it."""
        return self.made.market.available(book.listing, self.made.warehouse)

    # Orders

    def _try(self, act: Act) -> bool:
        dice = random.Random(act.dice)
        if act.what in ORDERS:
            return bool(getattr(self, f"_{act.what}")(act, dice))
        if act.what in ("receive", "count", "transfer", "import"):
            return self._state(act, dice)
        return bool(getattr(self, "_wish_" + act.what.replace(" ", "_").lower())(act, dice))

    def _a_book(self, dice: random.Random) -> Book | None:
        found = [book for book in self.books if book.mirrored(self.types)]
        return dice.choice(found) if found else None

    def _open(self, book: Book) -> list[Level]:
        return [level for level in self.places(book) if level.location not in self._shunned]

    def buy_between(self, dice: random.Random) -> None:
        """Just before a write of invsyncd's arrives, somebody buys what it is about."""
        busy = [x for x in self.books if x.unread and not x.alone and x.mirrored(self.types)]
        if not busy:
            return
        what, units = dice.choice(("online", "till")), dice.choice((1, 1, 2))
        sold = self._sold(Act(0.0, what, units, 0), dice, dice.choice(busy))
        if sold is not None:
            self.done["between reading and write"] += 1
            self.acted_at = virtual.clock()
            if what == "online":
                self.orders.append(Order(sold[0], units, tiktok=False, place=sold[1].location))

    def buy_there_between(self, dice: random.Random) -> None:
        """The same on TikTok."""
        act = Act(0.0, "tiktok", 1, dice.getrandbits(32))
        if self._tiktok(act, random.Random(act.dice)):
            self.done["between reading and write"] += 1
            self.acted_at = virtual.clock()

    def _sold(
        self, act: Act, dice: random.Random, book: Book | None = None
    ) -> tuple[Book, Level] | None:
        book = book or self._a_book(dice)
        if book is None:
            return None
        levels = [level for level in self._open(book) if level.available >= act.units]
        if not levels:
            return None
        level = dice.choice(levels)
        if not self._order(act.what, book, level, act.units):
            return None
        self.story(book, f"{act.what} {act.units} at {level.location}")
        return book, level

    def _order(self, what: str, book: Book, level: Level, units: int) -> bool:
        """As the book does, once it is known whether everything before was read."""
        if book.unread:
            self.look_at(book)
        return book.order(what, level, units, virtual.clock(), INTERVAL_S)

    def _till(self, act: Act, dice: random.Random) -> bool:
        return self._sold(act, dice) is not None

    def _online(self, act: Act, dice: random.Random) -> bool:
        sold = self._sold(act, dice)
        if sold is None:
            return False
        self.orders.append(Order(sold[0], act.units, tiktok=False, place=sold[1].location))
        return True

    def _tiktok(self, act: Act, dice: random.Random) -> bool:
        book = self._a_book(dice)
        if book is None or book.alone == "whole" or not self.is_plain(book) or self.holidays:
            return False
        if self.shown(book) < act.units or (book._is_gap and book.left < act.units):
            return False
        self.made.market.sell(book.listing, self.made.warehouse, act.units)
        self.oversold += min(act.units, max(0, act.units - max(0, book.left)))
        book.in_transit += act.units
        book.sales += 1
        book.sold_there_at = now = virtual.clock()
        order = Order(book, act.units, tiktok=True)
        self.orders.append(order)
        self.story(book, f"tiktok sells {act.units}")
        lag_s = dice.uniform(5.0, LAG_S_MAX - 60.0)
        self.at(now + lag_s, partial(self._arrive, order, dice.getrandbits(32)))
        return True

    def _arrive(self, order: Order, seed: int) -> None:
        """The connector brings an order of TikTok's to Shopify."""
        if order.cancelled:
            return
        book, dice = order.book, random.Random(seed)
        levels = self._open(book)
        book.in_transit -= order.units
        now = virtual.clock()
        if levels and book.mirrored(self.types):
            level = dice.choice(levels)
            if self._order("online", book, level, order.units):
                order.place = level.location
                self.acted_at = now
                self.story(book, f"connector brings {order.units} to {level.location}")
                return
        book.in_transit += order.units
        self.at(now + 30.0, partial(self._arrive, order, dice.getrandbits(32)))

    def _cancel(self, _act: Act, dice: random.Random) -> bool:
        if not self.orders:
            return False
        order = dice.choice(self.orders)
        if order.tiktok:
            if order.book.quiet_listing or order.cancelled:
                return False
            order.cancelled = True
            self.made.market.cancel(order.book.listing, self.made.warehouse, order.units)
            order.book.sold_there_at = virtual.clock()
            order.book.cancelled_there.append((virtual.clock(), order.units))
            self.story(order.book, f"tiktok cancels {order.units}")
            if order.place is None:
                order.book.in_transit -= order.units
                self.orders.remove(order)
                return True
            order.book.in_transit -= order.units  # given back there, not yet here
            lag_s = dice.uniform(5.0, LAG_S_MAX)
            self.orders.remove(order)
            self.at(virtual.clock() + lag_s, partial(self._give_back, order))
            return True
        if not self._ends("cancel", order):
            return False
        self.orders.remove(order)
        return True

    def _give_back(self, order: Order) -> None:
        order.book.in_transit += order.units
        if not self._ends("cancel", order):
            order.book.in_transit -= order.units
            self.at(virtual.clock() + 120.0, partial(self._give_back, order))

    def _ends(self, what: str, order: Order) -> bool:
        book = order.book
        level = next((x for x in self.places(book) if x.location == order.place), None)
        if level is None or not book.mirrored(self.types):
            return False
        if not self._order(what, book, level, order.units):
            return False
        self.acted_at = virtual.clock()
        self.story(book, f"{what} {order.units} at {order.place}")
        return True

    def _fulfil(self, _act: Act, _dice: random.Random) -> bool:
        sent = 0
        for order in [order for order in self.orders if order.place is not None]:
            if sent < PARCELS and self._ship(order):
                sent += 1
        return sent > 0

    def _ship(self, order: Order) -> bool:
        if order.tiktok and order.book.quiet_listing:
            return False
        if not self._ends("fulfil", order):
            return False
        if order.tiktok:
            self.made.market.ship(order.book.listing, self.made.warehouse, order.units)
        self.orders.remove(order)
        return True

    # Stock that moves by events: these add up with whatever else happens

    def _delivery(self, _act: Act, dice: random.Random) -> bool:
        """A purchase order is on its way; what of it arrives is received some hours later."""
        book = self._a_book(dice)
        levels = self._open(book) if book else []
        if book is None or not levels:
            return False
        level, units = dice.choice(levels), dice.randint(1, 30)
        self.made.shop.expect(book.item, level.location, units)
        rejected = dice.choice((0, 0, 1))
        come = partial(self._arrived, book, level.location, units - rejected, rejected)
        self.at(virtual.clock() + dice.uniform(600.0, 6 * 3600.0), come)
        return True

    def _arrived(self, book: Book, place: int, accepted: int, rejected: int) -> None:
        shop = self.made.shop
        moved = partial(shop.arrive, book.item, place, accepted, rejected)
        self._moves(book, place, accepted, f"arrives {accepted}", moved)

    def _draft(self, _act: Act, dice: random.Random) -> bool:
        """A draft order reserves units, and is deleted again some hours later."""
        book = self._a_book(dice)
        levels = [x for x in self._open(book) if x.available > 0] if book else []
        if book is None or not levels or book.alone or book.left < 1:
            return False
        level = dice.choice(levels)
        units = dice.randint(1, min(5, level.available, book.left))
        moved = partial(self.made.shop.draft_order, book.item, level.location, units)
        self._moves(book, level.location, -units, f"draft {units}", moved)
        self.at(
            virtual.clock() + dice.uniform(600.0, 6 * 3600.0),
            partial(self._undrafted, book, level.location, units),
        )
        return True

    def _undrafted(self, book: Book, place: int, units: int) -> None:
        moved = partial(self.made.shop.set_aside, book.item, place, -units)
        self._moves(book, place, units, f"draft deleted {units}", moved)

    def _moves(
        self, book: Book, place: int, units: int, said: str, moved: Callable[[], None]
    ) -> None:
        """Do it now, or later while something of this item must be read alone."""
        if book.unread:
            self.look_at(book)
        here = [level for level in self._open(book) if level.location == place]
        if book.alone or not here or not book.mirrored(self.types):
            if not book.gone:
                again = partial(self._moves, book, place, units, said, moved)
                self.at(virtual.clock() + AGAIN_S, again)
            return
        moved()
        book.pool += units
        book.touched(virtual.clock())
        self.acted_at = virtual.clock()
        self.story(book, f"{said} at {place}")

    # Statements of stock

    def _state(self, act: Act, dice: random.Random) -> bool:
        book = self._a_book(dice)
        if act.what == "receive":  # what runs low is ordered anew
            low = sorted(
                (book for book in self.books if book.mirrored(self.types)), key=lambda b: b.pool
            )
            book = dice.choice(low[:4]) if low else None
        if book is None or book.unread:
            return False
        now, levels = virtual.clock(), self._open(book)
        if not levels:
            return False
        if act.what == "import":
            calm = self.plan.calm(now - self.plan.begin, 3 * INTERVAL_S)
            happened = calm and book.imported(self.places(book), act.units, now)
        else:
            place, *others = dice.sample(levels, min(2, len(levels)))
            other = others[0] if others else None
            happened = book.state(act.what, place, other, act.units, now)
        if happened:
            self.story(book, f"{act.what} {act.units}")
        return happened

    # Edits

    def _settled(self, *, tiktok: bool = True) -> list[Book]:
        """Books that may be edited: everything is read and no order is on its way."""
        return [
            book
            for book in self.books
            if not book.unread and not book.in_transit and not book.gone
            if not tiktok or not any(o.book is book and o.tiktok for o in self.orders)
        ]

    def _edit(self, book: Book, undo_s: float, undo: Callable[[], bool], said: str) -> bool:
        """An edit happened to a book; later it is undone, when that may be."""
        book.touched(virtual.clock(), "whole")
        self.story(book, said)
        if undo_s:
            self.at(virtual.clock() + undo_s, partial(self._undo, book, undo, f"undo {said}"))
        return True

    def _undo(self, book: Book, undo: Callable[[], bool], said: str) -> None:
        if book.unread or book.in_transit or not undo():
            self.at(virtual.clock() + AGAIN_S, partial(self._undo, book, undo, said))
            return
        self.acted_at = virtual.clock()
        self.story(book, said)
        book.touched(virtual.clock(), "whole")

    def _one_settled(self, dice: random.Random, *, mirrored: bool = True) -> Book | None:
        found = [
            book
            for book in self._settled()
            if book.tracked and not book.continues and not book.quiet_listing
            if not mirrored or book.mirrored(self.types)
        ]
        return dice.choice(found) if found else None

    def _wish_untrack(self, act: Act, dice: random.Random) -> bool:
        book = self._one_settled(dice)
        if book is None:
            return False

        def track(tracked: bool = True) -> bool:
            self.made.shop.set_tracked(book.item, tracked)
            book.tracked = tracked
            return True

        track(tracked=False)
        return self._edit(book, act.units, track, "untrack")

    def _wish_continue(self, act: Act, dice: random.Random) -> bool:
        book = self._one_settled(dice)
        if book is None:
            return False

        def deny(continues: bool = False) -> bool:
            self.made.shop.set_policy(book.item, "CONTINUE" if continues else "DENY")
            book.continues = continues
            return True

        deny(continues=True)
        return self._edit(book, act.units, deny, "continue")

    def _wish_other_type(self, act: Act, dice: random.Random) -> bool:
        book = self._one_settled(dice)
        if book is None:
            return False
        before = book.product_type

        def to(kind: str = before) -> bool:
            self.made.shop.set_product_type(book.item, kind)
            book.product_type = kind
            return True

        to("Poster" if before != "Poster" else "Shirt")
        return self._edit(book, act.units, to, "other type")

    def _wish_rename_the_sku(self, act: Act, dice: random.Random) -> bool:
        book = self._one_settled(dice)
        if book is None:
            return False
        before = book.sku
        book.quiet_listing = True

        def listing() -> bool:
            if book.sku == before:
                self.made.market.rename_sku(book.listing, f"{before}-B")
                book.sku = f"{before}-B"
                book.quiet_listing = False
            return True

        self.made.shop.set_sku(book.item, f"{before}-B")
        self.at(virtual.clock() + act.units, partial(self._undo, book, listing, "rename listing"))
        return self._edit(book, 0, listing, "rename the SKU")

    def _wish_stop_stocking(self, act: Act, dice: random.Random) -> bool:
        book = self._one_settled(dice)
        levels = [x for x in self._open(book) if not x.committed] if book else []
        if book is None or len(self.places(book)) < 3 or not levels:
            return False
        place = dice.choice(levels).location
        self.made.shop.deactivate(book.item, place)

        def stock() -> bool:
            if not self.made.shop.locations[place].active or place in self.excluded:
                return False
            if not book.mirrored(self.types):
                return False
            self.made.shop.activate(book.item, place)
            return True

        return self._edit(book, act.units, stock, f"stop stocking at {place}")

    def _new_product(self, dice: random.Random) -> Book:
        shop = self.made.shop
        sku, units = f"SKU-{len(self.books) + 1:02d}", dice.randint(30, 90)
        kind = dice.choice(TYPES)
        out = self.excluded if self.books else frozenset()
        places = [x.id for x in shop.locations.values() if x.active and x.id not in out]
        item = shop.add_item(sku, stock=dict.fromkeys(places, units), product_type=kind)
        _, listing = self.made.market.add_listing(sku, stock={self.made.warehouse: 0})
        book = Book(sku, item, units, shop, listing, kind)
        self.books.append(book)
        return book

    def _wish_new_product(self, _act: Act, dice: random.Random) -> bool:
        book = self._new_product(dice)
        return self._edit(book, 0, lambda: True, f"new product {book.pool}")

    def _wish_duplicate_product(self, act: Act, dice: random.Random) -> bool:
        """Somebody copies a product, SKU included, and deletes the copy again."""
        book = self._one_settled(dice)
        if book is None:
            return False
        shop = self.made.shop
        places = [x.id for x in shop.locations.values() if x.active]
        copy = shop.add_item(book.sku, stock=dict.fromkeys(places, 500), product_type="Copy")
        shop.set_status(copy, ("DRAFT", "ACTIVE")[act.dice % 2])

        def delete() -> bool:
            shop.delete(copy)
            return True

        return self._edit(book, act.units, delete, "duplicate product")

    def _wish_delete_product(self, _act: Act, dice: random.Random) -> bool:
        book = self._one_settled(dice)
        if book is None or any(order.book is book for order in self.orders):
            return False
        self.made.market.delete_product(self.made.market.sku(book.listing).product_id)
        for level in book.places(frozenset()):
            self.made.shop.deactivate(book.item, level.location)
        book.gone = book.quiet_listing = True
        self.story(book, "delete product")
        return True

    def _wish_take_listing_down(self, act: Act, dice: random.Random) -> bool:
        book = self._one_settled(dice)
        if book is None:
            return False
        product = self.made.market.sku(book.listing).product_id

        def back() -> bool:
            self.made.market.set_status(product, "ACTIVATE")
            book.quiet_listing = False
            return True

        self.made.market.set_status(product, "SELLER_DEACTIVATED")
        book.quiet_listing = True
        return self._edit(book, act.units, back, "take listing down")

    def _wish_list_anew(self, _act: Act, dice: random.Random) -> bool:
        book = self._one_settled(dice)
        if book is None:
            return False
        market, old, none = self.made.market, book.listing, {self.made.warehouse: 0}
        product = market.sku(old).product_id
        if dice.random() < 0.5:
            market.delete_product(product)
            _, book.listing = market.add_listing(book.sku, stock=none)
        else:
            _, book.listing = market.add_listing(book.sku, stock=none, product=product)
            market.remove_sku(old)
        return self._edit(book, 0, lambda: True, f"list anew as {book.listing}")

    def _wish_warehouse_holiday(self, act: Act, _dice: random.Random) -> bool:
        if self.holidays:
            return False
        self.made.market.set_warehouse_status(self.made.warehouse, "RESTRICTED")
        self.holidays += 1
        self.story(None, "warehouse holiday")

        def over() -> None:
            self.made.market.set_warehouse_status(self.made.warehouse, "ENABLED")
            self.holidays -= 1
            self.acted_at = virtual.clock()
            for book in self.books:
                book.sold_there_at = virtual.clock()
            self.story(None, "holiday over")

        self.at(virtual.clock() + act.units, over)
        return True

    # Places

    def all_settled(self) -> bool:
        """Whether everything that happened anywhere is read and no order is on its way."""
        return not any((book.unread or book.in_transit) and not book.gone for book in self.books)

    def all_touched(self) -> None:
        """Something happened to every item at once."""
        for book in self.books:
            if not book.gone:
                book.touched(virtual.clock(), "whole")
        self.acted_at = virtual.clock()

    def _wish_open_location(self, act: Act, _dice: random.Random) -> bool:
        if not self.all_settled() or not self._all_mirrored():
            return False
        shop = self.made.shop
        self._pop_ups += 1
        place = shop.add_location(f"Pop-up {self._pop_ups}")
        for book in self.books:
            if not book.gone:
                shop.activate(book.item, place)
        self.all_touched()
        self.story(None, f"open location {place}")
        self.at(virtual.clock() + act.units, partial(self._close, place, 0.0))
        return True

    def _wish_close_location(self, act: Act, _dice: random.Random) -> bool:
        place = self.made.shop.location("Munich" if self._has("Munich") else "Munich 2")
        if place in self._shunned or not self.made.shop.locations[place].active:
            return False
        self._close(place, float(act.units), "Berlin" if act.dice % 2 else None)
        return True

    def _has(self, name: str) -> bool:
        return any(place.name == name for place in self.made.shop.locations.values())

    def _close(self, place: int, undo_s: float, to: str | None = None) -> None:
        """Send out what was ordered there, and when that is done and read, close.

        The stock of the location may move to another one: the same units, not more of them.
        """
        self._shunned.add(place)
        for order in [order for order in self.orders if order.place == place]:
            self._ship(order)
        busy = any(level.committed for level in self.made.shop.ledger.at_location(place))
        if busy or not self.all_settled():
            self.at(virtual.clock() + AGAIN_S / 2, partial(self._close, place, undo_s, to))
            return
        self.made.shop.deactivate_location(place, to)
        self.all_touched()
        self.story(None, f"close location {place}")
        if undo_s:
            self.at(virtual.clock() + undo_s, partial(self._reopen, place))

    def _all_mirrored(self) -> bool:
        """Whether a level that opens now joins a pool. One that opens empty beside stock of an item
        outside the mirror makes that item's levels unequal when it comes back."""
        living = [book for book in self.books if not book.gone]
        return not self.excluded and all(book.mirrored(self.types) for book in living)

    def _reopen(self, place: int) -> None:
        if not self.all_settled() or not self._all_mirrored():
            self.at(virtual.clock() + AGAIN_S, partial(self._reopen, place))
            return
        record = self.made.shop.locations[place]
        record.active, record.deactivated_at = True, None
        record.updated_at = self.made.shop.now()
        for book in self.books:
            if not book.gone:
                self.made.shop.activate(book.item, place)
        self._shunned.discard(place)
        self.all_touched()
        self.story(None, f"reopen location {place}")

    def _wish_rename_location(self, _act: Act, _dice: random.Random) -> bool:
        name = "Munich" if self._has("Munich") else "Munich 2"
        record = self.made.shop.locations[self.made.shop.location(name)]
        record.name = "Munich 2" if name == "Munich" else "Munich"
        record.updated_at = self.made.shop.now()
        self.story(None, f"rename location {name}")
        return True
