"""The facts that `explain` works from: all that is known of one item, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from invsyncd.core.guard import Pause
from invsyncd.core.model import Attempt, ItemState, Listing, Target
from invsyncd.planning.rules import Rules
from invsyncd.store.listings import OfferState
from invsyncd.store.locations import KnownLocation
from invsyncd.store.notices import Notice

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What the running daemon knows of one target. `went_well_at` is a Unix second."""

    dead: bool
    trouble: str
    throttled: bool
    went_well_at: int | None


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """Facts that are the same for every item.

    `rules` is None if the configuration does not fit the shop. `targets` is None if no daemon
    runs. `warehouses` are names by id, `paused` the pauses by target.
    """

    now: int
    rules: Rules | None
    locations: Mapping[int, KnownLocation]
    warehouses: Mapping[str, str]
    baseline: bool
    paused: Mapping[Target, Pause]
    targets: Mapping[Target, TargetFacts] | None

    @property
    def names(self) -> dict[int, str]:
        """The name of every location, by id."""
        return {known.location.id: known.location.name for known in self.locations.values()}

    def location(self, location: int) -> str:
        """The name of a location."""
        known = self.locations.get(location)
        return known.location.name if known else f"location {location}"

    def warehouse(self, warehouse: str) -> str:
        """The name of a warehouse."""
        return self.warehouses.get(warehouse, f"warehouse {warehouse}")


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """One listing. `holds` are (units, until), and `other_writers` reasons, both by warehouse.

    `unreadable` is why TikTok's answers about it cannot be read; "" if they can.
    """

    listing: Listing
    offers: tuple[OfferState, ...] = ()
    holds: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    other_writers: Mapping[str, str] = field(default_factory=dict)
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One item, its listings, its attempts in flight, and its journal lines, oldest first.

    `lost` are listings that sold it, or warehouses that did, with the reason and what ends it.
    """

    state: ItemState
    listings: tuple[ListingFacts, ...]
    attempts: tuple[Attempt, ...]
    rows: tuple[Row, ...]
    lost: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found under one name.

    `more` is how many further items have the SKU. `unmatched` are listings of that SKU to which
    no item was matched. `write` are the lines of the named write, if the name was that of a write.
    """

    sku: str
    shop: ShopFacts
    items: tuple[ItemFacts, ...]
    more: int = 0
    unmatched: tuple[Listing, ...] = ()
    unmatched_rows: tuple[Row, ...] = ()
    write: tuple[Row, ...] = ()
