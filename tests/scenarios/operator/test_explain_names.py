"""`explain` accepts a SKU, an id, a listing, or a line of Shopify's history."""

from __future__ import annotations

from pathlib import Path

import pytest

from invsyncd.core.model import Attempt
from invsyncd.explain.gather import explain_name
from invsyncd.write_reference import reference, write_of
from tests.support.asking import document, holds
from tests.support.virtual import clock, virtual
from tests.support.world import World, world

KEY = "82a85daf-33a9-4553-a60a-1c7e3efc42d9"


def in_history(w: World) -> list[str]:
    """The documents that Shopify's inventory history shows beside our writes."""
    return sorted({str(x.reference) for x in w.made.shop.adjustments if x.actor == "app"})


@virtual
async def test_an_item_is_found_by_everything_that_names_it(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle(2)
        item, sku = w.made.shop.item("TEE"), w.made.market.sku("TEE")
        names = [
            "TEE",
            str(item),
            f"gid://shopify/InventoryItem/{item}",
            sku.id,
            f"{sku.product_id}/{sku.id}",
        ]
        for name in names:
            found = await document(w, name)
            assert (found["sku"], [x["item"] for x in found["items"]]) == ("TEE", [item]), name


@virtual
async def test_a_sku_is_compared_exactly_and_what_is_not_known_is_not_guessed(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.shop.add_item("", stock=dict.fromkeys(w.made.shop.locations, 1))
        await w.settle(2)
        assert w.running is not None
        for name in ("tee", "", "TEE ", "9" * 18, KEY, f"20261122T120300Z-{KEY}"):
            assert await explain_name(w.running.store, None, name, int(clock())) is None, name


@virtual
async def test_a_line_of_shopifys_history_leads_back_to_the_item_and_its_write(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle(2)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(2)
        (uri,) = in_history(w)
        assert uri.startswith("gid://invsyncd/Write/")
        named = write_of(uri)
        assert named is not None
        for name in (uri, uri.rpartition("/")[2], named[0]):
            found = await document(w, name)
            assert (found["sku"], found["items"][0]["pool"]) == ("TEE", 9)
            says = next(x["says"] for x in found["verdicts"] if x["cause"] == "write")
            assert holds(says, "Hamburg 10 → 9", "applied")
            assert {x["place"] for x in found["write"]} == {"Hamburg", "Munich", "Vienna"}
            assert {x["key"] for x in found["write"]} == {named[0]}


@virtual
async def test_a_write_of_several_items_names_their_skus(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for sku in ("MUG", "TEE"):
            w.made.add(sku, 10)
        await w.settle(2)
        for sku in ("MUG", "TEE"):
            w.made.shop.sell_online(sku, "Berlin", 1)
        await w.settle(2)
        (uri,) = in_history(w)
        found = await document(w, uri)
        (verdict,) = [x for x in found["verdicts"] if x["cause"] == "write"]
        assert holds(verdict["says"], "2 SKUs: MUG, TEE")
        assert (verdict["try"], found["items"]) == ("invsyncd explain SKU", [])
        assert len(found["write"]) == 6


@pytest.mark.parametrize(
    "text", ["TEE", "gid://invsyncd/Write/", "20261399T000000Z-x", "gid://other/Write/1-2", "1-2"]
)
def test_other_text_is_no_write(text: str) -> None:
    assert write_of(text) is None


def test_a_reference_is_the_attempts_own_whatever_the_pass_repeats_it() -> None:
    attempt = Attempt(KEY, "pass-1", 1_795_300_000, ())
    uri = reference(attempt.key, attempt.created_at)
    assert uri == f"gid://invsyncd/Write/20261121T222640Z-{KEY}"
    assert write_of(uri) == (KEY, 1_795_300_000)
    assert reference(KEY, 1_795_300_000) == uri
