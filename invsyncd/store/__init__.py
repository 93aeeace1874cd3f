"""The state database: everything that must survive a crash, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from invsyncd.store.assortment import Assortment
from invsyncd.store.attempts import Attempts
from invsyncd.store.backup import BASELINE, copy_to
from invsyncd.store.census import Census, ListingCensus
from invsyncd.store.components import Components
from invsyncd.store.database import Database, prepare, refuse_directory, take_lock
from invsyncd.store.differing import Differing
from invsyncd.store.journal import Journal
from invsyncd.store.levels import KnownCatalogue, Levels
from invsyncd.store.listings import Listings
from invsyncd.store.locations import Locations
from invsyncd.store.lost_levels import LostLevels
from invsyncd.store.meta import Meta, Reported
from invsyncd.store.notices import ListingNotices
from invsyncd.store.other_writers import OtherWriters
from invsyncd.store.owed import OwedWrites, PlannedImpacts
from invsyncd.store.requests import Requests
from invsyncd.store.restore import Restored, put_in_place
from invsyncd.store.scans import Scans
from invsyncd.store.scratch import (
    address,
    back_up,
    is_in_use,
    is_readable,
    read_only,
    scratch_copy,
)
from invsyncd.store.stock import StockList
from invsyncd.store.unreadable import Unreadable

__all__ = [
    "BASELINE",
    "Restored",
    "Store",
    "back_up",
    "copy_to",
    "is_in_use",
    "is_readable",
    "prepare",
    "put_in_place",
    "read_only",
    "refuse_directory",
    "scratch_copy",
    "take_lock",
]


class Store:
    """One database, by subject. Several subjects may be written in one `transaction`."""

    def __init__(self, database: Database) -> None:
        self.transaction = database.transaction
        self.refresh = database.refresh
        self.locations = Locations(database)
        self.levels = Levels(database)
        self.owed = OwedWrites(database)
        self.catalogue = KnownCatalogue(database)
        self.components = Components(database)
        self.census = Census(database)
        self.stock = StockList(database)
        self.differing = Differing(database)
        self.unreadable = Unreadable(database)
        self.lost_levels = LostLevels(database)
        self.attempts = Attempts(database)
        self.listings = Listings(database)
        self.assortment = Assortment(database)
        self.listing_census = ListingCensus(database)
        self.requests = Requests(database)
        self.scans = Scans(database)
        self.journal = Journal(database)
        self.meta = Meta(database)
        self.reported = Reported()
        self.notices = ListingNotices(database)
        self.drift = OtherWriters(database)
        self.impacts = PlannedImpacts(database)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Store]:
        """Prepare and open the file at `path`; raises StateError where it cannot be trusted."""
        prepare(path)
        async with Database.open(path) as database:
            yield cls(database)

    @classmethod
    @asynccontextmanager
    async def read(cls, path: Path) -> AsyncIterator[Store]:
        """Open the file at `path` for reading, beside a daemon: all that is read is of one moment.

        Nothing is migrated, locked, or copied unless the file cannot be read as it lies there.
        Raises StateError where it cannot be trusted.
        """
        if is_readable(path):
            async with Database.read(path, address(path)) as database:
                yield cls(database)
            return
        with scratch_copy(path) as copy:
            async with Database.open(copy) as database:
                yield cls(database)
