"""Trouble on the machine: each kind is reported clearly, with the right exit code or a 503.

Rights are tested without those that root has over every file; disks by a limit on file sizes and
by a lock, on the real process. A full and a read-only file system: `tests.systemd`.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.running import Running, running

# Root without the rights to pass over modes: the same as any user who owns the file.
ORDINARY = (
    ()
    if os.geteuid() != 0
    else ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--")
)


async def test_a_credential_that_cannot_be_read_exits_2_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    secret = credentials / "shopify-access-token"
    secret.write_text("shpat_of_a_file")
    secret.chmod(0o000)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    async with running(tmp_path) as w:
        w.configure(changed={'access_token = "shpat_sandbox"\n': ""})
        ended = await w.command("run", under=ORDINARY)
        assert ended.returncode == 2
        assert "shopify.access_token" in ended.stderr
        assert f"{secret} cannot be read: Permission denied" in ended.stderr
        assert "daemon's user may read" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert not w.state.exists()


async def test_a_configuration_that_cannot_be_read_exits_2_and_is_named(tmp_path: Path) -> None:
    async with running(tmp_path) as w:
        w.config.chmod(0o000)
        ended = await w.command("run", under=ORDINARY)
        assert ended.returncode == 2
        assert f"{w.config}' is not readable" in ended.stderr
        assert "Traceback" not in ended.stderr


async def test_a_state_directory_that_cannot_be_written_exits_1_with_what_to_do(
    tmp_path: Path,
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    async with running(tmp_path) as w:
        w.configure(changed={str(w.state): str(place / "state.db")})
        place.chmod(0o500)
        ended = await w.command("run", under=ORDINARY)
        place.chmod(0o700)
        assert ended.returncode == 1
        assert f"Error: cannot open {place}/state.db.lock: Permission denied" in ended.stderr
        assert "Try: make the directory of state.path writable for this user" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert list(place.iterdir()) == []


async def test_a_database_that_may_only_be_read_exits_1_and_stays_as_it_is(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        await w.child.stop()
        before = w.state.read_bytes()
        w.state.chmod(0o400)
        ended = await w.command("run", under=ORDINARY)
        assert ended.returncode == 1
        assert f"Error: the state database {w.state} cannot be used: " in ended.stderr
        assert "writable for this user" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert w.state.read_bytes() == before
        w.state.chmod(0o600)
        await w.start()
        await w.until("nothing was lost", lambda: w.agrees("TEE", 10))


async def _says_why_not(w: Running, word: str) -> None:
    """Wait for a 503 that names the state database; the process lives on."""

    async def named() -> bool:
        page = await w.get("/readyz")
        checks = json.loads(page.text)["checks"] if page.status == 503 else {}
        return word in str(checks.get("state:writable"))

    await w.until(f"/readyz says: {word}", named)
    assert (await w.get("/livez")).status == 200


async def test_while_the_disk_takes_nothing_it_answers_503_and_goes_on_by_itself_then(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=100) as w:
        await w.start()
        await w.until("TikTok follows", lambda: w.agrees("TEE", 100))
        pid, before = w.child.pid, w.writes
        log = tmp_path / "state.db-wal"
        limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        assert log.stat().st_size > 10 * w.child.log_text().__sizeof__()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size, limits[1]))
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await _says_why_not(w, "disk")
        assert w.levels("TEE") == [97, 100, 100]
        assert w.writes == before
        w.made.shop.sell_till("TEE", "Munich", 2)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        await w.until("both sales are counted", lambda: w.agrees("TEE", 95))
        await w.until("/readyz answers 200", w.is_ready)
        assert w.child.pid == pid
        text = w.child.log_text()
        assert "Traceback" not in text
        assert text.count("target=shopify trouble: the state database") == 1


async def test_while_another_program_locks_the_database_it_says_so_and_goes_on_by_itself_then(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=100) as w:
        await w.start()
        await w.until("TikTok follows", lambda: w.agrees("TEE", 100))
        with closing(sqlite3.connect(w.state, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            w.made.shop.sell_online("TEE", "Berlin", 3)
            await _says_why_not(w, "locked")
            other.execute("ROLLBACK")
        await w.until("the sale is counted", lambda: w.agrees("TEE", 97))
        await w.until("/readyz answers 200", w.is_ready)
        assert "Traceback" not in w.child.log_text()
