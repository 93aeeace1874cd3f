"""Trouble around the daemon: reported clearly, nothing lost, and over by itself."""

from __future__ import annotations

import json
import socket

from tests.systemd.bench import STATE, STORE, UNIT, Bench

TMPFS_BYTES = 8 * 1024 * 1024
FILLER = f"{STATE}/filler"


async def port_in_use(b: Bench) -> str:
    await b.systemctl("stop", UNIT)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", b.world.port))
        other.listen()
        await b.systemctl("start", "--no-block", UNIT)
        await b.until_log("cannot listen on 127.0.0.1")
        assert await b.show("ExecMainStatus") in ("0", "1")

        async def again() -> bool:
            return await b.restarts() >= 2

        await b.until("it is tried again", again)
    await b.until("/readyz answers 200", b.world.is_ready)
    await b.sell()
    return ""


async def encrypted_secret(b: Bench) -> str:
    plain = b.machine.path(f"{STORE}/{UNIT}.tiktok-app-secret")
    secret = plain.read_text()
    plain.unlink()
    place = f"{STORE}.encrypted/{UNIT}.tiktok-app-secret"
    b.machine.write("/etc/plain", secret, mode=0o600)
    b.machine.path(f"{STORE}.encrypted").mkdir(parents=True, exist_ok=True)
    await b.machine.run(
        *("systemd-creds", "encrypt", "--with-key=host", "--name=tiktok-app-secret"),
        *("/etc/plain", place),
    )
    b.machine.path("/etc/plain").unlink()
    b.drop_in("encrypted", f"[Service]\nLoadCredentialEncrypted=tiktok-app-secret:{place}\n")
    await b.systemctl("daemon-reload")
    await b.systemctl("restart", UNIT)
    await b.sell()
    assert secret.encode() not in b.machine.path(place).read_bytes()
    return ""


async def _on_small_disk(b: Bench) -> None:
    """Move the state to a file system of its own, in the machine's own mounts."""
    await b.systemctl("stop", UNIT)
    await b.machine.run("cp", "-a", STATE, "/run/kept")
    await b.machine.run("mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", STATE)
    await b.machine.run("sh", "-c", f"cp -a /run/kept/. {STATE}/; rm -r /run/kept")
    await b.systemctl("start", UNIT)
    await b.sell()


async def _fill(b: Bench) -> None:
    await b.machine.run("dd", "if=/dev/zero", f"of={FILLER}", "bs=4k", may_fail=True)


async def full_disk(b: Bench) -> str:
    await _on_small_disk(b)
    pid = await b.show("MainPID")
    await _fill(b)
    before = b.world.writes
    # Until the log of the database needs a page more, it takes commits in place: sell until then.
    for _ in range(40):
        b.world.made.shop.sell_online("TEE", "Berlin", 1)
        b.sold += 1
    said = ""

    async def refused() -> bool:
        nonlocal said
        page = await b.world.get("/readyz")
        if page.status != 503:
            return False
        found = json.loads(page.text)["checks"].get("state:writable")
        said = found[0]["output"] if found else ""
        return "full" in said or "disk" in said

    await b.until("/readyz names the full disk", refused)
    assert (await b.world.get("/livez")).status == 200
    during = b.world.writes
    await b.machine.run("rm", FILLER)
    await b.agrees()
    await b.until("/readyz answers 200", b.world.is_ready)
    assert await b.show("MainPID") == pid
    return f"{said} (writes meanwhile: {during[0] - before[0]})"


async def killed_on_full_disk(b: Bench) -> str:
    before = await b.restarts()
    await _fill(b)
    await b.systemctl("kill", "--signal=KILL", UNIT)
    said_before = len(await b.log())

    async def says_why() -> bool:
        """It refuses to start, or it is up and not ready: as much as it finds space for.

        Until the log of the database needs a page more, it takes commits in place: sell until then.
        """
        if await b.restarts() <= before:
            return False
        if " full" in (await b.log())[said_before:]:
            return True
        b.world.made.shop.sell_online("TEE", "Berlin", 1)
        b.sold += 1
        return False

    try:
        await b.until("it was restarted and says why", says_why)
        log = (await b.log())[said_before:]
    finally:
        await b.machine.run("rm", FILLER)
    assert "Traceback" not in log
    await b.agrees()
    return next(line for line in log.splitlines() if " full" in line)


async def read_only(b: Bench) -> str:
    await b.systemctl("stop", UNIT)
    before = await b.restarts()
    await b.machine.run("mount", "-o", "remount,ro", STATE)
    await b.systemctl("start", "--no-block", UNIT)

    async def tried() -> bool:
        return await b.restarts() != before

    try:
        await b.until_log("Read-only file system")
        await b.until("it was tried again", tried)
    finally:
        await b.machine.run("mount", "-o", "remount,rw", STATE)
    said = [line for line in (await b.log()).splitlines() if "Read-only" in line][-1]
    await b.agrees()
    await b.systemctl("stop", UNIT)
    return said
