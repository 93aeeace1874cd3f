"""Says once what is new about listings and warehouses, in the journal and in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from invsyncd.core.clocks import Clocks
from invsyncd.core.journal import EntryKind
from invsyncd.core.lost_listings import is_back, is_still_lost, lost_entry, was_managed
from invsyncd.core.model import Entry, Listing
from invsyncd.planning.rulebook import Rulebook
from invsyncd.store import Store
from invsyncd.store.listings import Key
from invsyncd.store.notices import Notice, Subject
from invsyncd.tiktok.shop import ListingPage

log = logging.getLogger(__name__)

LINES_MAX = 20  # of one kind at once; the journal has them all
Place = tuple[str, str, str]  # (product_id, sku_id, warehouse)


class Notices:
    """Reports what is new about listings and warehouses, once, also across restarts."""

    def __init__(self, store: Store, rulebook: Rulebook, clocks: Clocks) -> None:
        self._store = store
        self._rulebook = rulebook
        self._clocks = clocks

    async def unreadable_warehouses(self, odd: Mapping[str, str]) -> None:
        """Report the warehouses that cannot be read; they stay as they were known."""
        rows = [Notice("", "", why, warehouse=name) for name, why in odd.items()]
        await self._renew(Subject.WAREHOUSES, rows, lambda _: True)

    async def unreadable_rows(self, page: ListingPage, aside: Sequence[Listing]) -> None:
        """Report what of a search's page cannot be read, and what can be read again.

        `aside` are the known listings that the odd rows are about.
        """
        skus = {x.key: x for x in aside}
        rows = []
        for odd in page.odd:
            known = skus.get((odd.product_id, odd.sku_id))
            sku, item = (known.sku or known.seller_sku, known.item) if known else ("", None)
            rows.append(Notice(odd.product_id, odd.sku_id, odd.why, sku=sku, item=item))
        shown = {x.product_id for x in page.listings} | {x.product_id for x in page.odd}
        await self._renew(Subject.LISTINGS, rows, lambda x: x.product_id in shown)

    async def searched_all(self, seen: Collection[Place]) -> None:
        """End the notices about rows that a whole search showed no more as odd."""
        known = await self._store.notices.of(Subject.LISTINGS)
        rows = [x for x in known if x.place in seen]
        await self._renew(Subject.LISTINGS, rows, lambda _: True)

    async def lost(
        self, pass_id: str, lost: Mapping[Key, str], listings: Iterable[Listing]
    ) -> None:
        """Report those of these listings that were written and are not any more."""
        of_ours = [x for x in listings if x.key in lost and was_managed(x)]
        if not of_ours:
            return
        now = int(self._clocks.wall())
        # By the SKU of the item: the listing may have lost its own, and people look for the item's.
        skus = await self._store.levels.skus({x.item for x in of_ours if x.item is not None})
        of_ours = [replace(x, sku=skus.get(x.item or 0) or x.sku) for x in of_ours]
        rows = [lost_notice(x, lost[x.key]) for x in of_ours]
        entries = [lost_entry(x, lost[x.key]) for x in of_ours]
        async with self._store.transaction() as tx:
            await self._store.notices.renew(tx, Subject.LOST, rows, now, settled=lambda _: False)
            await self._store.journal.add(tx, pass_id, now, entries)
        say_lost(entries)

    async def found_again(self, pass_id: str) -> None:
        """End the notices of losses that are made good, or no news any more."""
        known = await self._store.notices.of(Subject.LOST)
        if not known:
            return
        now = int(self._clocks.wall())
        keys = {x.place[:2] for x in known}
        listings = {x.key: x for x in await self._store.listings.by_keys(keys)}
        offers = await self._store.listings.offers(keys, now)
        still, back = [], []
        for x in known:
            stocked = {state.offer.warehouse for state in offers.get(x.place[:2], ())}
            listing = listings.get(x.place[:2])
            if is_still_lost(listing, x.warehouse, stocked, age_s=now - x.since):
                still.append(x)
            elif is_back(listing, x.warehouse, stocked):
                back.append(x)
        async with self._store.transaction() as tx:
            await self._store.notices.renew(tx, Subject.LOST, still, now, settled=lambda _: True)
            await self._store.journal.add(tx, pass_id, now, [_found_entry(x) for x in back])

    async def _renew(
        self, subject: Subject, rows: Sequence[Notice], settled: Callable[[Notice], bool]
    ) -> None:
        if not rows and not await self._store.notices.of(subject):
            return  # the usual case: it needs no transaction
        now = int(self._clocks.wall())
        async with self._store.transaction() as tx:
            found = await self._store.notices.renew(tx, subject, rows, now, settled=settled)
        for x in found.new[:LINES_MAX]:
            log.warning(
                "TikTok's answer about %s cannot be read: %s: it is set aside", x.name, x.why
            )
        for x in found.ended[:LINES_MAX]:
            log.info("TikTok's answer about %s can be read again", x.name)

    async def tell(self, pass_id: str) -> None:
        """Report SKUs that several listings sell, and mapped warehouses that are left alone."""
        shared = dict(await self._store.listing_census.shared_skus())
        closed = (await self._rulebook.rules()).closed
        reasons = {f'"{name}": {why}': why for name, why in closed.items()}
        async with self._store.transaction() as tx:
            new = await self._store.reported.changed(tx, "shared_sku", shared)
            entries = [Entry(EntryKind.SHARED, None, x, {"listings": shared[x]}) for x in new]
            await self._store.journal.add(tx, pass_id, int(self._clocks.wall()), entries)
            left_alone = await self._store.reported.changed(tx, "closed_warehouse", reasons)
        _lines([f"sku={x}: {shared[x]} listings sell it, each shows its quantity" for x in new])
        for text in left_alone:
            log.warning("mapped TikTok warehouse %s: it is left alone", text)


def lost_notice(listing: Listing, why: str, warehouse: str = "") -> Notice:
    """What people should know of a loss while it lasts."""
    sku = listing.sku or listing.seller_sku
    return Notice(*listing.key, why, warehouse=warehouse, sku=sku, item=listing.item)


def _found_entry(notice: Notice) -> Entry:
    numbers: dict[str, object] = {
        "product_id": notice.product_id,
        "sku_id": notice.sku_id,
        "because": f"no longer: {notice.why}",
    }
    return Entry(EntryKind.FOUND, notice.item, notice.sku, numbers)


def say_lost(entries: Sequence[Entry]) -> None:
    """Log which listings were lost."""
    for x in entries[:LINES_MAX]:
        ids = f"{x.numbers['product_id']}/{x.numbers['sku_id']}"
        log.warning("listing sku=%s %s is lost: %s", x.sku, ids, x.numbers["because"])


def say_parked(entries: Iterable[Entry | None]) -> list[Entry]:
    """Log which listings were parked or woken; returns the lines for the journal."""
    found = [entry for entry in entries if entry is not None]
    _lines(
        [
            f"listing sku={x.sku} {x.numbers['sku_id']} {x.kind}: {x.numbers['because']}"
            for x in found
        ]
    )
    return found


def _lines(texts: Sequence[str]) -> None:
    for text in texts[:LINES_MAX]:
        log.info("%s", text)
    if len(texts) > LINES_MAX:
        log.info("… and %d more like these; see `invsyncd journal`", len(texts) - LINES_MAX)
