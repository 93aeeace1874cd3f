"""parking: which listings may not be written for now, why, and what ends that.

A listing parked for its status is tried again when the status changes. A bundle, or a replica that
shows another product's stock, is inspected again when its product was edited. A listing parked for
an error stays owed and is tried again soon (see `trying`). The reason is kept while it is tried and
only a success clears it, so a lasting reason is reported once.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Listing

# Documented: the others (PLATFORM_DEACTIVATED, FREEZE) may not be written; DELETED is forgotten.
WRITABLE = frozenset({"ACTIVATE", "DRAFT", "PENDING", "FAILED", "SELLER_DEACTIVATED"})
# A product of these statuses cannot be bought.
OFF_SALE = frozenset({"PLATFORM_DEACTIVATED", "FREEZE", "DELETED"})

UNTIL_EDITED = 4_000_000_000_000  # far beyond any Unix second


class ParkedBy(StrEnum):
    """What keeps a listing from being written."""

    STATUS = "status"
    KIND = "kind"
    ERROR = "error"


class Kind(StrEnum):
    """Whose stock a listing shows."""

    PLAIN = "plain"  # its own
    BUNDLE = "bundle"  # derived from the stock of its parts
    SHARED = "shared"  # that of another product, of which it is a replica


def unwritable(status: str) -> str:
    """Why a listing of this status may not be written; empty if it may, or has no status."""
    return "" if not status or status in WRITABLE else f"its status is {status}"


def discovered(known: Listing | None, seen: Listing) -> Listing:
    """The listing to store after discovery found `seen`; `known` is what was stored before."""
    if known is not None:
        seen = replace(seen, item=known.item)
    same = known if known is not None and not _edited(known, seen) else None
    seen = replace(seen, kind=same.kind if same is not None else "")
    if reason := unwritable(seen.status):
        return replace(
            seen, parked=reason, parked_by=ParkedBy.STATUS.value, parked_until=UNTIL_EDITED
        )
    if known is None or known.parked_by in ("", ParkedBy.STATUS):
        return seen
    return replace(
        seen,
        parked=known.parked,
        parked_by=known.parked_by,
        parked_until=known.parked_until if same is not None else 0,
    )


def set_aside(listing: Listing, reason: str) -> Listing:
    """The listing while a search shows its product in a way that cannot be read.

    It ends with the first search that can be read, as a status does.
    """
    if listing.parked_by == ParkedBy.KIND:
        return listing
    by = ParkedBy.STATUS.value
    return replace(listing, parked=reason, parked_by=by, parked_until=UNTIL_EDITED)


def is_made_of_others(listing: Listing) -> bool:
    """Whether the listing is a bundle or a replica, as far as was seen since its last edit."""
    return listing.parked_by == ParkedBy.KIND and listing.parked_until != 0


def inspected(listing: Listing, kind: Kind, reason: str) -> Listing:
    """The listing after its product was inspected; `reason` is why it may not be written."""
    listing = replace(listing, kind=kind.value)
    if reason:
        return replace(
            listing, parked=reason, parked_by=ParkedBy.KIND.value, parked_until=UNTIL_EDITED
        )
    return unparked(listing) if listing.parked_by == ParkedBy.KIND else listing


def parked_for_error(listing: Listing, reason: str) -> Listing:
    """The listing after a refusal that lasts until something changes at TikTok."""
    return replace(listing, parked=reason, parked_by=ParkedBy.ERROR.value, parked_until=0)


def unparked(listing: Listing) -> Listing:
    """The listing once it may be written again."""
    return replace(listing, parked="", parked_by="", parked_until=0)


def parking_entry(before: Listing | None, after: Listing) -> Entry | None:
    """The journal line of a listing that was parked or woken; None if neither happened."""
    was = before.parked if before is not None else ""
    if was == after.parked:
        return None
    numbers: dict[str, object] = {
        "product_id": after.product_id,
        "sku_id": after.sku_id,
        "because": after.parked or f"no longer: {was}",
    }
    kind = EntryKind.PARKED if after.parked else EntryKind.WOKEN
    return Entry(kind, after.item, after.sku or after.seller_sku, numbers)


def _edited(known: Listing, seen: Listing) -> bool:
    return (known.status, known.updated_at) != (seen.status, seen.updated_at)
