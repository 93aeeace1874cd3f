"""A change of levels, told as its cause and one sentence with its numbers. Pure.

Every case of the merge table is told in its own words, because "two orders add up" and
"contradictory counts" may well give the same number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from invsyncd.core.merge import Case
from invsyncd.explain.causes import Cause, Reason
from invsyncd.text import listed, plain, signed

Row = Mapping[str, Any]
Places = Mapping[int, str]

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
    Case.ECHO: Cause.COPIED,
}


def counted(row: Row, places: Places) -> list[tuple[str, int]]:
    """What was stated, level by level: (location, counted units)."""
    return [(place_of(c, places), c["from"] + c["stock"]) for c in _stated(row)]


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


BRIEF_MAX = 3  # moves that are named in a few words


def change_brief(row: Row, places: Places) -> str:
    """What moved, in a few words: Berlin 51 → 50 (ordered online −1)."""
    changes = row["changes"] or row.get("echoes") or ()
    if not changes:
        return change_reason(row, places).says
    more = f" and {len(changes) - BRIEF_MAX} more" if len(changes) > BRIEF_MAX else ""
    made_of = part_words(changes[0]) if len(changes) == 1 and row["changes"] else ""
    return _moves(changes[:BRIEF_MAX], places) + more + (f" ({made_of})" if made_of else "")


def change_reason(row: Row, places: Places) -> Reason:
    """The cause and the sentence of a line of the kind `change`."""
    changes = row["changes"]
    try:
        case = Case(row["case"])
    except ValueError:
        return _undecided(row, places)
    says = _TOLD[case](row, places)
    if changes and row.get("together_with"):
        says += " (read in one pass, so merged together)"
    if row["case"] != Case.ECHO.value and row.get("echoes"):
        says += f"; not counted, another program copied the number: {_moves(row['echoes'], places)}"
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
    made_of = (f"{place_of(c, places)} {part_words(c)}" for c in row["changes"])
    return f"Changes of different kinds add up: {'; '.join(made_of)}: {_pool(row)}"


def _moved(row: Row, places: Places) -> str:
    return (
        "A location gave up its stock, and the same units came up elsewhere:"
        f" {_deltas(row['changes'], places)}: {_pool(row)}"
    )


def _everywhere(row: Row, places: Places) -> str:
    said = {c["from"] + c["stock"] + c.get("set_aside", 0) for c in row["changes"]}
    number = plain(said.pop()) if len(said) == 1 else "one number"
    where = listed([place_of(c, places) for c in row["changes"]])
    return (
        f"One number was set at every level at one moment, {where}: {number}{_and_orders(row)}:"
        f" {_pool(row)}"
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
        said = [f"{plain(c['to'])} at {place_of(c, places)}" for c in row["changes"]]
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


def _echo(row: Row, places: Places) -> str:
    return (
        "Another program copied a number from one location to others, which is not counted:"
        f" {_moves(row['echoes'], places)}: {_pool(row)}"
    )


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
    Case.ECHO: _echo,
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
    return ", ".join(f"{signed(c['delta'])} at {place_of(c, places)}" for c in changes)


def _moves(changes: Sequence[Row], places: Places) -> str:
    return ", ".join(_move(c, places) for c in changes) or "nothing moved"


def _move(change: Row, places: Places) -> str:
    return f"{place_of(change, places)} {plain(change['from'])} → {plain(change['to'])}"


def place_of(change: Row, places: Places) -> str:
    """The name of the location of a change."""
    return places.get(change["location"], f"location {change['location']}")
