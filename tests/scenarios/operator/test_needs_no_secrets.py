"""Commands that the state or the running daemon can answer need no secret, and spoil no ownership.

The kind: a person types a command as root, in a shell that knows nothing of the unit's credentials.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from invsyncd.store import Store, take_lock
from invsyncd.store.schema import VERSION
from tests.support.running import Running, running

SERVICE = 64_123  # a user that systemd made up for the unit
SECRETS = {
    f'{key} = "{value}"\n': ""
    for key, value in (
        ("access_token", "shpat_sandbox"),
        ("app_secret", "sandbox-app-secret"),
        ("access_token", "TTP_sandbox"),
        ("refresh_token", "TTP_refresh"),
    )
}
HOLD = {"[mirror]\nenabled = true": '[mirror]\nenabled = true\non_conflict = "hold"'}


async def with_history(w: Running) -> None:
    """TEE was counted, CAP is held."""
    w.configure(changed=HOLD)
    await w.ask("once")
    w.made.shop.count("CAP", "Berlin", 50)
    w.made.shop.count("CAP", "Munich", 30)
    await w.ask("once")
    w.made.shop.count("TEE", "Berlin", 60)
    await w.ask("once")


async def test_every_command_of_day_two_works_without_a_secret(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10, CAP=10) as w:
        await with_history(w)
        await w.start()
        w.configure(changed=HOLD | SECRETS)
        for code, *words in (
            (0, "status"),
            (0, "journal"),
            (0, "explain", "TEE"),
            (0, "plan", "--config", str(w.config)),
            (0, "backup", str(tmp_path / "copy.db")),
            (0, "scan"),
            (0, "resume", "shopify"),
            (0, "resolve", "CAP", "--use", "30", "--yes"),
            (0, "undo", "last", "--yes"),
            (2, "once"),  # these speak to the shops
            (2, "check"),
        ):
            result = await w.ask(*words)
            assert result.exit_code == code, (words, result.output)
        await w.until("resolved and undone", lambda: w.agrees("CAP", 30) and w.agrees("TEE", 10))


async def test_without_a_daemon_what_needs_a_pass_is_kept_for_the_next_one(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10, CAP=10) as w:
        await with_history(w)
        w.configure(changed=HOLD | SECRETS)
        resolved = await w.ask("resolve", "CAP", "--use", "30", "--yes")
        assert resolved.exit_code == 0
        assert "kept: the next `invsyncd run` or `once` does it" in resolved.stdout
        undone = await w.ask("undo", "last", "--yes", "--json")
        assert '"done": "left to the next run"' in undone.stdout
        w.configure(changed=HOLD)
        await w.ask("once")
        assert w.levels("CAP") == [30] * 3
        assert w.levels("TEE") == [10] * 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_what_root_makes_in_the_state_directory_belongs_to_the_service(
    tmp_path: Path,
) -> None:
    home = tmp_path / "state"
    home.mkdir()
    os.chown(home, SERVICE, SERVICE)
    async with running(tmp_path, TEE=10) as w:
        w.configure(changed={str(w.state): str(home / "state.db")})
        await w.ask("once")
        await w.ask("backup", str(home / "copy.db"))
        async with Store.open(home / "state.db") as store, store.transaction() as tx:
            await store.requests.add(tx, "scan", {}, 0)
            owners = {x.name: (x.stat().st_uid, x.stat().st_gid) for x in home.iterdir()}
        assert {"state.db", "state.db.lock", "state.db-wal", "copy.db"} <= set(owners)
        assert set(owners.values()) == {(SERVICE, SERVICE)}
        assert os.stat(w.config).st_uid == 0


async def test_no_request_changes_the_tables_under_a_daemon_of_another_version(
    tmp_path: Path,
) -> None:
    """The kind: the program was replaced, and the daemon of before still runs."""
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        with closing(sqlite3.connect(w.state)) as database:
            database.execute(f"PRAGMA user_version = {VERSION - 1}")
        with take_lock(w.state):
            for words in (("scan",), ("resolve", "TEE", "--use", "3", "--yes")):
                result = await w.ask(*words)
                assert result.exit_code == 1
                if words == ("scan",):
                    assert "is in use by a daemon of another version" in result.stderr
                    assert "Try: restart the daemon" in result.stderr
        with closing(sqlite3.connect(w.state)) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (VERSION - 1,)
