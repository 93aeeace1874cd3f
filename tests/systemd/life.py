"""The life of the unit: verified, started, killed, hung, reloaded, stopped, upgraded."""

from __future__ import annotations

import asyncio
import re
import stat

from invsyncd.sandbox.faults import Kind
from tests.systemd.bench import SECRETS, STATE, STORE, UNIT, Bench
from tests.systemd.package import upgrade

EXPOSURE_MAX = 1.2
DYNAMIC_UIDS = range(61_184, 65_520)  # systemd's own range (documented)
STOP_S_MAX = 25  # shutdown_s and a little
HUNG_S = 5
# Short, so that a test does not wait for what operators wait for; nothing else is changed.
QUICK = "[Service]\nWatchdogSec=3s\nRestartSec=200ms\n"


async def verifies(b: Bench) -> str:
    units = [await b.show("FragmentPath", unit) for unit in (UNIT, f"{UNIT}@north")]
    said = await b.machine.run("systemd-analyze", "verify", "--man=no", *units)
    # Other units of this machine may have a fault of their own.
    ours = [line for line in said.splitlines() if "invsyncd" in line]
    assert ours == [], ours
    return ""


async def exposure(b: Bench) -> str:
    found = []
    for unit in (UNIT, f"{UNIT}@"):
        path = await b.show("FragmentPath", f"{UNIT}@north" if unit.endswith("@") else unit)
        told = await b.machine.run("systemd-analyze", "security", "--offline=true", path)
        match = re.search(r"exposure level for \S+: ([\d.]+)", told)
        assert match is not None, told
        found.append(float(match[1]))
    assert max(found) <= EXPOSURE_MAX, found
    return ", ".join(map(str, found))


async def no_configuration(b: Bench) -> str:
    config = b.machine.path("/etc/invsyncd/config.toml")
    text = config.read_text()
    config.unlink()
    b.drop_in("quick", QUICK)
    await b.systemctl("daemon-reload")
    await b.systemctl("start", UNIT, may_fail=True)
    assert await b.show("ExecMainStatus") == "2"
    assert await b.show("ActiveState") == "failed"
    assert await b.restarts() == 0
    log = await b.log()
    assert "Error: " in log
    assert "Traceback" not in log
    config.write_text(text)
    return next(line for line in log.splitlines() if "Error: " in line)


async def starts(b: Bench) -> str:
    loop = asyncio.get_running_loop()
    await b.systemctl("reset-failed", UNIT)
    began = loop.time()
    await b.systemctl("start", UNIT)
    took_s = loop.time() - began
    assert await b.show("ActiveState") == "active"
    assert (await b.world.get("/livez")).status == 200
    await b.until("/readyz answers 200", b.world.is_ready)
    await b.sell()
    return f"READY after {took_s:.2f} s"


async def has_no_rights(b: Bench) -> str:
    pid = await b.show("MainPID")
    status = await b.machine.run("cat", f"/proc/{pid}/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    uid = int(facts["Uid"].split()[0])
    assert uid in DYNAMIC_UIDS
    assert {int(facts[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (facts["Seccomp"], facts["NoNewPrivs"]) == ("2", "1")
    return f"uid {uid}, {int(facts['VmRSS'].split()[0]) // 1024} MiB"


async def keeps_secrets(b: Bench) -> str:
    home = b.machine.path(STATE)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}
    assert "state.db" in modes
    assert set(modes.values()) == {0o600}, modes
    secret = f"/run/credentials/{UNIT}.service/shopify-access-token"
    other = ("setpriv", "--reuid=65534", "--clear-groups", "cat", secret)
    assert "Permission denied" in await b.machine.run(*other, may_fail=True)
    environment = await b.machine.run("cat", f"/proc/{await b.show('MainPID')}/environ")
    assert "shpat" not in environment + await b.log()
    return ""


async def day_two(b: Bench) -> str:
    """Beside the running unit and while it is stopped, in a shell that knows no credentials."""
    words: tuple[tuple[str, ...], ...] = (
        ("status",),
        ("journal",),
        ("explain", "TEE"),
        ("plan", "--config", "/etc/invsyncd/config.toml"),
        ("scan",),
        ("resume", "shopify"),
        ("check",),
        ("once", "--dry-run"),
    )
    # The state lies where the unit and the default say, as the guide's configuration leaves it.
    own_state = {f'[state]\npath = "{b.world.state}"\n': ""}
    b.world.configure(changed=SECRETS | own_state)
    for command in words:
        await b.machine.run("invsyncd", *command)
    await b.machine.run("invsyncd", "backup", "/var/lib/invsyncd/by-root.db")
    await b.systemctl("stop", UNIT)
    await b.machine.run("invsyncd", "once")
    home = b.machine.path(STATE)
    owners = {path.stat().st_uid for path in home.iterdir()}
    assert owners == {home.stat().st_uid}, owners
    assert owners != {0}
    await b.systemctl("start", UNIT)
    await b.agrees()
    (home / "by-root.db").unlink()
    return f"{len(words) + 2} commands"


async def status(b: Bench) -> str:
    async def in_step() -> bool:
        return "in step: 1 items; last read " in await b.show("StatusText")

    await b.until("it says so", in_step)
    b.world.made.tiktok_faults.add(Kind.UNAUTHORISED, times=1_000_000)
    b.world.made.shop.sell_online("TEE", "Berlin", 1)
    b.sold += 1

    async def names_it() -> bool:
        return (await b.show("StatusText")).startswith("not ready: tiktok")

    await b.until("it names what is wrong", names_it)
    said = await b.show("StatusText")
    b.world.made.tiktok_faults.clear()
    await b.systemctl("restart", UNIT)
    await b.agrees()
    return said


async def killed(b: Bench) -> str:
    """Killed while a write is without an answer."""
    before, received = await b.restarts(), b.world.made.shop.mutations_received
    b.world.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=2)
    b.world.made.shop.sell_online("TEE", "Hamburg", 1)
    b.sold += 1
    await b.until("on the wire", lambda: b.world.made.shop.mutations_received > received)
    await b.systemctl("kill", "--signal=KILL", UNIT)
    await b.until_restarted(before)
    await b.agrees()
    await b.sell()
    return ""


async def hung_pass(b: Bench) -> str:
    """The loop turns and answers, but no pass comes to an end: a shop that takes every request.

    Only `daemon.hung_s` is made short; the requests' own limit of 30 s is far beyond it.
    """
    b.world.configure(changed=SECRETS, more=f"[daemon]\nhung_s = {HUNG_S}")
    await b.systemctl("restart", UNIT)
    await b.agrees()
    before, loop = await b.restarts(), asyncio.get_running_loop()
    await asyncio.sleep(4)  # longer than WatchdogSec: at rest it is fed
    assert await b.restarts() == before
    began = loop.time()
    b.world.made.shopify_faults.add(Kind.SLOW, match="Poll", times=3, delay_s=60)
    await b.until("a pass hangs", lambda: b.world.made.shopify_faults.fired[Kind.SLOW] >= 3)
    b.world.made.shop.sell_online("TEE", "Munich", 1)
    b.sold += 1
    await b.until_restarted(before)
    took_s = loop.time() - began
    log = await b.log()
    assert "Watchdog timeout" in log
    assert f"hung: no progress for {HUNG_S} s: mirror" in log
    assert "Fatal Python error: Aborted" in log
    await b.agrees()
    return f"up again {took_s:.1f} s after it hung (hung_s = {HUNG_S}, WatchdogSec = 3)"


async def hung_process(b: Bench) -> str:
    before, timeouts = await b.restarts(), (await b.log()).count("Watchdog timeout")
    await b.systemctl("kill", "--kill-whom=main", "--signal=STOP", UNIT)
    await b.until_restarted(before)
    assert (await b.log()).count("Watchdog timeout") > timeouts
    await b.sell()
    return ""


async def good_reload(b: Bench) -> str:
    pid = await b.show("MainPID")
    b.world.configure(changed=SECRETS, percent=50)
    await b.systemctl("reload", UNIT)
    await b.agrees(shown_percent=50)
    await b.until_log("the new configuration is in force")
    assert await b.show("MainPID") == pid
    assert await b.show("ActiveState") == "active"
    return ""


async def bad_reload(b: Bench) -> str:
    pid = await b.show("MainPID")
    b.world.configure(changed=SECRETS, percent=101)
    await b.systemctl("reload", UNIT)
    await b.until_log("the old configuration stays in force")

    async def in_the_line() -> bool:
        return "reload was refused" in await b.show("StatusText")

    await b.until("the status line says so", in_the_line)
    assert await b.show("MainPID") == pid
    assert await b.show("ActiveState") == "active"
    await b.sell(shown_percent=50)
    b.world.configure(changed=SECRETS)
    await b.systemctl("reload", UNIT)
    await b.agrees()
    return ""


async def stops(b: Bench) -> str:
    loop, received = asyncio.get_running_loop(), b.world.made.shop.mutations_received
    b.world.made.shopify_faults.add(Kind.SLOW, match="SetQuantities", delay_s=2)
    b.world.made.shop.sell_online("TEE", "Berlin", 1)
    b.sold += 1
    await b.until("on the wire", lambda: b.world.made.shop.mutations_received > received)
    began = loop.time()
    await b.systemctl("stop", UNIT)
    took_s = loop.time() - began
    assert took_s < STOP_S_MAX
    assert (await b.show("Result"), await b.show("ExecMainStatus")) == ("success", "0")
    b.world.made.shop.sell_till("TEE", "Munich", 1)
    b.sold += 1
    await b.systemctl("start", UNIT)
    await b.agrees()
    return f"stopped after {took_s:.1f} s"


async def upgraded(b: Bench) -> str:
    pid, writes = await b.show("MainPID"), b.world.writes
    await upgrade(b.machine, b.package)
    await b.until("/readyz answers 200", b.world.is_ready)
    assert await b.show("MainPID") != pid, "the old process still runs"
    assert b.world.writes == writes, "an upgrade alone writes nothing"
    await b.sell()
    return ""


async def second_shop(b: Bench) -> str:
    unit, other = f"{UNIT}@north", 18_787
    text = (b.world.home / "config.toml").read_text()
    b.machine.write("/etc/invsyncd/north.toml", text.replace(f":{b.world.port}", f":{other}"))
    for path in b.machine.path(STORE).glob(f"{UNIT}.*"):
        _, name = path.name.split(".")
        b.machine.write(f"{STORE}/{UNIT}-north.{name}", path.read_text(), mode=0o600)
    await b.systemctl("start", unit)
    await b.until_log("target=shopify works", unit)
    pids = [await b.show("MainPID", one) for one in (UNIT, unit)]
    uids = [await b.machine.run("stat", "-c", "%u", f"/proc/{pid}") for pid in pids]
    assert uids[0] != uids[1]
    assert b.machine.path("/var/lib/private/invsyncd-north/state.db").exists()
    await b.systemctl("stop", unit)
    return f"uids {' and '.join(uids)}"
