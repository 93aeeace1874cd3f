"""A held item is undecided: no number stands in the place of the one that nobody has decided.

The kind: two people counted at once. Whoever asks gets the choices with what each would give, and
the log has one line when the hold begins and one when it ends.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from invsyncd.planning.requests import RESOLVE
from invsyncd.planning.rulebook import Rulebook
from invsyncd.status.listings import held_json
from tests.support.asking import document, first, lines, notes
from tests.support.running import running
from tests.support.virtual import virtual
from tests.support.world import World, world

HOLDS: dict[str, Any] = {"mirror": {"on_conflict": "hold"}}
GIVES = "lowest 30 · highest 50 · sum 70 · Berlin 50 · Hamburg 30"


async def held(w: World) -> None:
    w.made.add("TEE", 10)
    await w.settle(3)
    w.made.shop.count("TEE", "Berlin", 50)
    w.made.shop.count("TEE", "Hamburg", 30)
    await w.settle(2)


async def resolve(w: World, use: str) -> None:
    assert w.running is not None
    store = w.running.store
    async with store.transaction() as tx:
        body = {"item": w.made.shop.item("TEE"), "use": use}
        await store.requests.add(tx, RESOLVE, body, 0)


@virtual
async def test_it_has_no_pool_and_the_choices_with_what_each_would_give(tmp_path: Path) -> None:
    async with world(tmp_path, locations=2, **HOLDS) as w:
        await held(w)
        item = (await document(w))["items"][0]
        assert item["pool"] is None
        gives = {x["use"]: x["units"] for x in item["choices"]}
        assert gives == {
            "lowest": 30,
            "highest": 50,
            "sum": 70,
            "location:Berlin": 50,
            "location:Hamburg": 30,
        }
        cause, says, command = await first(w)
        assert cause == "held"
        assert says.endswith(f"nothing is written until a person decides: {GIVES}")
        assert "pass pass-4: 50 at Berlin against 30 at Hamburg" in says
        assert command == "invsyncd resolve TEE --use lowest"
        assert w.running is not None
        found = await held_json(w.running.store, Rulebook(w.settings(), w.running.store))
        assert [x["choices"] for x in found] == [GIVES]


@virtual
@pytest.mark.parametrize("use", ["lowest", "highest", "sum", "location:Berlin"])
async def test_each_choice_gives_what_it_said(tmp_path: Path, use: str) -> None:
    async with world(tmp_path, locations=2, **HOLDS) as w:
        await held(w)
        item = (await document(w))["items"][0]
        gives = {x["use"]: x["units"] for x in item["choices"]}
        await resolve(w, use)
        await w.settle(2)
        assert w.levels("TEE") == [gives[use]] * 2
        after = (await document(w))["items"][0]
        assert (after["pool"], after["choices"]) == (gives[use], [])


@virtual
async def test_the_log_has_one_line_when_it_begins_and_one_when_it_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "invsyncd")
    async with world(tmp_path, locations=2, **HOLDS) as w:
        await held(w)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(3)
        began = [x for x in caplog.messages if "TEE is held" in x]
        assert len(began) == 1
        assert "Berlin 10 → 50, Hamburg 10 → 30" in began[0]
        assert "`invsyncd resolve TEE --use lowest`" in began[0]
        await resolve(w, "30")
        await w.settle(3)
        ended = [x for x in caplog.messages if "not held any more" in x]
        assert [x.partition(" (pass")[0] for x in ended] == [
            "TEE is not held any more: its pool is 30"
        ]


@virtual
async def test_what_it_should_show_is_told_as_undecided_after_five_minutes(tmp_path: Path) -> None:
    async with world(tmp_path, locations=2, **HOLDS) as w:
        await held(w)
        await w.settle(26)
        assert w.running is not None
        await w.running.jobs.numbers()
        await w.passing(400)
        await w.running.jobs.numbers()
        assert "TEE at Berlin shows 50 and nobody has decided what it should show" in notes(w)
        assert not w.running.health.document()[0]  # 50 may be more than there is
        differs = await lines(w, "differs")
        assert {x["should"] for x in differs} == {None}


@virtual
async def test_unequal_at_first_sight_is_a_hold_like_any_other(tmp_path: Path) -> None:
    async with world(tmp_path, locations=2, mirror={"unlevelled": "hold"}) as w:
        w.made.add("TEE", 10)
        w.made.shop.count("TEE", "Berlin", 7)
        await w.settle(2)
        item = (await document(w))["items"][0]
        assert item["pool"] is None
        assert [x["name"] for x in item["choices"]] == ["lowest", "highest", "Berlin", "Hamburg"]


async def test_check_and_status_list_it_as_something_to_do(tmp_path: Path) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        w.configure(
            changed={"[mirror]\nenabled = true": '[mirror]\nenabled = true\non_conflict = "hold"'}
        )
        await w.ask("once")
        w.made.shop.count("TEE", "Berlin", 50)
        w.made.shop.count("TEE", "Hamburg", 30)
        passed = await w.ask("once")
        assert "undecided" in passed.stdout
        checked = await w.ask("check")
        assert checked.exit_code == 3
        assert f"! items: 1 held, nothing is written for them: TEE ({GIVES})" in checked.stdout
        found = json.loads((await w.ask("check", "--json")).stdout)
        assert [
            x["state"] for x in found["findings"] if x["advice"].startswith("invsyncd res")
        ] == ["to do"]
        assert GIVES.replace("lowest 30", "")[:20] in (await w.ask("status")).stdout
        explained = (await w.ask("explain", "TEE")).stdout
        assert "held, undecided" in explained
