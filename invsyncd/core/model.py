"""The domain model. Its words are used in code, columns, logs and options, without synonyms.

ITEM      a Shopify inventory item: SKU, tracked, policies and product types over its variants.
LOCATION  a Shopify location.
LEVEL     one item at one location: available, committed and on_hand units; active or not. A
          Level object is what is *known*: last read, or confirmed by Shopify.
READING   what a poll, a point read or a full scan returned for one level.
CHANGE    reading − known of `available`, when it is not zero: a true delta. Its parts are orders,
          received, set aside, and the rest (`stock`).
POOL      the one number that every mirrored level of an item should show.
LISTING   a TikTok Shop (product_id, sku_id) matched to an item.
OFFER     what one listing shows in one warehouse, and what it should show.
WRITE     one planned assignment; an ATTEMPT is one request that carries writes.
PASS      one run of poll → diff → merge → plan → commit → deliver → confirm.

All quantities are whole units. All times are Unix seconds by the server's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from invsyncd.core.journal import EntryKind


class Standing(StrEnum):
    """Where an item stands with the mirror."""

    OUT = "out"  # untracked, filtered out or refused by Shopify: never written
    NEW = "new"  # in scope, but not all of its levels were seen yet
    FOLLOWING = "following"  # its levels differed when first seen: the next change becomes the pool
    POOLED = "pooled"  # has a pool
    HELD = "held"  # contradictory; nothing is written to either target until resolved


class Unlevelled(StrEnum):
    """What to do with an item whose levels differ when they are first seen."""

    FOLLOW = "follow"
    HOLD = "hold"
    LOWEST = "lowest"
    HIGHEST = "highest"
    LATEST = "latest"


class OnConflict(StrEnum):
    """Which number wins when several locations were counted differently."""

    LOWEST = "lowest"
    LATEST = "latest"
    SUM = "sum"
    HOLD = "hold"


class Target(StrEnum):
    """What we write to."""

    SHOPIFY = "shopify"
    TIKTOK = "tiktok"


@dataclass(frozen=True, slots=True)
class Location:
    """A Shopify location. `managed` means that a fulfilment service keeps its stock."""

    id: int
    name: str
    active: bool = True
    managed: bool = False


@dataclass(frozen=True, slots=True)
class LocationList:
    """The locations of a shop, and what of the answer cannot be read (law 10).

    `odd` maps the id of each location that cannot be read to the reason. `lost` are the errors of
    rows that name no location. `closed` are the odd ones that say at least that they are inactive.
    """

    readable: list[Location]
    odd: Mapping[int, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    closed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """One level as Shopify just said it. `updated_at` is the newest of its timestamps.

    `direct` tells a point read, begun after every write that we had confirmed, from a row that a
    poll returned. `answered_at` is the server's time of the answer to a point read. `counted_at`
    is the stamp of `available` alone, 0 where Shopify gave none: a shipment does not move it.
    `is_now` is Shopify's answer where it was asked whether `available` is the value of now.
    """

    item: int
    location: int
    available: int
    committed: int
    on_hand: int
    updated_at: int
    active: bool = True
    direct: bool = False
    answered_at: int = 0
    incoming: int = 0
    counted_at: int = 0
    is_now: bool | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """One level as it is known.

    `confirmed_at` is the server time of our last confirmed write: a polled reading that is not
    newer may show the number before that write. `doubtful` asks for a direct read, because a
    reading had to be set aside. `wanted` is what the mirror wants the level to show; None leaves
    the level alone.
    """

    item: int
    location: int
    available: int
    committed: int
    on_hand: int
    updated_at: int
    active: bool = True
    confirmed_at: int = 0
    doubtful: bool = False
    wanted: int | None = None
    incoming: int = 0
    counted_at: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Component:
    """What one unit of a bundle takes: so many units of an item."""

    item: int
    units: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What Shopify's catalogue says of an item, over all its variants.

    `on_sale`: the product of any variant is neither a draft nor archived. `bundle`: any variant is
    made of components, so that Shopify works out its stock and lets nobody set it. `components` are
    read only where `tiktok.bundles` asks for them; they come in the order of their items.
    """

    item: int
    sku: str
    tracked: bool
    continues: bool  # any variant keeps selling when out of stock
    product_types: tuple[str, ...]
    on_sale: bool = True
    bundle: bool = False
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """An item and where it stands. `mutable` is False once Shopify refused to set the item.

    `pool_before` is the pool before its last change. `unanswered` units came up (or left, below 0)
    at `unanswered_at`, and may be half of a move (see `relocation.py`). The other facts are those
    of `Catalogue`.
    """

    id: int
    sku: str
    tracked: bool = True
    continues: bool = False
    product_types: tuple[str, ...] = ()
    mutable: bool = True
    standing: Standing = Standing.NEW
    pool: int | None = None
    on_sale: bool = True
    bundle: bool = False
    pool_before: int | None = None
    unanswered: int = 0
    unanswered_at: int = 0
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One true delta of one level, with its parts.

    `committed` and `incoming` are how far those moved. `apart` is how many units the states that
    nobody can buy from gave back (damaged, reserved, safety stock): Δavailable + Δcommitted −
    Δon_hand. `updated_at` is the level's newest stamp, `counted_at` that of `available`: only the
    latter tells when a number was typed. `gap_intervals`: whole intervals since a good reading, if
    over three. `left` is a level that leaves with this change, `closed` one whose location was
    deactivated; only such a change may have no delta. `moved` marks both sides of stock that left
    one level with it and came up at another.
    """

    location: int
    before: int
    after: int
    committed: int = 0
    incoming: int = 0
    apart: int = 0
    updated_at: int = 0
    counted_at: int = 0
    gap_intervals: int = 0
    left: bool = False
    closed: bool = False
    moved: bool = False

    @property
    def delta(self) -> int:
        """Δavailable in units: what really happened to the number."""
        return self.after - self.before

    @property
    def orders(self) -> int:
        """The part that orders and cancellations explain.

        A cancelled order gives its units back to available; a shipped one takes them from
        committed and leaves available alone. So where committed fell, only as much of the fall was
        a cancellation as available rose.
        """
        fell = -self.committed
        return fell if fell <= 0 else min(fell, max(self.delta, 0))

    @property
    def received(self) -> int:
        """The part that came in from a transfer or a purchase order."""
        return min(max(-self.incoming, 0), max(self.delta - self.orders, 0))

    @property
    def set_aside(self) -> int:
        """The part that was set aside (below 0) or given back: on_hand did not move with it."""
        left_over = self.delta - self.orders - self.received
        fits = self.apart * left_over > 0 and abs(self.apart) <= abs(left_over)
        return self.apart if fits else 0

    @property
    def stock(self) -> int:
        """The rest: a till sale, an adjustment, a return, a count, an import."""
        return self.delta - self.orders - self.received - self.set_aside

    @property
    def counted(self) -> int:
        """The number that somebody may have typed here, beside all other parts."""
        return self.before + self.stock

    @property
    def said(self) -> int:
        """The same number with what was set aside: an import or a safety stock leaves this one."""
        return self.counted + self.set_aside


@dataclass(frozen=True, slots=True)
class ItemState:
    """An item with all its known levels, by location id.

    `parts` are the states of a bundle's components by item id, where somebody filled them in; one
    that is not known, or cannot be read, is absent.
    """

    item: Item
    levels: dict[int, Level]
    parts: Mapping[int, ItemState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LevelWrite:
    """Set one level: sent with `before` as its compare-and-set value."""

    item: int
    location: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One Shopify write request, kept until its outcome is known and repeated with its own key.

    `sent` says that it may have been on the wire. Sending one that never was is no repetition.
    """

    key: str
    pass_id: str
    created_at: int
    rows: tuple[LevelWrite, ...]
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """One TikTok Shop SKU. `item` is None while no Shopify item matches it.

    `sku` is the Shopify SKU that the listing sells: its seller SKU, unless a link names another.
    A link may also name one of several items with that SKU (`linked_item`). `kind` is empty until
    its product was inspected. `parked` is why it may not be written, empty while it may; it is
    tried again at `parked_until`, where 0 means now.
    """

    product_id: str
    sku_id: str
    seller_sku: str
    item: int | None = None
    status: str = ""
    parked: str = ""
    kind: str = ""
    updated_at: int = 0
    parked_by: str = ""
    parked_until: int = 0
    sku: str = ""
    linked_item: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Its ids at TikTok Shop: (product_id, sku_id)."""
        return self.product_id, self.sku_id


@dataclass(frozen=True, slots=True)
class Offer:
    """One listing in one warehouse.

    `shown` is the last quantity that TikTok confirmed or showed; None when it is not known.
    `wanted` is the rule's result; None leaves the warehouse as it is.
    """

    product_id: str
    sku_id: str
    warehouse: str
    shown: int | None = None
    wanted: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal: why a number became what it is. `numbers` is plain JSON data."""

    kind: EntryKind
    item: int | None
    sku: str
    numbers: dict[str, object]
