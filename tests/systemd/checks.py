"""Every check under a real systemd, in order. `tests.systemd` runs it inside its namespaces."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from tests.systemd import life, recovery, set_up, trouble
from tests.systemd.bench import Check, bench
from tests.systemd.machine import booted
from tests.systemd.package import install

CHECKS: tuple[tuple[str, Check], ...] = (
    ("both units verify without a word", life.verifies),
    ("exposure is at most 1.2", life.exposure),
    ("without a configuration: exit 2, said, not restarted", life.no_configuration),
    ("the start ends when READY is said, and both targets follow", life.starts),
    ("a user of its own, no capabilities, system calls filtered", life.has_no_rights),
    ("state and credentials are for it alone", life.keeps_secrets),
    ("what a person types on day two works as root, without a word of secrets", life.day_two),
    ("the status line tells the truth", life.status),
    ("kill -9: restarted, nothing lost", life.killed),
    ("a pass that hangs: killed by the watchdog, restarted, nothing lost", life.hung_pass),
    ("a process that hangs: killed by the watchdog, restarted, nothing lost", life.hung_process),
    ("SIGHUP with a good configuration: same process, in force", life.good_reload),
    ("SIGHUP with a bad one: same process, said, the old one in force", life.bad_reload),
    ("stop with a write on the wire: in time, nothing lost", life.stops),
    ("upgrade in place: a new process, the same state", life.upgraded),
    ("a second shop: a user, a state and credentials of its own", life.second_shop),
    ("a shop set up by init: the one command that it names starts it", set_up.by_init),
    ("a backup, and back to it, in the guide's words", recovery.restore),
    ("a lost database, in the guide's words: from the consent on", recovery.lost_database),
    ("a rollback, in the guide's words: the copy of the upgrade is put back", recovery.rollback),
    ("a move to another host, in the guide's words", recovery.move),
    (
        "people without root, in the guide's words, by the unit's group",
        recovery.group_member,
    ),
    ("a port in use: said, and up by itself when it is free", trouble.port_in_use),
    ("a secret encrypted by this machine's key", trouble.encrypted_secret),
    ("a full disk: 503 with the reason, up by itself, nothing lost", trouble.full_disk),
    ("killed on a full disk: said, and up by itself, nothing lost", trouble.killed_on_full_disk),
    ("a read-only file system: said, and up by itself", trouble.read_only),
)


NEEDED = (life.no_configuration, life.starts)  # by every other one


async def main(folder: Path, package: Path, group: Path, only: str) -> int:
    """Boot, install, check; returns the exit code."""
    began, passed = time.monotonic(), 0
    wanted = [(name, check) for name, check in CHECKS if only in name or check in NEEDED]
    async with booted(folder, group) as machine:
        version = (await machine.run("systemctl", "--version")).split()[1]
        print(f"systemd {version}, up in {time.monotonic() - began:.1f} s; {package.name}")
        await install(machine, package)
        async with bench(machine, package) as here:
            for name, check in wanted:
                if await here.check(name, check):
                    passed += 1
                elif check is life.starts:
                    break  # nothing that follows would tell more
    print(f"{passed} of {len(wanted)} passed, {time.monotonic() - began:.0f} s")
    return 0 if passed == len(wanted) else 1


if __name__ == "__main__":
    places, words = [Path(x) for x in sys.argv[1:4]], sys.argv[4]
    sys.exit(asyncio.run(main(places[0], places[1], places[2], words)))
