"""Explains the levels of an item: mirrored or not, held, waiting, owed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invsyncd.core.fold import Scope
from invsyncd.core.interventions import Choice, choices
from invsyncd.core.journal import EntryKind, Outcome, outcome_of
from invsyncd.core.merge import Case
from invsyncd.core.model import Attempt, Item, Level, Location, Standing, Target
from invsyncd.explain.causes import Cause, Reason
from invsyncd.explain.change_text import counted, part_words
from invsyncd.explain.facts import ItemFacts, Row, ShopFacts
from invsyncd.planning.locations import keeps_fbt
from invsyncd.text import ends_hold, iso, listed, moment, offered, plain


def levels(facts: ItemFacts, shop: ShopFacts) -> list[dict[str, Any]]:
    """Every known level for the document, with `mirrored` and, where it is not, `why`."""
    found = []
    for _, level in sorted(facts.state.levels.items()):
        known = shop.locations.get(level.location)
        reason = _difference(level, facts, shop)
        why = f"should show {plain(level.wanted)}, {reason[1]}" if reason else ""
        if not why and level.doubtful and level.wanted is not None:
            why = _doubt(level, last_write(facts.rows, location=level.location))
        found.append(
            {
                "location": shop.location(level.location),
                "available": level.available,
                "committed": level.committed,
                "on_hand": level.on_hand,
                "active": level.active,
                "wanted": level.wanted,
                "mirrored": level in mirrored(facts, shop),
                "why": why or _why_left_out(level, facts.state.item, shop),
                "read_at": iso(known.read_at if known else None),
                "changed_at": iso(level.updated_at),
                "written_at": iso(level.confirmed_at),
            }
        )
    return found


def mirrored(facts: ItemFacts, shop: ShopFacts) -> list[Level]:
    """The levels that are mirrored, by location id."""
    item, rules = facts.state.item, shop.rules
    if rules is None or item.standing is Standing.OUT or not rules.scope.takes(item):
        return []
    return [
        level
        for _, level in sorted(facts.state.levels.items())
        if level.active and level.location in rules.scope.locations
    ]


def level_reasons(facts: ItemFacts, shop: ShopFacts) -> list[Reason]:
    """The reasons on Shopify's side, in no order."""
    item = facts.state.item
    found = _differences(facts, shop)
    if shop.rules is not None and (reason := _why_item_out(item, shop.rules.scope)) is not None:
        found.append(reason)
    if item.standing is Standing.HELD:
        found.append(_held(facts, shop))
    if item.standing is Standing.FOLLOWING:
        found.append(_waiting(facts, shop))
    if item.standing is Standing.POOLED and item.pool is not None and item.pool < 0:
        text = f"Oversold by {-item.pool:,}: the pool is {plain(item.pool)}, and TikTok shows 0"
        found.append(Reason(Cause.OVERSOLD, text))
    return found


def changes(rows: Sequence[Row], shop: ShopFacts) -> list[dict[str, Any]]:
    """The last changes for the document: each level's delta with its parts."""
    return [
        {
            "at": iso(row["at"]),
            "location": shop.location(change["location"]),
            "from": change["from"],
            "to": change["to"],
            "delta": change["delta"],
            "orders": change["orders"],
            "received": change.get("received", 0),
            "set_aside": change.get("set_aside", 0),
            "stock": change["stock"],
            "says": part_words(change),
            "case": row["case"],
        }
        for row in rows
        if row["kind"] == EntryKind.CHANGE
        for change in row["changes"]
    ]


def _why_item_out(item: Item, scope: Scope) -> Reason | None:
    """Why an item is not mirrored at all."""
    if not scope.enabled:
        return Reason(Cause.MIRROR_OFF, "mirror.enabled is false: no level is ever written")
    if not item.tracked:
        return Reason(Cause.UNTRACKED, "Shopify does not track its stock: no level is written")
    if item.bundle:
        return Reason(
            Cause.NOT_MUTABLE,
            "It is a bundle: Shopify works out its stock from its components, no level is written",
        )
    if not item.mutable:
        return Reason(
            Cause.NOT_MUTABLE,
            "Shopify refuses to let its stock be set (as a bundle's): no level is written",
        )
    if not scope.takes(item):
        types = listed([f'"{x}"' for x in item.product_types if x]) or "none"
        kept = listed([f'"{x}"' for x in sorted(scope.product_types)])
        text = f"Its product type is {types}, and mirror.product_types only has {kept}"
        return Reason(Cause.FILTERED_OUT, f"{text}: no level is written")
    return None


def _why_left_out(level: Level, item: Item, shop: ShopFacts) -> str:
    """Why this level is not mirrored; empty where it is."""
    known = shop.locations.get(level.location)
    rules = shop.rules
    if rules is None:
        return ""
    if (reason := _why_item_out(item, rules.scope)) is not None:
        return reason.says
    if known is not None and not known.location.active:
        return "the location is closed"
    if not level.active:
        return "not stocked there"
    if level.location in rules.scope.locations:
        return ""
    return f"not mirrored: {_why_location_out(known.location if known else None)}"


def _why_location_out(location: Location | None) -> str:
    if location is not None and location.managed:
        return "a fulfilment service manages this location"
    if location is not None and keeps_fbt(location):
        return "it shows the stock that TikTok itself fulfils"
    return "the configuration leaves this location out"


def _differences(facts: ItemFacts, shop: ShopFacts) -> list[Reason]:
    """The levels that do not show what they should; equal cases share one sentence."""
    alike: dict[tuple[int, int | None, Cause, str], list[str]] = {}
    for level in mirrored(facts, shop):
        if (reason := _difference(level, facts, shop)) is not None:
            kind = (level.available, level.wanted, *reason)
            alike.setdefault(kind, []).append(shop.location(level.location))
    return [
        Reason(
            cause,
            f"{listed(names)} {'show' if len(names) > 1 else 'shows'} {plain(shown)} and should"
            f" show {plain(wanted)}: {why}",
        )
        for (shown, wanted, cause, why), names in alike.items()
    ]


def _difference(level: Level, facts: ItemFacts, shop: ShopFacts) -> tuple[Cause, str] | None:
    """Why a level does not show what it should; None if it does, or if nothing is wanted."""
    if level.wanted is None or level.wanted == level.available:
        return None
    for attempt in facts.attempts:
        for row in attempt.rows:
            if (row.item, row.location) == (level.item, level.location):
                return _on_its_way(attempt, facts, shop)
    last = last_write(facts.rows, location=level.location)
    if level.doubtful:
        return Cause.DOUBTED, _doubt(level, last)
    if last is not None and outcome_of(last) is Outcome.STALE and last["from"] == level.available:
        at = moment(last["at"], shop.now)
        text = (
            f"Shopify held another number (at {at}), and its answers still show the old one; the"
            " write is tried again within a minute"
        )
        return Cause.DOUBTED, text
    if last is not None and is_refusal_of(last, level.wanted):
        at = moment(last["at"], shop.now)
        return Cause.REFUSED, f"Shopify {last['outcome']} (at {at}); it is tried again"
    if Target.SHOPIFY in shop.paused:
        return Cause.OWED, "it waits while Shopify is paused"
    return Cause.OWED, "it is written in the next pass"


def _doubt(level: Level, last: Row | None) -> str:
    """Why a level is read again: a write to it was not applied, or an answer may be an old one."""
    if last is not None and outcome_of(last) in (Outcome.STALE, Outcome.REFUSED):
        return "somebody moved it, so it is read again before a write"
    ours = level.confirmed_at >= level.updated_at
    older = "our last write" if ours else "the one before"
    return (
        f"Shopify's last answer may be older than {older}, so it is read again and not counted yet"
    )


def _on_its_way(attempt: Attempt, facts: ItemFacts, shop: ShopFacts) -> tuple[Cause, str]:
    lost = [
        row
        for row in facts.rows
        if row.get("key") == attempt.key and outcome_of(row) is Outcome.UNKNOWN
    ]
    if not lost:
        return Cause.OWED, "the write is on its way"
    since = moment(lost[0]["at"], shop.now)
    text = f"the write has had no answer since {since}"
    return Cause.ANSWER_LOST, f"{text}; it is repeated under its own key, so it counts once"


def last_write(rows: Sequence[Row], **written_to: object) -> Row | None:
    """The newest journaled write to a location, or to a listing's warehouse."""
    mine = (
        x
        for x in reversed(rows)
        if x["kind"] == EntryKind.WRITE and written_to.items() <= x.items()
    )
    return next(mine, None)


def is_refusal_of(write: Row, units: int) -> bool:
    """Whether a journaled write of just this number was refused."""
    return bool(write["to"] == units) and outcome_of(write) is Outcome.REFUSED


def _held(facts: ItemFacts, shop: ShopFacts) -> Reason:
    began = None
    decisive = (EntryKind.CHANGE, EntryKind.RESOLVED)
    for row in reversed([x for x in facts.rows if x["kind"] in decisive and "refused" not in x]):
        if not row.get("held"):
            break
        began = row
    stated = counted(began, shop.names) if began and began["case"] == Case.CONFLICT.value else []
    if not stated:
        stated = [(shop.location(x.location), x.available) for x in mirrored(facts, shop)]
    since = f" since {moment(began['at'], shop.now)}, pass {began['pass']}" if began else ""
    command = ends_hold(facts.state.item.sku)
    text = f"Held{since}: {_against(stated)}; nothing is written until a person decides"
    gives = [(x.name, x.units) for x in hold_choices(facts, shop)]
    return Reason(Cause.HELD, f"{text}: {offered(gives)}" if gives else text, command)


def hold_choices(facts: ItemFacts, shop: ShopFacts) -> tuple[Choice, ...]:
    """What each answer of a person would give; nothing for an item that is not held."""
    if facts.state.item.standing is not Standing.HELD:
        return ()
    locations = {level.location for level in mirrored(facts, shop)}
    return choices(facts.state, locations, shop.names)


def _waiting(facts: ItemFacts, shop: ShopFacts) -> Reason:
    stated = [(shop.location(x.location), x.available) for x in mirrored(facts, shop)]
    return Reason(
        Cause.WAITING,
        f"Unequal since it was first seen: {_against(stated)}; nothing is written until one of them"
        " changes, and that number then counts everywhere",
        ends_hold(facts.state.item.sku),
    )


def _against(stated: Sequence[tuple[str, int]]) -> str:
    """Like: 50 at Berlin against 30 at Hamburg and Vienna."""
    names: dict[int, list[str]] = {}
    for name, units in stated:
        names.setdefault(units, []).append(name)
    return " against ".join(f"{plain(units)} at {listed(x)}" for units, x in names.items())
