"""`invsyncd run` as operators know it: started, signalled, killed, wrongly configured."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from invsyncd.sandbox.faults import Kind
from invsyncd.store import Store
from tests.support.running import INTERVAL_S, SECRETS, Running, running

UNANSWERED_S = 1.5  # longer than a process needs to end; the fake waits for it, too


async def test_it_becomes_ready_mirrors_a_sale_and_then_writes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.until("both targets show 7", lambda: w.agrees("TEE", 7))
        before, polls = w.writes, w.made.shopify.operations["PollTogether"]
        await w.until(
            "three more passes", lambda: w.made.shopify.operations["PollTogether"] >= polls + 3
        )
        assert w.writes == before
        assert "Traceback" not in w.child.log_text()


async def test_sigterm_finishes_what_is_on_the_wire_and_exits_0(tmp_path: Path) -> None:
    """Sent twice, as a one-file launcher does: the second one changes nothing."""
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        await w.start()
        w.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=0.7)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("a write is on the wire", lambda: w.made.shop.mutations_received > 0)
        os.kill(w.child.pid, signal.SIGTERM)
        assert await w.child.stop() == 0
        assert w.child.log_text().rstrip().endswith("stopped")
        async with Store.open(w.state) as store:
            assert (await store.owed.levels()).count == 0
        assert w.levels("TEE") == [9, 9, 9]


async def test_what_takes_longer_than_shutdown_s_is_asked_for_after_the_next_start(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False, more="[daemon]\nshutdown_s = 0.2")
        await w.start()
        w.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=UNANSWERED_S)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("a write is on the wire", lambda: w.made.shop.mutations_received > 0)
        assert await w.child.stop() == 0
        assert "still on the wire" in w.child.log_text()
        await w.start()
        await w.until("every location shows 9", lambda: w.levels("TEE") == [9, 9, 9])


async def test_a_second_sigint_leaves_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        await w.start()
        w.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=UNANSWERED_S)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("a write is on the wire", lambda: w.made.shop.mutations_received > 0)
        os.kill(w.child.pid, signal.SIGINT)
        await asyncio.sleep(0.3)  # two that arrive together are one signal to the kernel
        os.kill(w.child.pid, signal.SIGINT)
        assert await w.ended() == 1
        assert "Traceback" not in w.child.log_text()
        assert "Error: interrupted twice" in w.child.log_text()


async def test_sighup_takes_up_a_good_configuration_and_says_all_that_is_wrong_with_a_bad_one(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        w.configure(percent=50)
        w.child.reload()
        await w.until("TikTok shows half", lambda: w.agrees("TEE", 10, shown=5))
        assert await w.is_ready()
        w.configure(percent=101, changed={"interval_s": "interval"})
        w.child.reload()
        await w.until("it was refused", lambda: "stays in force" in w.child.log_text())
        said = w.child.log_text().split("stays in force", 1)[1]
        assert "poll.interval" in said
        assert "tiktok.percent" in said
        w.made.shop.sell_online("TEE", "Berlin", 2)
        await w.until("the good one works on", lambda: w.agrees("TEE", 8, shown=4))


async def test_a_second_daemon_on_the_same_state_refuses_and_names_the_first(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        await w.start()
        second = await w.command("run")
        assert second.returncode == 1
        assert f"Error: {w.state} is in use by the invsyncd with pid {w.child.pid}" in second.stderr
        assert "Try: " in second.stderr
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("the first works on", lambda: w.levels("TEE") == [9, 9, 9])


async def test_a_daemon_that_was_killed_loses_nothing(tmp_path: Path) -> None:
    """Killed while a write is without an answer; sales before, between and after."""
    async with running(tmp_path, TEE=100) as w:
        w.configure(tiktok=False)
        await w.start()
        w.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=UNANSWERED_S)
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.until("a write is on the wire", lambda: w.made.shop.mutations_received > 0)
        w.made.shop.sell_till("TEE", "Hamburg", 2)
        await w.child.kill()
        w.made.shop.sell_online("TEE", "Munich", 4)
        await w.start()
        await w.until("all 9 are counted", lambda: w.levels("TEE") == [91, 91, 91])
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("and the next one", lambda: w.levels("TEE") == [90, 90, 90])


async def test_a_wrong_shopify_token_is_named_tried_slowly_and_at_once_after_sighup(
    tmp_path: Path,
) -> None:
    wrong = "shpat_of_another_shop"
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False, changed={"shpat_sandbox": wrong})
        await w.child.start()

        async def it_was_refused() -> bool:
            return "401" in (await w.get("/readyz")).text

        await w.until("/readyz names the refusal", it_was_refused)
        page = await w.get("/readyz")
        assert page.status == 503
        assert json.loads(page.text)["checks"]["shopify:authorised"][0]["status"] == "fail"
        await asyncio.sleep(5 * INTERVAL_S)
        assert await w.requests("shopify", "401") == 1
        w.child.reload()

        async def tried_again() -> bool:
            return await w.requests("shopify", "401") == 2

        await w.until("tried at once", tried_again)
        w.made.shopify.allow(wrong)
        w.child.reload()
        await w.until("it works", w.is_ready)
        text = w.child.log_text()
        assert "Traceback" not in text
        assert wrong not in text
        assert text.count("target=shopify trouble") == 1


async def test_a_dead_tiktok_token_leaves_the_mirror_alone_and_a_login_brings_it_back(
    tmp_path: Path,
) -> None:
    """Twice: the second time the tokens that die are stored ones."""
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        await w.until("TikTok shows 10", lambda: w.agrees("TEE", 10))
        for pool in (9, 7):
            await _tiktok_dies_and_comes_back(w, pool)
        assert w.child.log_text().count("target=tiktok trouble") == 2
        assert "Traceback" not in w.child.log_text()


async def _tiktok_dies_and_comes_back(w: Running, pool: int) -> None:
    """Two units are sold meanwhile; the first leaves `pool`."""
    w.made.tiktok.expire_access_token()
    w.made.tiktok.revoke_refresh_token()
    w.made.shop.sell_online("TEE", "Berlin", 1)
    await w.until("/readyz says so", w.is_not_ready)
    notes = json.loads((await w.get("/readyz")).text)["notes"]
    assert any(note.startswith("tiktok: ") for note in notes)
    assert [secret for secret in SECRETS if secret in json.dumps(notes)] == []
    w.made.shop.sell_online("TEE", "Munich", 1)
    await w.until("the mirror goes on", lambda: set(w.levels("TEE")) == {pool - 1})
    assert w.shown("TEE") == pool + 1
    login = await w.ask("tiktok-login", "--code", w.made.tiktok.authorise())
    assert login.exit_code == 0
    assert "Sandbox Shop" in login.output
    await w.until("long before the slow retry, TikTok follows", lambda: w.agrees("TEE", pool - 1))
    await w.until("/readyz says ready", w.is_ready)


async def test_garbled_answers_to_polls_change_nothing_and_are_said(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        await w.start()
        before = w.writes
        w.made.shopify_faults.add(Kind.GARBLED, times=1_000_000, match="Poll")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until(
            "five garbled answers", lambda: w.made.shopify_faults.fired[Kind.GARBLED] >= 5
        )
        assert w.levels("TEE") == [9, 10, 10]
        assert w.writes == before
        assert w.child.log_text().count("target=shopify trouble") == 1
        w.made.shopify_faults.clear()
        await w.until("read again", lambda: w.levels("TEE") == [9, 9, 9])
        await w.until("and said", lambda: "target=shopify works" in w.child.log_text())


async def test_a_port_in_use_is_said_with_what_to_do(tmp_path: Path) -> None:
    async with running(tmp_path) as w:
        with socket.socket() as other:
            other.bind(("127.0.0.1", w.port))
            other.listen()
            ended = await w.command("run")
        assert ended.returncode == 1
        assert f"Error: cannot listen on 127.0.0.1:{w.port}: " in ended.stderr
        assert "Try: end what listens there, or set another server.listen" in ended.stderr
        assert "Traceback" not in ended.stderr


async def test_a_wrong_configuration_exits_2_with_every_problem_and_its_key(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as w:
        w.configure(
            changed={"percent = 100": "percent = -1", "interval_s = 0.2": 'interval_s = "often"'},
            more="[mirrors]\nenabled = true",
        )
        ended = await w.command("run")
        assert ended.returncode == 2
        for key in ("tiktok.percent", "poll.interval_s", "mirrors"):
            assert key in ended.stderr
        assert "Try: " in ended.stderr
        assert "Traceback" not in ended.stderr
        assert not w.state.exists()


async def test_a_mapping_that_offers_units_twice_exits_2_and_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.made.market.add_warehouse("South")
        w.configure(
            changed={'locations = ["*"]': 'locations = ["Berlin"]'},
            more='[[tiktok.mapping]]\nlocations = ["Hamburg"]\nwarehouse = "South"',
        )
        ended = await w.command("run")
        assert ended.returncode == 2
        assert "offered twice" in ended.stderr
        assert "Try: " in ended.stderr
        assert "Traceback" not in ended.stderr
        assert w.made.market.updates == []


def _empty(path: Path) -> None:
    path.touch()


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE recipes (name TEXT)")


def _not_sqlite(path: Path) -> None:
    path.write_bytes(b"quantities, by location\n" * 100)


def _newer(path: Path) -> None:
    async def make() -> None:
        async with Store.open(path):
            pass

    asyncio.run(make())
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(_empty, "is empty", id="empty"),
        pytest.param(_foreign, "is not a state database of invsyncd", id="foreign"),
        pytest.param(_not_sqlite, "cannot be read as a state database", id="damaged"),
        pytest.param(_newer, "newer invsyncd", id="newer"),
    ],
)
async def test_a_database_that_cannot_be_trusted_is_refused_and_left_as_it_is(
    tmp_path: Path, make: object, says: str
) -> None:
    async with running(tmp_path) as w:
        assert callable(make)
        await asyncio.to_thread(make, w.state)
        before = w.state.read_bytes()
        ended = await w.command("run")
        assert ended.returncode == 1
        assert says in ended.stderr
        assert "Try: " in ended.stderr
        assert "Traceback" not in ended.stderr
        assert w.state.read_bytes() == before


PATHS = ("/", "/readyz", "/metrics", "/api/status", "/api/journal", "/api/explain/TEE")


AT_THE_START = {
    Kind.SLOW: "warehouses",
    Kind.ERROR_BEFORE: "products/search",
    Kind.LOST: "inventory/search",
    Kind.ERROR_AFTER: "inventory/update",
}
LATER = (
    (Kind.UNAUTHORISED,),
    (Kind.GARBLED,),
    (Kind.UNPAID,),
    (Kind.FORBIDDEN,),
    (Kind.LOCKED,),
    (Kind.DENIED,),
    (Kind.CONFLICT_AFTER,),
)
AT_THE_END = ((Kind.TOO_MANY, Kind.THROTTLED),)  # they slow down what follows


async def _a_bad_start(w: Running) -> None:
    for kind, match in AT_THE_START.items():
        w.made.shopify_faults.add(kind, delay_s=0.1)
        w.made.tiktok_faults.add(kind, match=match, delay_s=0.1)
    await w.start()
    await w.until("nothing was lost", lambda: w.agrees("TEE", 50))


async def _a_bad_day(w: Running, rounds: tuple[tuple[Kind, ...], ...]) -> None:
    """One sale for each of these storms on both sides."""
    for kinds in rounds:
        for kind in kinds:
            w.made.shopify_faults.add(kind, retry_after_s=0.1)
            w.made.tiktok_faults.add(kind, match="search", retry_after_s=0.1)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        left = w.made.shop.available("TEE", "Berlin")
        await w.until(f"after {kinds}, nothing was lost", partial(w.agrees, "TEE", left))


async def _tokens_are_lost_on_their_way(w: Running, said: list[str]) -> str:
    """A refresh without an answer, and then a login; returns its code."""
    w.made.tiktok.expire_access_token()
    w.made.tiktok_faults.add(Kind.LOST, match="token/refresh")
    w.made.shopify.revoke()
    w.made.shop.sell_online("TEE", "Berlin", 1)
    await w.until("new tokens are lost", lambda: w.made.tiktok_faults.fired[Kind.LOST] == 2)
    said += [(await w.get(path)).text for path in PATHS]
    code = w.made.tiktok.authorise()
    said.append((await w.ask("tiktok-login", "--code", code)).output)
    left = w.made.shop.available("TEE", "Berlin")
    await w.until("it comes back", lambda: w.agrees("TEE", left))
    return code


@pytest.mark.timeout(180)  # a refusal of each kind is asked for again after seconds
async def test_whatever_goes_wrong_no_secret_is_ever_written(tmp_path: Path) -> None:
    """Every fault on both sides, and tokens that are lost on their way."""
    async with running(tmp_path, TEE=50) as w:
        w.configure(
            changed={
                'access_token = "shpat_sandbox"': 'client_id = "sandbox-client"\n'
                'client_secret = "sandbox-secret"'
            },
            more='[log]\nlevel = "debug"',
        )
        said: list[str] = []
        await _a_bad_start(w)
        await _a_bad_day(w, LATER)
        code = await _tokens_are_lost_on_their_way(w, said)
        await _a_bad_day(w, AT_THE_END)
        said += [(await w.get(path)).text for path in PATHS]
        await w.child.stop()
        for faults in (w.made.shopify_faults, w.made.tiktok_faults):
            assert set(faults.fired) == set(Kind)
        everything = "\n".join([*said, w.child.log_text()])
        assert "Traceback" not in everything
        assert [secret for secret in (*SECRETS, code) if secret in everything] == []
