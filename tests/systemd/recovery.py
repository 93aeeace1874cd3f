"""The recoveries of the guide, walked in the README's own words as root."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from unittest.mock import patch

from invsyncd.store import prepare
from invsyncd.store.schema import STEPS, VERSION
from tests.systemd.bench import SECRETS, STATE, UNIT, Bench
from tests.systemd.guide import blocks
from tests.systemd.package import UNITS, install

BACKUP = "/var/backups/invsyncd-2026-11-28.db"
MEMBER = "anna"


async def typed(b: Bench, block: str) -> str:
    """Type a block into a shell that stops at the first command that fails."""
    return await b.machine.run("sh", "-ec", f"cd /var/cache\n{block}")


def by_dpkg(b: Bench, block: str, name: str) -> str:
    """The block with the package's file in it; without a package, without the lines of apt."""
    if b.package.suffix != ".deb":
        return re.sub(r"(?m)^apt .*\n", "", block)
    return block.replace(name, "invsyncd.deb")


def as_the_guide_leaves_it(b: Bench) -> None:
    """The configuration says nothing of the state: it lies where the unit and the default say."""
    own_state = {f'[state]\npath = "{b.world.state}"\n': ""}
    b.world.configure(changed=SECRETS | own_state)


async def settled(b: Bench) -> None:
    """One sale goes everywhere, and nothing is counted twice."""
    await b.until("/readyz answers 200", b.world.is_ready)
    await b.agrees()
    await b.sell()


async def restore(b: Bench) -> str:
    as_the_guide_leaves_it(b)
    await b.machine.run("mkdir", "-p", "/var/backups")
    (block,) = (x for x in blocks("Backup") if "invsyncd backup" in x)
    await typed(b, block.replace("$(date +%F)", "2026-11-28"))
    await b.sell()
    (block,) = blocks("Restore")
    said = await typed(b, block)
    await settled(b)
    assert list(b.machine.path(STATE).glob("state.db.*.old"))
    return said.splitlines()[0]


async def lost_database(b: Bench) -> str:
    """An empty file: refused at the start, and walked from the consent on."""
    await b.systemctl("stop", UNIT)
    state = b.machine.path(f"{STATE}/state.db")
    for end in ("-wal", "-shm"):
        state.with_name(state.name + end).unlink(missing_ok=True)
    state.write_bytes(b"")
    await b.systemctl("start", UNIT, may_fail=True)
    await b.until_log("is empty; its state was lost")
    await b.until_log("`invsyncd restore FILE`")
    (block,) = blocks("When the database is lost, and there is no backup")
    redirect = b.world.made.tiktok.authorise()
    said = await typed(b, block.replace("CODE", f"'{redirect}'"))
    assert "tokens stored" in said
    await settled(b)
    return ""


async def rollback(b: Bench) -> str:
    """A newer version has changed the database; the older one refuses it until it is restored."""
    await b.systemctl("stop", UNIT)
    state = b.machine.path(f"{STATE}/state.db")
    version, later = VERSION, (*STEPS, "CREATE TABLE later (a INTEGER) STRICT;")
    with patch.multiple("invsyncd.store.database", STEPS=later, VERSION=version + 1):
        prepare(state)
    await b.systemctl("start", UNIT, may_fail=True)
    await b.until_log("was written by a newer invsyncd")
    await b.until_log(f"`invsyncd restore /var/lib/invsyncd/state.db.v{version}.bak`")
    (block,) = blocks("Rollback")
    block = by_dpkg(b, block, "invsyncd_OLD_amd64.deb")
    await typed(b, block.replace("vN.bak", f"v{version}.bak"))
    await settled(b)
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as found:
        assert found.execute("PRAGMA user_version").fetchone() == (version,)
    return ""


async def group_member(b: Bench) -> str:
    """Somebody of the unit's group, without root: every command that needs no secret."""
    as_the_guide_leaves_it(b)
    (block,) = blocks("People without root")
    if b.package.suffix != ".deb":
        inside = b.machine.copy(UNITS / "group.conf", "/var/cache/group.conf")
        block = block.replace("/usr/share/doc/invsyncd/group.conf", inside)
    await b.machine.run("useradd", "--no-create-home", MEMBER)
    await b.machine.run("useradd", "--no-create-home", "stranger")
    await typed(b, block)
    await settled(b)
    b.sold -= 20  # so that there is something to take back
    b.world.made.shop.count("TEE", "Berlin", 1000 - b.sold)
    await b.agrees()
    state = f"{STATE.replace('/private', '')}/state.db"
    words: tuple[tuple[str, ...], ...] = (
        ("status",),
        ("journal",),
        ("explain", "TEE"),
        ("plan", "--config", "/etc/invsyncd/config.toml"),
        ("undo", "last", "--dry-run"),
        ("scan",),
        ("resume", "shopify"),
    )
    done = 0
    for is_running in (True, False):
        if not is_running:
            await b.systemctl("stop", UNIT)
        for command in words:
            said = await as_user(b, MEMBER, "invsyncd", *command)
            assert "Error: " not in said, (command, said)
            done += 1
    said = await as_user(b, MEMBER, "invsyncd", "check")
    assert "Try: run it as root" in said, said
    for command in (("journal",), ("resume", "shopify")):
        said = await as_user(b, "stranger", "invsyncd", *command)
        assert "this user may not read" in said, said
    assert "Permission denied" in await as_user(b, "stranger", "cat", state)
    b.machine.path(f"/etc/systemd/system/{UNIT}.service.d/group.conf").unlink()  # and back
    await b.systemctl("daemon-reload")
    await b.systemctl("start", UNIT)
    await settled(b)
    return f"{done} commands"


async def as_user(b: Bench, user: str, *command: str) -> str:
    """Run a command as a person who has logged in."""
    login = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")
    return await b.machine.run(*login, *command, may_fail=True)


async def move(b: Bench) -> str:
    """The old host gives everything away; the new one has only the package."""
    old, new = blocks("Move to another host")
    if b.package.suffix == ".deb":
        await typed(b, old)
    else:
        await typed(b, by_dpkg(b, old, ""))
    places = "/etc/invsyncd/* /etc/credstore/invsyncd.* /var/lib/invsyncd /var/lib/private/invsyncd"
    await typed(b, f"mv /var/backups/move.tar .; rm -rf {places} /var/backups/move.db")
    if b.package.suffix == ".deb":
        await install(b.machine, b.package)
    await typed(b, "mv move.tar /var/backups")
    await typed(b, new)
    await settled(b)
    assert (await b.systemctl("is-enabled", UNIT)) == "enabled"
    return ""
