"""`undo` takes a mistaken pass back with new writes, and loses nothing that happened since."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from invsyncd.store import Store
from tests.support.running import MAIN, Json, Running, files, running

HOLD = {"[mirror]\nenabled = true": '[mirror]\nenabled = true\non_conflict = "hold"'}


async def once(w: Running) -> str:
    """One pass; returns its id."""
    found: Json = json.loads((await w.ask("once", "--json")).stdout)
    return str(found["pass"])


async def mistaken(w: Running) -> str:
    """Both targets agree on 10; then somebody imports 2 at one place, and a pass spreads it."""
    w.shows({"TEE": 10})
    await once(w)
    w.made.shop.count("TEE", "Berlin", 2)
    pass_id = await once(w)
    assert w.agrees("TEE", 2)
    return pass_id


async def undo(w: Running, pass_id: str, *options: str) -> tuple[int, Json]:
    result = await w.ask("undo", pass_id, "--json", "--yes", *options)
    found: Json = json.loads(result.stdout)
    return result.exit_code, found


async def test_it_puts_back_the_pool_everywhere_and_the_next_passes_leave_it_there(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10, CAP=4) as w:
        pass_id = await mistaken(w)
        code, found = await undo(w, pass_id)
        assert (code, found["done"], found["refused"]) == (0, "done", [])
        assert [(x["sku"], x["pool_from"], x["pool_to"]) for x in found["items"]] == [
            ("TEE", 2, 10)
        ]
        assert w.agrees("TEE", 10)
        before = w.writes
        for _ in range(3):
            await once(w)
        assert w.writes == before
        assert w.agrees("CAP", 4)


async def test_a_dry_run_says_it_all_and_does_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        pass_id = await mistaken(w)
        before, writes = files(tmp_path), w.writes
        code, found = await undo(w, pass_id, "--dry-run")
        assert (code, found["done"]) == (0, "dry run")
        told = sorted((x["target"], x["from"], x["to"]) for x in found["items"][0]["writes"])
        assert told == [("shopify", 2, 10)] * 3 + [("tiktok", 2, 10)]
        assert files(tmp_path) == before
        assert w.writes == writes


async def test_the_running_daemon_carries_it_out(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        pass_id = await mistaken(w)
        await w.start()
        code, found = await undo(w, pass_id)
        assert (code, found["done"]) == (0, "left to the running daemon")
        await w.until("all show 10 again", lambda: w.agrees("TEE", 10))


async def test_what_was_ordered_in_that_pass_stays_sold(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await once(w)
        w.made.shop.count("TEE", "Berlin", 2)
        w.made.shop.sell_online("TEE", "Munich", 3)
        pass_id = await once(w)
        code, _ = await undo(w, pass_id)
        assert code == 0
        assert w.agrees("TEE", 7)


async def test_a_sale_that_is_found_while_it_is_carried_out_is_counted_on_top(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        pass_id = await mistaken(w)
        w.made.shop.sell_online("TEE", "Hamburg", 1)  # nobody has read it yet
        await undo(w, pass_id)
        await once(w)
        assert w.agrees("TEE", 9)


async def test_an_undo_can_be_undone_and_the_same_one_not_done_twice(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        pass_id = await mistaken(w)
        await undo(w, pass_id)
        code, found = await undo(w, pass_id)
        assert code == 3
        assert "a change was counted since" in found["refused"][0]["because"]
        rows = json.loads((await w.ask("journal", "--json")).stdout)["journal"]
        undone = [row for row in rows if row["kind"] == "undo"]
        assert [(x["of"], x["pool_before"], x["pool"]) for x in undone] == [(pass_id, 2, 10)]
        assert (await undo(w, undone[0]["pass"]))[0] == 0
        assert w.agrees("TEE", 2)


async def test_a_mass_zero_that_the_guard_stopped_is_taken_back_and_its_pause_ends(
    tmp_path: Path,
) -> None:
    stock = {f"ITEM-{n:02}": 5 for n in range(20)}
    async with running(tmp_path, locations=2, **stock) as w:
        w.shows(stock)
        await once(w)
        for sku in list(stock)[:7]:
            w.made.shop.count(sku, "Berlin", 0)
        pass_id = await once(w)
        assert w.levels("ITEM-00") == [0, 5]
        code, found = await undo(w, pass_id)
        assert (code, len(found["items"]), set(found["paused"])) == (0, 7, {"shopify", "tiktok"})
        for target in ("shopify", "tiktok"):
            assert f"{target} is not paused" in (await w.ask("resume", target)).stdout
        await once(w)
        assert all(w.agrees(sku, 5) for sku in stock)


def sold_since(w: Running) -> None:
    w.made.shop.sell_online("TEE", "Hamburg", 1)


def counted_since(w: Running) -> None:
    w.made.shop.count("TEE", "Hamburg", 2 + 5)


def sold_on_tiktok(w: Running) -> None:
    w.made.market.sell("TEE", MAIN, 1)


@pytest.mark.parametrize(
    ("happened", "because"),
    [
        (sold_since, "a change was counted since, by pass"),
        (counted_since, "a change was counted since, by pass"),
        (sold_on_tiktok, "units were sold on TikTok since"),
    ],
)
async def test_it_refuses_by_name_where_the_world_has_moved_on_and_takes_back_the_rest(
    tmp_path: Path, happened: Callable[[Running], None], because: str
) -> None:
    async with running(tmp_path, TEE=10, CAP=10) as w:
        await once(w)
        w.made.shop.count("TEE", "Berlin", 2)
        w.made.shop.count("CAP", "Berlin", 2)
        pass_id = await once(w)
        happened(w)
        await once(w)
        levels = w.levels("TEE")
        code, found = await undo(w, pass_id)
        assert code == 3
        assert [x["sku"] for x in found["refused"]] == ["TEE"]
        assert because in found["refused"][0]["because"]
        assert w.levels("TEE") == levels
        assert w.agrees("CAP", 10)


async def test_a_pass_that_moved_on_between_the_request_and_the_daemon_is_not_taken_back(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        pass_id = await mistaken(w)
        second = await w.ask("undo", pass_id, "--yes")
        assert second.exit_code == 0
        # The same request once more, as one that was left before the first was carried out.
        async with Store.open(w.state) as store, store.transaction() as tx:
            body = {"pass": pass_id, "items": [w.made.shop.item("TEE")]}
            await store.requests.add(tx, "undo", body, 0)
        await once(w)
        assert w.agrees("TEE", 10)
        rows = json.loads((await w.ask("journal", "--json")).stdout)["journal"]
        assert any("a change was counted since" in str(x.get("refused")) for x in rows)


async def test_orders_alone_and_a_transfer_leave_nothing_to_take_back(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10, CAP=10) as w:
        await once(w)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        w.made.shop.count("CAP", "Berlin", 6)
        w.made.shop.count("CAP", "Munich", 14)
        pass_id = await once(w)
        code, found = await undo(w, pass_id)
        assert (code, found["items"], found["done"]) == (3, [], "nothing to take back")
        because = {x["sku"]: x["because"] for x in found["refused"]}
        assert "orders only" in because["TEE"]
        assert "a transfer" in because["CAP"]


async def test_a_number_that_followed_the_configuration_goes_back_with_the_configuration(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        await once(w)
        w.configure(percent=50)
        pass_id = await once(w)
        assert w.shown("TEE") == 5
        code, found = await undo(w, pass_id)
        assert code == 3
        assert "put the configuration" in found["refused"][0]["because"]
        w.configure(percent=100)
        assert (await undo(w, pass_id))[0] == 0
        await once(w)
        assert w.shown("TEE") == 10


async def test_an_item_without_an_earlier_number_or_on_hold_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10, CAP=10) as w:
        w.configure(changed=HOLD)
        w.made.shop.count("CAP", "Berlin", 4)  # unequal at first sight: it waits for a change
        await once(w)
        w.made.shop.count("CAP", "Berlin", 6)
        w.made.shop.count("TEE", "Berlin", 50)
        w.made.shop.count("TEE", "Munich", 30)
        pass_id = await once(w)
        code, found = await undo(w, pass_id)
        because = {x["sku"]: x["because"] for x in found["refused"]}
        assert code == 3
        assert "no number to go back to" in because["CAP"]
        assert "invsyncd resolve TEE" in because["TEE"]


async def test_a_pass_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await once(w)
        result = await w.ask("undo", "20200101T000000-abcdef")
        assert result.exit_code == 1
        assert 'no pass "20200101T000000-abcdef"' in result.stderr
        assert "Try: " in result.stderr
