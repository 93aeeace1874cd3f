"""A journal line about levels and pools, told as its cause and one sentence with its numbers. Pure.

Every case of the merge table is told in its own words, because "two orders add up" and
"contradictory counts" may well give the same number.

One journal line as a sentence that a merchant understands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from invsyncd.core.journal import MOVES_POOL, EntryKind
from invsyncd.core.merge import Case
from invsyncd.explain.causes import Cause, Reason
from invsyncd.explain.number_text import OF_NUMBERS
from invsyncd.text import SHOPS, listed, moment, plain, plural, signed

Row = Mapping[str, Any]
Places = Mapping[int, str]
Warehouses = Mapping[str, str]

STORIES = MOVES_POOL | {
    EntryKind.JOIN,
    EntryKind.LEAVE,
    EntryKind.OUT_OF_MIRROR,
    EntryKind.INTO_MIRROR,
}
"""The kinds of lines that say how a pool, or what belongs to it, came about."""

_CAUSES = {
    Case.EVERYWHERE: Cause.COUNTED_ALIKE,
    Case.ONE: Cause.ONE_CHANGE,
    Case.ORDERS: Cause.ORDERS_ADD_UP,
    Case.SALES: Cause.SALES_ADD_UP,
    Case.TRANSFER: Cause.TRANSFER,
    Case.COUNT: Cause.COUNTED_ALIKE,
    Case.RETURNS: Cause.RETURNS_ADD_UP,
    Case.ADDED: Cause.CHANGES_ADD_UP,
    Case.MOVED: Cause.STOCK_MOVED,
    Case.GAP: Cause.SALES_AFTER_GAP,
    Case.CONFLICT: Cause.CONTRADICTORY,
    Case.UNLEVELLED: Cause.LEVELLED,
    Case.EQUAL: Cause.LEVELLED,
    Case.FOLLOWED: Cause.FOLLOWED,
}


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
        return f"Not taken back from pass {row['of']}: {row['refused']}"
    moved = f"{plain(row['pool_before'])} → {plain(row['pool'])}"
    return Reason(Cause.UNDONE, f"A person took back pass {row['of']}: the pool goes {moved}")


def _out_of_mirror(row: Row, _: Places, __: Warehouses) -> Reason:
    dropped = row.get("pool_dropped")
    pool = "" if dropped is None else f"; its pool of {plain(dropped)} was dropped"
    return Reason(Cause.LEFT_MIRROR, f"It left the mirror{pool}")


def counted(row: Row, places: Places) -> list[tuple[str, int]]:
    """What was stated, level by level: (location, counted units)."""
    return [(_at(c, places), c["from"] + c["stock"]) for c in _stated(row)]


def _stated(row: Row) -> list[Row]:
    """The changes that state a number; a till sale beside them states none."""
    places = row.get("stated")  # lines of older versions do not say it
    return [c for c in row["changes"] if c["stock"] and (not places or c["location"] in places)]


def part_words(change: Row) -> str:
    """What a change is made of: orders, what was received or set aside, and the rest."""
    words = []
    if orders := change["orders"]:
        words.append(f"{_orders(orders)} {signed(orders)}")
    if received := change.get("received", 0):
        words.append(f"received from a transfer or a purchase order {signed(received)}")
    if aside := change.get("set_aside", 0):
        what = (
            "set aside (draft order, damage, safety stock)" if aside < 0 else "given back to sale"
        )
        words.append(f"{what} {signed(aside)}")
    if stock := change["stock"]:
        what = "sold at the till, counted or sent away" if stock < 0 else "received or counted"
        words.append(f"{what} {signed(stock)}")
    return ", ".join(words)


def _change(row: Row, places: Places, _: Warehouses) -> Reason:
    changes = row["changes"]
    try:
        case = Case(row["case"])
    except ValueError:
        return _undecided(row, places)
    says = _TOLD[case](row, places)
    if changes and row.get("together_with"):
        says += " (read in one pass, so merged together)"
    if row.get("oversold_by") and not row.get("held"):
        says += f"; oversold by {row['oversold_by']:,}"
    return Reason(_CAUSES[case], says)


def _undecided(row: Row, places: Places) -> Reason:
    """A change that moved no pool by a case of the table: held, or not mirrored."""
    if row.get("held"):
        total = "" if row["pool"] is None else f"; all changes added up give {plain(row['pool'])}"
        return Reason(Cause.HELD, f"While held: {_moves(row['changes'], places)}{total}")
    moves = _moves(row["changes"], places)
    if row["case"] != "not mirrored":  # a case that another version knows
        return Reason(Cause.ONE_CHANGE, f"{moves} ({row['case']}): {_pool(row)}")
    return Reason(Cause.NOT_MIRRORED, f"{moves}; not mirrored, so no other level follows")


def _one(row: Row, places: Places) -> str:
    [change] = row["changes"] or [None]
    if change is None:
        return _pool(row)
    made_of = f" ({part_words(change)})" if part_words(change) else ""
    return f"{_move(change, places)}{made_of}: {_pool(row)}"


def _orders_add_up(row: Row, places: Places) -> str:
    count = len(row["changes"])
    number = {2: "two", 3: "three", 4: "four"}.get(count, str(count))
    what = f"Orders at {number} locations" if count > 1 else "An order"
    if any(c["stock"] for c in row["changes"]):
        what = f"{what}, one of them with stock that moved too,"
    return f"{what} add up: {_deltas(row['changes'], places)}: {_pool(row)}"


def _sales(row: Row, places: Places) -> str:
    return f"Till sales add up: {_deltas(row['changes'], places)}: {_pool(row)}"


def _transfer(row: Row, places: Places) -> str:
    beside = sum(c["delta"] for c in row["changes"])
    what = "A transfer" if not beside else "A transfer, and a sale or a return beside it"
    return f"{what}: {_deltas(row['changes'], places)}: {_pool(row)}"


def _returns(row: Row, places: Places) -> str:
    return f"Returns add up: {_deltas(row['changes'], places)}: {_pool(row)}"


def _added(row: Row, places: Places) -> str:
    made_of = (f"{_at(c, places)} {part_words(c)}" for c in row["changes"])
    return f"Changes of different kinds add up: {'; '.join(made_of)}: {_pool(row)}"


def _moved(row: Row, places: Places) -> str:
    return (
        "A location gave up its stock, and the same units came up elsewhere:"
        f" {_deltas(row['changes'], places)}: {_pool(row)}"
    )


def _everywhere(row: Row, places: Places) -> str:
    said = {c["from"] + c["stock"] + c.get("set_aside", 0) for c in row["changes"]}
    number = plain(said.pop()) if len(said) == 1 else "one number"
    where = listed([_at(c, places) for c in row["changes"]])
    return (
        f"One number was set at every level at one moment, {where}: {number}{_and_orders(row)}:"
        f" {_pool(row)}"
    )


def _left(row: Row, places: Places) -> str:
    says = f"{_names(row, places)} is not stocked any more; the pool stays"
    lost = [
        f"{plain(c['from'])} → {plain(c['to'])} at {_at(c, places)}"
        for c in row.get("not_counted", ())
    ]
    return (
        f"{says}; not counted, because nothing came up elsewhere: {listed(lost)}" if lost else says
    )


def _count(row: Row, places: Places) -> str:
    said = counted(row, places)
    number = plain(said[0][1]) if said else "?"
    where = listed([place for place, _ in said])
    return f"The same number was counted at {where}: {number}{_and_orders(row)}: {_pool(row)}"


def _gap(row: Row, places: Places) -> str:
    return (
        f"Sales are assumed, because levels had not been read for a while:"
        f" {_deltas(row['changes'], places)}: {_pool(row)}"
    )


def _conflict(row: Row, places: Places) -> str:
    said = [f"{plain(units)} at {place}" for place, units in counted(row, places)]
    if row.get("pool_before") is None and row["changes"]:
        said = [f"{plain(c['to'])} at {_at(c, places)}" for c in row["changes"]]
    against = " against ".join(said) or "the numbers"
    text = f"Counts contradict each other: {against}{_and_orders(row)}"
    if row.get("held"):
        return f"{text}; held until a person decides"
    return f"{text}; {_chosen(row)} counts: {_pool(row)}"


def _unlevelled(row: Row, places: Places) -> str:
    if row.get("held"):
        return "The levels were unequal when first seen; held until a person decides"
    if row["pool"] is None:
        return "The levels were unequal when first seen; the first change becomes the pool"
    return f"The levels were unequal when first seen: {_pool(row)}"


def _equal(row: Row, places: Places) -> str:
    moves = f"{_moves(row['changes'], places)}: " if row["changes"] else ""
    return f"{moves}all levels show the same: {_pool(row)}"


def _followed(row: Row, places: Places) -> str:
    return f"{_moves(row['changes'], places)}, the first change since first sight: {_pool(row)}"


_TOLD: Mapping[Case, Callable[[Row, Places], str]] = {
    Case.EVERYWHERE: _everywhere,
    Case.ONE: _one,
    Case.ORDERS: _orders_add_up,
    Case.SALES: _sales,
    Case.TRANSFER: _transfer,
    Case.COUNT: _count,
    Case.RETURNS: _returns,
    Case.ADDED: _added,
    Case.MOVED: _moved,
    Case.GAP: _gap,
    Case.CONFLICT: _conflict,
    Case.UNLEVELLED: _unlevelled,
    Case.EQUAL: _equal,
    Case.FOLLOWED: _followed,
}


def _chosen(row: Row) -> str:
    """Which of the statements became the pool, told from the numbers themselves."""
    changes, before = row["changes"], row.get("pool_before")
    stated = _stated(row) if before is not None else []
    said = [c["from"] + c["stock"] for c in stated] or [c["to"] for c in changes]
    beside = 0
    if stated:
        beside = sum(c["delta"] for c in changes) - sum(c["stock"] for c in stated)
    if said and row["pool"] == min(said) + beside:
        return "the lowest"
    if before is not None and row["pool"] == before + sum(c["delta"] for c in row["changes"]):
        return "the sum of all changes"
    return "the latest"


def _and_orders(row: Row) -> str:
    """What comes on top of the numbers that were said."""
    orders = sum(c["orders"] for c in row["changes"])
    text = f", with orders {signed(orders)}" if orders else ""
    places = row.get("stated")
    sales = sum(c["stock"] for c in row["changes"] if places and c["location"] not in places)
    return f"{text}, with till sales {signed(sales)} elsewhere" if sales else text


def _pool(row: Row) -> str:
    before, pool = row.get("pool_before"), row["pool"]
    if before is None:
        return f"the pool is {plain(pool)}"
    if before == pool:
        return f"the pool stays {plain(pool)}"
    return f"the pool goes {plain(before)} → {plain(pool)}"


def _orders(units: int) -> str:
    return "ordered online" if units < 0 else "orders cancelled"


def _deltas(changes: Sequence[Row], places: Places) -> str:
    return ", ".join(f"{signed(c['delta'])} at {_at(c, places)}" for c in changes)


def _moves(changes: Sequence[Row], places: Places) -> str:
    return ", ".join(_move(c, places) for c in changes) or "nothing moved"


def _move(change: Row, places: Places) -> str:
    return f"{_at(change, places)} {plain(change['from'])} → {plain(change['to'])}"


def _at(change: Row, places: Places) -> str:
    return places.get(change["location"], f"location {change['location']}")


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
    moved = f"{plain(row['from'])} → {plain(row['to'])}"
    return f"TikTok, {_warehouse(row, warehouses)}: somebody else moved {moved}; it is corrected"


def _other_writer(row: Row, _: Places, warehouses: Warehouses) -> str:
    place = _warehouse(row, warehouses)
    return f"Another program writes {place} too: the number {row['because']}"


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
    EntryKind.RESOLVED: lambda row, *_: Reason(
        Cause.RESOLVED, f"A person said that the pool is {plain(row['pool'])}"
    ),
    EntryKind.UNDO: _undone,
    EntryKind.WRITE: _write,
    EntryKind.HOLD: _hold,
    EntryKind.DRIFT: _drift,
    EntryKind.OTHER_WRITER: _other_writer,
    EntryKind.PARKED: lambda x, *_: f"TikTok listing {x['sku_id']} is left alone: {x['because']}",
    EntryKind.WOKEN: lambda x, *_: f"TikTok listing {x['sku_id']} is written again; {x['because']}",
    EntryKind.MISSING: lambda x, *_: (
        f"TikTok listing {x['sku_id']} cannot be written: {x['because']}"
    ),
    EntryKind.SHARED: lambda x, *_: (
        f"{x['listings']} TikTok listings sell it; each shows its quantity"
    ),
    EntryKind.PAUSED: lambda x, *_: f"{_shop(x)} is paused: {x['because']}",
    EntryKind.RESUMED: lambda x, *_: f"{_shop(x)} was resumed by a person",
    **OF_NUMBERS,
    EntryKind.SCAN: lambda x, *_: (
        f"Full scan by {x['by']}: {x['levels']:,} levels, {x['suspects']:,} items to look at"
    ),
}
"""One renderer a kind. A line of STORIES gives the cause with the sentence, any other the sentence.

A refused undo has moved nothing, so it gives the sentence alone.
"""
