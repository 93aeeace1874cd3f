"""`invsyncd run` as operators know it: a process that is started, signalled, killed and misled."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from invsyncd.sandbox.faults import Kind
from invsyncd.store import Store
from tests.process.running import INTERVAL_S, Running, running

SECRETS = ("shpat_sandbox", "sandbox-secret", "sandbox-app-secret", "TTP_sandbox", "TTP_refresh")
UNANSWERED_S = 2.5  # longer than a process needs to end; the fake waits for it, too


async def test_it_becomes_ready_and_mirrors_a_sale(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.until("both targets show 7", lambda: w.agrees("TEE", 7))
        assert "Traceback" not in w.child.log_text()


async def test_at_rest_it_writes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        await w.until("TikTok shows 10", lambda: w.agrees("TEE", 10))
        before, polls = w.writes, w.made.shopify.operations["Poll"]
        await w.until(
            "five more passes", lambda: w.made.shopify.operations["Poll"] >= polls + 5 * 3
        )
        assert w.writes == before


async def test_sigterm_finishes_what_is_on_the_wire_and_exits_0(tmp_path: Path) -> None:
    """Sent twice, as a one-file launcher does: the second one changes nothing."""
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        w.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=0.7)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("a write is on the wire", lambda: w.made.shop.mutations_received > 0)
        os.kill(w.child.pid, signal.SIGTERM)
        assert await w.child.stop() == 0
        assert w.child.log_text().rstrip().endswith("stopped")
        async with Store.open(w.state) as store:
            assert await store.levels.owed() == []
        assert w.levels("TEE") == [9, 9, 9]


async def test_what_takes_longer_than_shutdown_s_is_asked_for_after_the_next_start(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(more="[daemon]\nshutdown_s = 0.2")
        await w.start()
        w.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=UNANSWERED_S)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("a write is on the wire", lambda: w.made.shop.mutations_received > 0)
        assert await w.child.stop() == 0
        assert "still on the wire" in w.child.log_text()
        await w.start()
        await w.until("both targets show 9", lambda: w.agrees("TEE", 9))


async def test_a_second_sigint_leaves_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
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


async def test_sighup_takes_up_a_good_configuration(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        await w.until("TikTok shows 10", lambda: w.agrees("TEE", 10))
        w.configure(percent=50)
        w.child.reload()
        await w.until("TikTok shows half", lambda: w.agrees("TEE", 10, shown=5))
        assert await w.is_ready()


async def test_sighup_with_a_bad_configuration_keeps_the_old_one_and_says_every_problem(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        w.configure(
            changed={"interval_s": "interval", "percent = 100": "percent = 101"},
        )
        w.child.reload()
        await w.until("it was refused", lambda: "stays in force" in w.child.log_text())
        said = w.child.log_text().split("stays in force", 1)[1]
        assert "poll.interval" in said
        assert "tiktok.percent" in said
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("the old one works on", lambda: w.agrees("TEE", 9))


async def test_a_second_daemon_on_the_same_state_refuses_and_names_the_first(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        second = await w.command("run")
        assert second.returncode == 1
        assert f"Error: {w.state} is in use by the invsyncd with pid {w.child.pid}" in second.stderr
        assert "Try: " in second.stderr
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("the first works on", lambda: w.agrees("TEE", 9))


async def test_a_daemon_that_was_killed_loses_nothing(tmp_path: Path) -> None:
    """Killed while a write is without an answer; sales before, between and after."""
    async with running(tmp_path, TEE=100) as w:
        await w.start()
        w.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=UNANSWERED_S)
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.until("a write is on the wire", lambda: w.made.shop.mutations_received > 0)
        w.made.shop.sell_till("TEE", "Hamburg", 2)
        await w.child.kill()
        w.made.shop.sell_online("TEE", "Munich", 4)
        await w.start()
        await w.until("all 9 are counted", lambda: w.agrees("TEE", 91))
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("and the next one", lambda: w.agrees("TEE", 90))


async def test_a_wrong_shopify_token_is_named_tried_slowly_and_at_once_after_sighup(
    tmp_path: Path,
) -> None:
    wrong = "shpat_of_another_shop"
    async with running(tmp_path, TEE=10) as w:
        w.configure(changed={"shpat_sandbox": wrong})
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


@pytest.mark.parametrize("stored", [False, True], ids=["configured", "refreshed before"])
async def test_a_dead_tiktok_token_leaves_the_mirror_alone_and_a_login_brings_it_back(
    tmp_path: Path, stored: bool
) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        await w.until("TikTok shows 10", lambda: w.agrees("TEE", 10))
        if stored:
            w.made.tiktok.expire_access_token()
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await w.until("refreshed and written", lambda: w.agrees("TEE", 9))
        else:
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await w.until("written", lambda: w.agrees("TEE", 9))
        w.made.tiktok.expire_access_token()
        w.made.tiktok.revoke_refresh_token()
        w.made.shop.sell_online("TEE", "Berlin", 1)

        async def not_ready() -> bool:
            return (await w.get("/readyz")).status == 503

        await w.until("/readyz says so", not_ready)
        notes = json.loads((await w.get("/readyz")).text)["notes"]
        assert any(note.startswith("tiktok: ") for note in notes)
        w.made.shop.sell_online("TEE", "Munich", 1)
        await w.until("the mirror goes on", lambda: w.levels("TEE") == [7, 7, 7])
        assert w.shown("TEE") == 9
        code = w.made.tiktok.authorise()
        login = await w.ask("tiktok-login", "--code", code)
        assert login.exit_code == 0
        assert "Sandbox Shop" in login.output
        await w.until("TikTok follows, long before the slow retry", lambda: w.agrees("TEE", 7))
        await w.until("/readyz says ready", w.is_ready)
        assert w.child.log_text().count("target=tiktok trouble") == 1
        assert "Traceback" not in w.child.log_text()


async def test_garbled_answers_to_polls_change_nothing_and_are_said(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        await w.until("TikTok shows 10", lambda: w.agrees("TEE", 10))
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
        await w.until("read again", lambda: w.agrees("TEE", 9))
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


async def _everything_goes_wrong(w: Running) -> int:
    """Sell until every kind of fault struck both sides; returns what must be left."""
    both = w.made.shopify_faults, w.made.tiktok_faults
    for kind in Kind:
        w.made.shopify_faults.add(kind, retry_after_s=0.1, delay_s=0.1)
        w.made.tiktok_faults.add(kind, match="search", retry_after_s=0.1, delay_s=0.1)
    pool = w.levels("TEE")[0]
    while any(len(faults.fired) < len(Kind) for faults in both):
        w.made.shop.sell_online("TEE", "Berlin", 1)
        pool -= 1
        await w.until(f"nothing was lost: {pool}", lambda left=pool: w.agrees("TEE", left))
    return pool


async def test_whatever_goes_wrong_no_secret_is_ever_written(tmp_path: Path) -> None:
    """Every fault on both sides, a token lost on its way, a dead authorisation and a login."""
    async with running(tmp_path, TEE=50) as w:
        w.configure(
            changed={
                'access_token = "shpat_sandbox"': 'client_id = "sandbox-client"\n'
                'client_secret = "sandbox-secret"'
            },
            more='[log]\nlevel = "debug"',
        )
        await w.start()
        pool = await _everything_goes_wrong(w)
        w.made.tiktok.expire_access_token()
        w.made.tiktok_faults.add(Kind.LOST, match="token/refresh")
        w.made.shop.sell_online("TEE", "Berlin", 1)

        w.made.tiktok.revoke_refresh_token()
        w.made.shopify.revoke()

        async def not_ready() -> bool:
            return not await w.is_ready()

        await w.until("not ready", not_ready)
        said = [(await w.get(path)).text for path in PATHS]
        code = w.made.tiktok.authorise()
        login = await w.ask("tiktok-login", "--code", code)
        await w.until("it comes back", lambda: w.agrees("TEE", pool - 1))
        said += [(await w.get(path)).text for path in PATHS]
        await w.child.stop()
        everything = "\n".join([*said, login.output, w.child.log_text()])
        assert "Traceback" not in everything
        assert [secret for secret in (*SECRETS, code) if secret in everything] == []

