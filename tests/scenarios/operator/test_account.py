"""The document of `explain` from stored facts alone: rare causes, and their order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from invsyncd.core.fold import Scope
from invsyncd.core.journal import MOVES_POOL, moves_pool
from invsyncd.core.merge import MergeRules
from invsyncd.core.model import Item, ItemState, Level, Location, Standing, Target
from invsyncd.explain.causes import Cause, Reason, by_urgency
from invsyncd.explain.document import document
from invsyncd.explain.facts import Facts, ItemFacts, ShopFacts, TargetFacts
from invsyncd.explain.journal_text import entry_summary, entry_text
from invsyncd.planning.rules import Rules
from invsyncd.store.locations import KnownLocation
from invsyncd.text import moment
from tests.support.asking import holds

NOW = 1_795_300_000
BERLIN, HAMBURG = 1, 2
WELL = TargetFacts(dead=False, trouble="", throttled=False, went_well_at=NOW)
SHOP = ShopFacts(
    now=NOW,
    rules=Rules(Scope(enabled=True, locations=frozenset({BERLIN, HAMBURG})), MergeRules()),
    locations={
        BERLIN: KnownLocation(Location(BERLIN, "Berlin"), NOW, NOW),
        HAMBURG: KnownLocation(Location(HAMBURG, "Hamburg"), NOW, NOW),
    },
    warehouses={"W": "Main warehouse"},
    baseline=True,
    paused={},
    targets={Target.SHOPIFY: WELL},
)


def level(location: int, available: int, **more: Any) -> Level:
    return Level(7, location, available, 0, available, NOW, wanted=9, **more)


def facts(*rows: Mapping[str, Any], shop: ShopFacts = SHOP, **levels: Any) -> Facts:
    """An item with pool 9: Berlin shows it, Hamburg shows 10 unless said otherwise."""
    numbered = [
        {"id": n, "at": NOW - 60, "pass": "p", "item": 7, "sku": "TEE", **row}
        for n, row in enumerate(rows)
    ]
    known = {BERLIN: level(BERLIN, 9), HAMBURG: level(HAMBURG, 10, **levels)}
    state = ItemState(Item(7, "TEE", standing=Standing.POOLED, pool=9), known)
    return Facts("TEE", shop, (ItemFacts(state, (), (), tuple(numbered)),))


def says(found: Facts) -> dict[str, str]:
    told = document(found)
    json.dumps(told)
    return {x["cause"]: x["says"] for x in told["verdicts"]}


def write(outcome: str, **more: Any) -> dict[str, Any]:
    numbers = {"target": "shopify", "location": HAMBURG, "from": 10, "to": 9, "key": "k"}
    return {"kind": "write", **numbers, "outcome": outcome, **more}


def test_a_level_that_owes_a_write_is_told_with_both_numbers() -> None:
    found = says(facts())
    assert list(found) == ["owed"]
    assert holds(found["owed"], "Hamburg shows 10 and should show 9", "next pass")


def test_a_level_that_shopify_refused_to_set_is_told_with_its_words() -> None:
    found = says(facts(write("refused: INVALID_LOCATION no such place")))
    assert list(found) == ["refused"]
    assert holds(found["refused"], "10 and should show 9", "INVALID_LOCATION no such place", "UTC")


def test_a_refusal_of_another_number_is_no_reason() -> None:
    assert list(says(facts(write("refused: X", to=8)))) == ["owed"]


def test_a_level_that_is_read_again_first() -> None:
    found = says(facts(doubtful=True))
    assert holds(found["doubted"], "Hamburg", "read again")


def test_nothing_agrees_before_the_first_baseline_or_while_a_side_is_in_trouble() -> None:
    at_rest = facts()
    (item,) = at_rest.items
    levels = {x: level(x, 9) for x in (BERLIN, HAMBURG)}
    item = replace(item, state=ItemState(item.state.item, levels))
    assert list(says(replace(at_rest, items=(item,)))) == ["agree"]
    broken = replace(WELL, trouble="HTTP 500", went_well_at=NOW - 90)
    for shop, cause in (
        (replace(SHOP, baseline=False), "no_baseline"),
        (replace(SHOP, targets={Target.SHOPIFY: broken}), "trouble"),
        (replace(SHOP, targets=None), "no_daemon"),
    ):
        assert list(says(replace(at_rest, items=(item,), shop=shop))) == [cause]


@pytest.mark.parametrize(
    ("row", "cause", "pieces"),
    [
        ({"kind": "resolved", "pool": 9}, "resolved", ["A person", "9"]),
        ({"kind": "out of the mirror", "pool_dropped": 4}, "left_mirror", ["pool of 4", "dropped"]),
        ({"kind": "into the mirror", "pool_dropped": None}, "entered_mirror", ["first sight"]),
        ({"kind": "undo", "of": "P1", "pool_before": 2, "pool": 9}, "undone", ["P1", "2 → 9"]),
        ({"kind": "join", "locations": [BERLIN, HAMBURG]}, "joined", ["Berlin and Hamburg"]),
    ],
)
def test_other_ways_to_a_pool(row: dict[str, Any], cause: str, pieces: list[str]) -> None:
    assert holds(says(facts(row))[cause], *pieces)


def test_an_undo_that_was_refused_is_no_way_to_a_pool() -> None:
    resolved = {"kind": "resolved", "pool": 9}
    found = facts(resolved, {"kind": "undo", "of": "P1", "refused": "Berlin shows 9, not 2"})
    assert "undone" not in says(found)
    assert document(found)["items"][0]["pool_because"]["cause"] == "resolved"


MOVED = {"location": BERLIN, "from": 10, "to": 8, "delta": -2, "orders": 0, "stock": -2}
LINES: list[dict[str, Any]] = [
    {
        "kind": "change",
        "changes": [MOVED],
        "pool_before": 10,
        "pool": 8,
        "case": "one level changed",
    },
    {"kind": "resolved", "pool": 7},
    {"kind": "undo", "of": "P1", "pool_before": 7, "pool": 6},
    {"kind": "change", "changes": [], "pool_before": 6, "pool": 6, "case": "a transfer"},
    {"kind": "undo", "of": "P1", "refused": "a change was counted since"},
    {"kind": "join", "locations": [BERLIN]},
    write("applied"),
]


@pytest.mark.parametrize("lines", [list(x) for x in itertools.permutations(LINES, 3)])
def test_the_pool_is_told_by_the_newest_line_that_moved_it(lines: list[dict[str, Any]]) -> None:
    because = document(facts(*lines))["items"][0]["pool_because"]
    moving = [row for row in lines if row["kind"] in MOVES_POOL and moves_pool(row)]
    if moving:
        says = entry_text({"at": NOW, **moving[-1]}, SHOP.names).says
        assert because["says"].startswith(says)
    else:
        assert because is None or because["cause"] in ("joined", "transfer")


def test_of_a_sku_that_very_many_items_have_the_first_are_told() -> None:
    found = says(replace(facts(), more=2999))
    assert holds(found["several_items"], "3,000 Shopify items", "the first 1")


def test_attempts_count_the_tries_for_one_number_at_one_place() -> None:
    rows = (write("unknown: lost"), write("applied", tries=2), write("applied", to=8))
    told = document(facts(*rows))["items"][0]["writes"]
    assert [x["attempt"] for x in told] == [1, 3, 1]


def test_a_moment_of_another_utc_day_is_told_with_its_date() -> None:
    midnight = NOW - NOW % 86_400
    assert moment(midnight, midnight + 86_399) == "00:00:00 UTC"
    assert moment(midnight - 1, midnight) == "2026-11-20 23:59:59 UTC"


def test_the_most_urgent_comes_first_and_nothing_is_said_twice() -> None:
    found = [Reason(cause, "x") for cause in (Cause.STALE, Cause.AGREE, Cause.HELD, Cause.STALE)]
    assert [x.cause for x in by_urgency(found)] == [Cause.HELD, Cause.AGREE, Cause.STALE]


def test_a_line_of_an_older_version_is_still_a_sentence() -> None:
    assert (
        entry_summary({"kind": "write", "sku": "TEE"}, {})
        == "?, warehouse ?: nothing known → nothing known, ?"
    )
    assert entry_summary({"kind": "what came later", "units": 3}, {}) == "units 3"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            {
                "kind": "hold",
                "at": NOW,
                "units": 3,
                "until": NOW + 60,
                "warehouse": "W",
                "shows": 7,
            },
            "TikTok sold 3: held back until 22:27:40 UTC; Main warehouse shows 7",
        ),
        (
            {"kind": "hold", "at": NOW, "units": -2, "warehouse": "W", "shows": 9},
            "TikTok gave 2 back (a cancelled order): Main warehouse shows 9",
        ),
        (
            {"kind": "drift", "warehouse": "W", "from": 10, "to": 50},
            "TikTok, Main warehouse: somebody else moved 10 → 50; it is corrected",
        ),
        (
            {"kind": "undo", "of": "P1", "pool_before": 2, "pool": 10},
            "A person took back pass P1: the pool goes 2 → 10",
        ),
        (
            {"kind": "undo", "of": "P1", "refused": "Berlin shows 9, not 2"},
            "Not taken back from pass P1: Berlin shows 9, not 2",
        ),
        ({"kind": "resumed", "target": "tiktok"}, "TikTok was resumed by a person"),
        (
            {"kind": "scan", "by": "bulk", "levels": 12345, "suspects": 2},
            "Full scan by bulk: 12,345 levels, 2 items to look at",
        ),
        (
            {
                "kind": "write",
                "target": "tiktok",
                "warehouse": "W",
                "from": 0,
                "to": 9,
                "outcome": "confirmed",
                "tries": 2,
            },
            "TikTok, Main warehouse: 0 → 9, confirmed (try 2)",
        ),
    ],
)
def test_every_kind_of_line_reads_as_a_sentence(row: dict[str, Any], sentence: str) -> None:
    assert entry_summary(row, {}, {"W": "Main warehouse"}) == sentence
