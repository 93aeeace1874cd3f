"""The journal for people: the writes of an item in a pass are one line, with names for ids."""

from __future__ import annotations

from typing import Any

from invsyncd.explain.journal_groups import grouped

PLACES = {1: "Berlin", 2: "Hamburg", 3: "Munich", 4: "Vienna"}
HOUSES = {"w1": "Main warehouse", "w2": "East"}


def write(number: int, place: int | str, before: int | None, after: int, **more: object) -> Any:
    """A line of the kind `write`."""
    where = {"location": place} if isinstance(place, int) else {"warehouse": place}
    target = "shopify" if isinstance(place, int) else "tiktok"
    line = {"id": number, "at": 100 + number, "pass": "p1", "kind": "write", "item": 1}
    done = {"sku": "TEE", "target": target, "from": before, "to": after, "outcome": "applied"}
    return {**line, **where, **done, **more}


def said(*rows: Any) -> list[str]:
    """What the lines say, newest first."""
    return [x["says"] for x in grouped(rows, PLACES, HOUSES, {("p", "17"): "TEE"})]


def test_the_writes_of_one_item_in_one_pass_are_one_line() -> None:
    rows = [write(n, n, 39, 38) for n in (2, 3, 4)]
    [line] = grouped(rows, PLACES, HOUSES)
    assert line["says"] == "Hamburg, Munich, Vienna 39 → 38"
    assert (line["lines"], line["at"], line["sku"], line["kind"]) == (3, 104, "TEE", "write")


def test_writes_of_different_numbers_and_targets_are_told_beside_each_other() -> None:
    rows = [write(1, 2, 39, 38), write(2, 3, 40, 38), write(3, "w1", 31, 30)]
    assert said(*rows) == ["Hamburg 39 → 38; Munich 40 → 38; TikTok, Main warehouse 31 → 30"]


def test_what_was_refused_or_tried_again_says_so_and_what_was_done_needs_no_word() -> None:
    rows = [
        write(1, 2, 39, 38, outcome="refused: no such level"),
        write(2, 3, 39, 38, tries=2),
        write(3, 4, 39, 38),
    ]
    assert said(*rows) == [
        "Hamburg 39 → 38, refused: no such level; Munich 39 → 38 (try 2); Vienna 39 → 38"
    ]


def test_several_listings_in_one_warehouse_are_counted() -> None:
    rows = [write(n, "w1", 31, 30, product_id=f"p{n}", sku_id="1") for n in (1, 2)]
    assert said(*rows) == ["TikTok, Main warehouse (2 times) 31 → 30"]


def test_other_items_other_passes_and_other_kinds_keep_their_own_lines() -> None:
    resolved = {"id": 5, "at": 9, "pass": "p1", "kind": "resolved", "item": 1, "sku": "TEE"}
    rows = [
        write(1, 2, 39, 38),
        write(2, 2, 39, 38, item=2, sku="MUG"),
        write(3, 2, 38, 37, **{"pass": "p2"}),
        write(4, 3, 39, 38),
        {**resolved, "pool": 30},
    ]
    assert said(*rows) == [
        "A person said that the pool is 30",
        "Hamburg, Munich 39 → 38",
        "Hamburg 38 → 37",
        "Hamburg 39 → 38",
    ]


def test_a_line_about_a_listing_names_its_seller_sku() -> None:
    row = {"id": 1, "at": 1, "pass": "p", "kind": "parked", "item": 1, "sku": "TEE"}
    about = {"product_id": "p", "sku_id": "17", "because": "its status is FREEZE"}
    assert said({**row, **about}) == ["TikTok listing TEE is left alone: its status is FREEZE"]
    unnamed = said({**row, **about, "sku_id": "18"})
    assert unnamed == ["TikTok listing 18 is left alone: its status is FREEZE"]


def test_very_many_places_and_numbers_stay_one_short_line() -> None:
    one = said(*(write(n, n, 39, 38) for n in range(1, 21)))
    assert one[0].endswith("location 8 and 12 more 39 → 38")
    other = said(*(write(n, n, 39 + n, 38) for n in range(1, 21)))
    assert other[0].endswith("Vienna 43 → 38; and 16 more")


def test_a_write_of_another_version_is_told_as_far_as_it_goes() -> None:
    row = write(1, 2, 39, 38)
    del row["to"]
    assert said(row) == ["Shopify, Hamburg: 39 → nothing known, applied"]
