"""Every kind of journal line has its sentence, and every case of a change."""

from __future__ import annotations

from typing import Any

import pytest

from invsyncd.core.journal import EntryKind
from invsyncd.core.merge import Case
from invsyncd.explain.causes import Reason
from invsyncd.explain.journal_text import RENDERERS, STORIES, entry_summary, entry_text, is_story

Line = dict[str, Any]

PLACES = {1: "Berlin", 2: "Hamburg"}
WAREHOUSES = {"W": "Main warehouse"}
AT = 1_795_300_000
MOVED = {"location": 1, "from": 10, "to": 8, "delta": -2, "orders": 0, "stock": -2}
CHANGE: Line = {"changes": [MOVED], "pool_before": 10, "pool": 8}
LISTING: Line = {"product_id": "5", "sku_id": "7"}

SENTENCES: dict[EntryKind, tuple[Line, str]] = {
    EntryKind.CHANGE: (
        {**CHANGE, "case": "one level changed"},
        "Berlin 10 → 8 (sold at the till, counted or sent away −2): the pool goes 10 → 8",
    ),
    EntryKind.JOIN: (
        {"locations": [1, 2]},
        "Berlin and Hamburg joined and takes over the pool",
    ),
    EntryKind.LEAVE: ({"locations": [2]}, "Hamburg is not stocked any more; the pool stays"),
    EntryKind.OUT_OF_MIRROR: (
        {"pool_dropped": 4},
        "It left the mirror; its pool of 4 was dropped",
    ),
    EntryKind.INTO_MIRROR: (
        {"pool_dropped": None},
        "It entered the mirror; first sight decides",
    ),
    EntryKind.RESOLVED: ({"pool": 9}, "A person said that the pool is 9"),
    EntryKind.UNDO: (
        {"of": "P1", "pool_before": 2, "pool": 10},
        "A person took back pass P1: the pool goes 2 → 10",
    ),
    EntryKind.WRITE: (
        {"target": "shopify", "location": 2, "from": 10, "to": 8, "outcome": "applied"},
        "Shopify, Hamburg: 10 → 8, applied",
    ),
    EntryKind.HOLD: (
        {**LISTING, "warehouse": "W", "units": 3, "until": AT + 60, "shows": 7},
        "TikTok sold 3: held back until 22:27:40 UTC; Main warehouse shows 7",
    ),
    EntryKind.DRIFT: (
        {**LISTING, "warehouse": "W", "from": 10, "to": 50},
        "TikTok, Main warehouse: somebody else moved 10 → 50; it is corrected",
    ),
    EntryKind.OTHER_WRITER: (
        {**LISTING, "warehouse": "W", "because": "came back 3 times"},
        "Another program writes Main warehouse too: the number came back 3 times",
    ),
    EntryKind.PARKED: (
        {**LISTING, "because": "it is a bundle"},
        "TikTok listing 7 is left alone: it is a bundle",
    ),
    EntryKind.WOKEN: (
        {**LISTING, "because": "no longer: it is a bundle"},
        "TikTok listing 7 is written again; no longer: it is a bundle",
    ),
    EntryKind.MISSING: (
        {**LISTING, "because": "TikTok's stock search lacks it"},
        "TikTok listing 7 cannot be written: TikTok's stock search lacks it",
    ),
    EntryKind.CEILING: (
        {**LISTING, "warehouse": "W", "wrote": 999_999, "units": 99_999},
        "TikTok cut 999,999 to 99,999: nothing above that is written",
    ),
    EntryKind.BACKORDER: (
        {**LISTING, "warehouse": "W", "units": 50, "before": 0},
        "TikTok, Main warehouse: 50 on backorder, beyond the stock",
    ),
    EntryKind.DIFFERS: (
        {"target": "shopify", "location": 1, "shown": 10, "should": 9, "because": "it is held"}
        | {"try": "invsyncd resolve TEE"},
        "Shopify at Berlin shows 10 and should show 9: it is held; to end it: invsyncd resolve TEE",
    ),
    EntryKind.UNREADABLE: (
        {"part": "levels", "because": "ITEM.quantities: missing"},
        "Shopify's answer about the stock of this item cannot be read: ITEM.quantities: missing;"
        " the item waits and is asked for in every pass",
    ),
    EntryKind.LOST: (
        {**LISTING, "because": "its product was deleted at TikTok"},
        "TikTok listing 7 is lost: its product was deleted at TikTok",
    ),
    EntryKind.FOUND: (
        {**LISTING, "because": "no longer: it left the warehouse"},
        "TikTok listing 7 is back; no longer: it left the warehouse",
    ),
    EntryKind.REMATCHED: (
        {**LISTING, "before": 1, "now": 2},
        "TikTok listing 7 sells Shopify item 2 now, not 1",
    ),
    EntryKind.SHARED: (
        {"listings": 2},
        "2 TikTok listings sell it; each shows its quantity",
    ),
    EntryKind.PAUSED: (
        {"target": "tiktok", "because": "one pass would zero 9 of 20 listings"},
        "TikTok is paused: one pass would zero 9 of 20 listings",
    ),
    EntryKind.RESUMED: ({"target": "shopify"}, "Shopify was resumed by a person"),
    EntryKind.SCAN: (
        {"by": "bulk operation", "levels": 12345, "suspects": 2},
        "Full scan by bulk operation: 12,345 levels, 2 items to look at",
    ),
}


def line(kind: EntryKind, **numbers: Any) -> Line:
    """A line as the store gives it."""
    return {"id": 1, "at": AT, "pass": "p", "kind": kind.value, "item": 7, "sku": "TEE", **numbers}


@pytest.mark.parametrize("kind", EntryKind)
def test_every_kind_has_its_sentence(kind: EntryKind) -> None:
    numbers, sentence = SENTENCES[kind]
    row = line(kind, **numbers)
    assert entry_summary(row, PLACES, WAREHOUSES) == sentence
    assert is_story(row) is (kind in STORIES)
    if is_story(row):
        assert entry_text(row, PLACES).says == sentence


def test_a_maximum_that_was_none_is_said_to_be_lifted() -> None:
    row = line(EntryKind.CEILING, units=5_000, shows=7_200)
    says = entry_summary(row, PLACES, WAREHOUSES)
    assert says == "TikTok shows 7,200: more than 5,000 is written again"


@pytest.mark.parametrize("kind", EntryKind)
def test_the_kinds_that_tell_of_a_pool_give_its_cause_and_no_other_does(kind: EntryKind) -> None:
    row = line(kind, **SENTENCES[kind][0])
    found = RENDERERS[kind](row, PLACES, WAREHOUSES)
    assert isinstance(found, Reason) is (kind in STORIES)
    if kind not in STORIES:
        with pytest.raises(ValueError, match="how a pool came about"):
            entry_text(row, PLACES)


@pytest.mark.parametrize("case", Case)
def test_every_case_of_a_change_has_its_sentence(case: Case) -> None:
    echoes = [{"location": 2, "from": 10, "to": 8}]
    row = line(EntryKind.CHANGE, **CHANGE, case=case.value, echoes=echoes)
    reason = entry_text(row, PLACES)
    assert "8" in reason.says
    assert entry_summary(row, PLACES) == reason.says
