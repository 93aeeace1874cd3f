"""One journal line as a sentence that a merchant understands; some lines have a cause too. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from invsyncd.core.journal import MOVES_POOL, EntryKind
from invsyncd.core.persons import Asker
from invsyncd.explain.causes import Cause, Reason
from invsyncd.explain.change_text import Places, Row, change_brief, change_reason, place_of
from invsyncd.explain.listing_text import LISTING_TEXTS
from invsyncd.explain.number_text import OF_NUMBERS
from invsyncd.text import SHOPS, listed, moment, plain, plural, ways_out

Warehouses = Mapping[str, str]

STORIES = MOVES_POOL | {
    EntryKind.JOIN,
    EntryKind.LEAVE,
    EntryKind.OUT_OF_MIRROR,
    EntryKind.INTO_MIRROR,
}
"""The kinds of lines that say how a pool, or what belongs to it, came about."""


def is_story(row: Row) -> bool:
    """Whether a line is of a kind in `STORIES`. An undo that was refused has moved nothing."""
    return row["kind"] in STORIES and "refused" not in row


def entry_text(row: Row, places: Places) -> Reason:
    """The cause and the sentence of one line that `is_story`."""
    found = RENDERERS[EntryKind(row["kind"])](row, places, {})
    if isinstance(found, str):
        raise ValueError(f"no line that says how a pool came about: {found}")
    return found


def _undone(row: Row, _: Places, __: Warehouses) -> Reason | str:
    if "refused" in row:
        return f"Not taken back from pass {row['of']}{_for(row)}: {row['refused']}"
    moved = f"{plain(row['pool_before'])} → {plain(row['pool'])}"
    who = Asker.of(row).text("A person")
    return Reason(Cause.UNDONE, f"{who} took back pass {row['of']}: the pool goes {moved}")


def _resolved(row: Row, _: Places, __: Warehouses) -> Reason | str:
    if "refused" in row:
        return f"Not resolved{_for(row)}: {row['refused']}"
    pool, person = plain(row["pool"]), Asker.of(row)
    if person.name:
        return Reason(Cause.RESOLVED, f"Resolved to {pool} by {person.text()}")
    return Reason(Cause.RESOLVED, f"A person said that the pool is {pool}")


def _for(row: Row) -> str:
    """For whom something was not done, where that is known."""
    person = Asker.of(row)
    return f" for {person.text()}" if person.name else ""


def _paused(row: Row, _: Places, __: Warehouses) -> str:
    if "because" not in row:
        ends = f"`invsyncd resume {row['target']}` ends it"
        return f"{_shop(row)} was paused by {Asker.of(row).text('hand')}; {ends}"
    ways = f". {ways_out(row['target'], row['passes'])}" if "passes" in row else ""
    return f"{_shop(row)} is paused: {row['because']}{ways}"


def _resumed(row: Row, _: Places, __: Warehouses) -> str:
    if "because" in row:
        return f"{_shop(row)} is written again: {row['because']}"
    return f"{_shop(row)} was resumed by {Asker.of(row).text()}"


def _out_of_mirror(row: Row, _: Places, __: Warehouses) -> Reason:
    dropped = row.get("pool_dropped")
    pool = "" if dropped is None else f"; its pool of {plain(dropped)} was dropped"
    return Reason(Cause.LEFT_MIRROR, f"It left the mirror{pool}")


def _change(row: Row, places: Places, _: Warehouses) -> Reason:
    return change_reason(row, places)


def _left(row: Row, places: Places) -> str:
    says = f"{_names(row, places)} is not stocked any more; the pool stays"
    lost = [
        f"{plain(c['from'])} → {plain(c['to'])} at {place_of(c, places)}"
        for c in row.get("not_counted", ())
    ]
    return (
        f"{says}; not counted, because nothing came up elsewhere: {listed(lost)}" if lost else says
    )


def _names(row: Row, places: Places) -> str:
    names = [places.get(x, f"location {x}") for x in row["locations"]]
    return listed(names) or plural(0, "location")


FIXED = frozenset({"id", "at", "pass", "kind", "item", "sku", "product_id", "sku_id"})


def entry_summary(row: Row, places: Places, warehouses: Warehouses | None = None) -> str:
    """What the line says; `places` and `warehouses` give their names by id."""
    try:
        found = RENDERERS[EntryKind(row["kind"])](row, places, warehouses or {})
    except (KeyError, TypeError, ValueError):  # a line of another version, with other numbers
        return ", ".join(f"{name} {value}" for name, value in row.items() if name not in FIXED)
    return found.says if isinstance(found, Reason) else found


def entry_brief(row: Row, places: Places, warehouses: Warehouses | None = None) -> str:
    """What the line says in a few words: of a change or a sale what moved, not what came of it."""
    if row["kind"] == EntryKind.HOLD:
        return entry_summary(row, places, warehouses).partition(":")[0]
    if row["kind"] == EntryKind.CHANGE:
        try:
            return change_brief(row, places)
        except (KeyError, TypeError, ValueError):  # a line of another version
            pass
    return entry_summary(row, places, warehouses)


def _write(row: Row, places: Places, warehouses: Warehouses) -> str:
    shop = _shop(row)
    if "location" in row:
        where = places.get(row["location"], f"location {row['location']}")
    else:
        where = _warehouse(row, warehouses)
    moved = f"{plain(row.get('from'))} → {plain(row.get('to'))}"
    tries = f" (try {row['tries']})" if row.get("tries", 1) > 1 else ""
    return f"{shop}, {where}: {moved}, {row.get('outcome', '?')}{tries}"


def _hold(row: Row, _: Places, warehouses: Warehouses) -> str:
    units, place = row["units"], _warehouse(row, warehouses)
    shows = f"{place} shows {plain(row['shows'])}"
    if units < 0:
        return f"TikTok gave {-units:,} back (a cancelled order): {shows}"
    until = f" until {moment(row['until'], row['at'])}" if row.get("until") else ""
    return f"TikTok sold {units:,}: held back{until}; {shows}"


def _warehouse(row: Row, warehouses: Warehouses) -> str:
    place = str(row.get("warehouse") or "?")
    return warehouses.get(place, f"warehouse {place}")


def _drift(row: Row, _: Places, warehouses: Warehouses) -> str:
    moved = f"somebody else moved {plain(row['from'])} → {plain(row['to'])}"
    return f"TikTok, {_warehouse(row, warehouses)}: {moved}; it is corrected"


def _other_writer(row: Row, _: Places, warehouses: Warehouses) -> str:
    return f"Another program writes {_warehouse(row, warehouses)} too: the number {row['because']}"


def _of_listing(row: Row, places: Places, _: Warehouses) -> str:
    if "location" in row:  # a whole location that left the mirror, or is back
        return f"The location {place_of(row, places)}: {row['because']}"
    return LISTING_TEXTS[EntryKind(row["kind"])](row)


def _shop(row: Row) -> str:
    target = str(row.get("target", "?"))
    return SHOPS.get(target, target)


RENDERERS: Mapping[EntryKind, Callable[[Row, Places, Warehouses], Reason | str]] = {
    EntryKind.CHANGE: _change,
    EntryKind.JOIN: lambda row, places, _: Reason(
        Cause.JOINED, f"{_names(row, places)} joined and takes over the pool"
    ),
    EntryKind.LEAVE: lambda row, places, _: Reason(Cause.LEFT, _left(row, places)),
    EntryKind.OUT_OF_MIRROR: _out_of_mirror,
    EntryKind.INTO_MIRROR: lambda *_: Reason(
        Cause.ENTERED_MIRROR, "It entered the mirror; first sight decides"
    ),
    EntryKind.RESOLVED: _resolved,
    EntryKind.UNDO: _undone,
    EntryKind.WRITE: _write,
    EntryKind.HOLD: _hold,
    EntryKind.DRIFT: _drift,
    EntryKind.OTHER_WRITER: _other_writer,
    EntryKind.CEILING: lambda x, *_: (
        f"TikTok cut {plain(x['wrote'])} to {plain(x['units'])}: nothing above that is written"
        if "wrote" in x
        else f"TikTok shows {plain(x['shows'])}: more than {plain(x['units'])} is written again"
    ),
    EntryKind.BACKORDER: lambda x, _, names: (
        f"TikTok, {_warehouse(x, names)}: {plain(x['units'])} on backorder, beyond the stock"
    ),
    **dict.fromkeys(LISTING_TEXTS, _of_listing),
    EntryKind.PAUSED: _paused,
    EntryKind.RESUMED: _resumed,
    **OF_NUMBERS,
    EntryKind.SCAN: lambda x, *_: (
        f"Full scan by {x['by']}: {x['levels']:,} levels, {x['suspects']:,} items to look at"
        + (f"; asked for by {Asker.of(x).text()}" if "who" in x else "")
    ),
}
"""One renderer a kind: cause and sentence for a line of STORIES, the sentence for any other."""
