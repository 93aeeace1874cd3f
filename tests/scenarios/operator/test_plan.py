"""`plan` shows what a new configuration would change, before it is used, without a call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.running import Json, Running, files, running


def write_new(w: Running, *changes: tuple[str, str], more: str = "") -> Path:
    """A second configuration, which is the first one with these pieces of text replaced."""
    text = w.config.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = w.home / "new.toml"
    path.write_text(f"{text}\n{more}\n")
    return path


async def planned(w: Running, path: Path) -> Json:
    result = await w.ask("plan", "--config", str(path), "--json")
    assert result.exit_code == 0, result.stderr
    found: Json = json.loads(result.stdout)
    return found


def link_to_cap(w: Running) -> str:
    """A link that has the listing of TEE sell CAP."""
    sku = w.made.market.sku("TEE")
    ids = f'product_id = "{sku.product_id}"\nsku_id = "{sku.id}"'
    return f'[[tiktok.link]]\nsku = "CAP"\n{ids}'


PERCENT = ("percent = 100", "percent = 50")


async def test_it_says_what_a_lower_percentage_does_and_the_next_pass_does_just_that(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10, CAP=1, MUG=0) as w:
        await w.ask("once")
        found = await planned(w, write_new(w, PERCENT))
        assert found["totals"]["tiktok"] == {
            "raised": 0,
            "lowered": 1,
            "zeroed": 1,
            "newly_unlimited": 0,
            "unchanged": 1,
            "no_longer_written": 0,
        }
        assert found["totals"]["shopify"]["unchanged"] == 9
        rows = [(row["sku"], row["from"], row["to"], row["effect"]) for row in found["rows"]]
        assert rows == [("TEE", 10, 5, "lowered"), ("CAP", 1, 0, "zeroed")]
        w.config.write_text((w.home / "new.toml").read_text())
        await w.ask("once")
        assert [w.shown(sku) for sku in ("TEE", "CAP", "MUG")] == [5, 0, 0]


async def test_it_makes_no_call_and_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    """Even where it has to try something out: which item another link would give a listing."""
    async with running(tmp_path, TEE=10, CAP=4) as w:
        await w.ask("once")
        path = write_new(w, PERCENT, more=link_to_cap(w))
        before = files(tmp_path)
        calls = dict(w.made.shopify.calls), dict(w.made.tiktok.calls)
        assert calls[0]
        await planned(w, path)
        assert files(tmp_path) == before
        assert (dict(w.made.shopify.calls), dict(w.made.tiktok.calls)) == calls


async def test_it_works_beside_the_running_daemon(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        await w.until("TikTok shows 10", lambda: w.agrees("TEE", 10))
        found = await planned(w, write_new(w, PERCENT))
        assert [row["to"] for row in found["rows"]] == [5]


async def test_rows_come_by_size_and_the_rest_is_counted_unless_all_are_asked_for(
    tmp_path: Path,
) -> None:
    stock = {f"ITEM-{n:02}": 2 * n for n in range(1, 26)}
    async with running(tmp_path, locations=2, **stock) as w:
        w.shows(stock)
        await w.ask("once")
        path = write_new(w, PERCENT)
        told = (await w.ask("plan", "--config", str(path))).stdout
        assert "and 5 more" in told
        assert told.index("ITEM-25") < told.index("ITEM-06")
        assert "ITEM-05" not in told
        assert "25 lowered" in told
        everything = (await w.ask("plan", "--config", str(path), "--all")).stdout
        assert "ITEM-05" in everything
        assert len((await planned(w, path))["rows"]) == 25


async def test_a_wider_mirror_levels_what_it_takes_in(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        narrow = ("[mirror]", '[mirror]\nlocations = ["Berlin", "Hamburg"]')
        wide = w.config.read_text()
        w.configure(changed=dict([narrow]))
        w.made.shop.count("TEE", "Munich", 3)
        await w.ask("once")
        path = tmp_path / "new.toml"
        path.write_text(wide)
        rows = [r for r in (await planned(w, path))["rows"] if r["target"] == "shopify"]
        assert [(r["where"], r["from"], r["to"]) for r in rows] == [("Munich", 3, 10)]
        w.config.write_text(wide)
        await w.ask("once")
        assert w.levels("TEE") == [10, 10, 10]


async def test_what_is_no_longer_mirrored_keeps_its_number_and_is_counted_apart(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        found = await planned(w, write_new(w, ("[mirror]", '[mirror]\nlocations = ["Berlin"]')))
        assert found["totals"]["shopify"]["no_longer_written"] == 2
        assert found["totals"]["shopify"]["zeroed"] == 0


async def test_a_link_gives_a_listing_the_stock_of_another_item(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10, CAP=4) as w:
        await w.ask("once")
        found = await planned(w, write_new(w, more=link_to_cap(w)))
        rows = [(r["key"]["sku_id"], r["from"], r["to"]) for r in found["rows"]]
        assert rows == [(w.made.market.sku("TEE").id, 10, 4)]


async def test_an_item_that_becomes_unlimited_is_said_so(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.made.add("GIFT", 0, tracked=False)
        off = '[[tiktok.override]]\nskus = ["GIFT"]\nenabled = false'
        w.configure(more=off)
        await w.ask("once")
        found = await planned(w, write_new(w, (off, "")))
        assert [(r["sku"], r["to"], r["effect"]) for r in found["rows"]] == [
            ("GIFT", 999_999, "newly unlimited")
        ]


async def test_it_says_that_the_guard_would_stop_it(tmp_path: Path) -> None:
    stock = {f"ITEM-{n:02}": 1 if n < 10 else 10 for n in range(20)}
    async with running(tmp_path, locations=2, **stock) as w:
        w.shows(stock)
        await w.ask("once")
        found = await planned(w, write_new(w, PERCENT))
        assert found["would_pause"] == {
            "tiktok": "one pass would set 10 of 20 listings to 0, more than 30 %"
        }


async def test_a_warehouse_that_was_never_seen_is_named_as_unknown(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        mapping = ('warehouse = "Main warehouse"', 'warehouse = "Brand new"')
        found = await planned(w, write_new(w, mapping))
        assert any("Brand new" in sentence for sentence in found["unknown"])
        assert found["totals"]["tiktok"]["no_longer_written"] == 1


async def test_before_a_first_pass_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        result = await w.ask("plan", "--config", str(write_new(w)))
        assert result.exit_code == 1
        assert "there is no state database" in result.stderr
        assert not w.state.exists()


def _percent(w: Running) -> Path:
    return write_new(w, ("percent = 100", "percent = 101"), more='[mirrors]\nx = "y"')


def _places(w: Running) -> Path:
    return write_new(w, ("[mirror]", '[mirror]\nlocations = ["Nowhere", "Elsewhere"]'))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(_percent, ("tiktok.percent", "mirrors")), (_places, ('"Nowhere"', '"Elsewhere"'))],
    ids=["by itself", "for this shop"],
)
async def test_a_wrong_new_configuration_is_told_with_all_its_problems(
    tmp_path: Path, wrong: Callable[[Running], Path], said: tuple[str, ...]
) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        result = await w.ask("plan", "--config", str(wrong(w)))
        assert result.exit_code == 2
        assert all(piece in result.stderr for piece in (*said, "new.toml has 2 problems", "Try: "))
