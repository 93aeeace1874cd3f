"""The place of the checks: the machine, both fakes on its loopback, the daemon as a unit."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from invsyncd.sandbox.serve import sandbox, serving
from tests.support.running import Running
from tests.systemd.machine import Machine

UNIT = "invsyncd"
CHECK_S_MAX = 240  # the longest takes 20 s where nothing else runs, and 60 where much does
SECRETS = {
    'access_token = "shpat_sandbox"\n': "",
    'app_secret = "sandbox-app-secret"\n': "",
    'access_token = "TTP_sandbox"\n': "",
    'refresh_token = "TTP_refresh"\n': "",
}
STORE = "/etc/credstore"
STATE = "/var/lib/private/invsyncd"

Check = Callable[["Bench"], Awaitable[str]]


@dataclass
class Bench:
    """What every check gets. A check returns what is worth printing, and asserts the rest."""

    machine: Machine
    world: Running
    package: Path
    sold: int = 0

    async def show(self, name: str, unit: str = UNIT) -> str:
        """One property of the unit."""
        return await self.machine.show(unit, name)

    async def systemctl(self, *words: str, may_fail: bool = False) -> str:
        """What an operator types."""
        return await self.machine.run("systemctl", *words, may_fail=may_fail)

    async def log(self, unit: str = UNIT) -> str:
        """The unit's journal."""
        return await self.machine.journal(unit)

    async def until(self, what: str, holds: Callable[[], bool | Awaitable[bool]]) -> None:
        """Wait for the world, but not for ever."""
        await self.world.until(what, holds)

    async def until_log(self, text: str, unit: str = UNIT) -> None:
        """Wait until the journal says this."""

        async def said() -> bool:
            return text in await self.log(unit)

        await self.until(f"the journal says: {text}", said)

    async def until_restarted(self, before: int) -> None:
        """Wait until systemd has restarted it and it has said READY."""

        async def restarted() -> bool:
            active = await self.show("ActiveState") == "active"
            return active and int(await self.show("NRestarts")) > before

        await self.until("restarted and active", restarted)

    async def restarts(self) -> int:
        """How often systemd has restarted it by itself."""
        return int(await self.show("NRestarts"))

    async def sell(self, *, shown_percent: int = 100) -> None:
        """Sell one, and wait until every number is right again: not one unit lost or doubled."""
        self.world.made.shop.sell_online("TEE", "Berlin", 1)
        self.sold += 1
        await self.agrees(shown_percent=shown_percent)

    async def agrees(self, *, shown_percent: int = 100) -> None:
        """Wait until both targets show what is left after all that was sold."""
        left = 1000 - self.sold
        shown = left * shown_percent // 100
        await self.until(
            f"every location shows {left}, TikTok {shown}",
            lambda: self.world.agrees("TEE", left, shown=shown),
        )

    def drop_in(self, name: str, text: str, unit: str = UNIT) -> None:
        """Change the unit as `systemctl edit` does; the caller reloads."""
        self.machine.write(f"/etc/systemd/system/{unit}.service.d/{name}.conf", text)

    async def check(self, name: str, check: Check) -> bool:
        """Run one check and print its line; returns whether it passed."""
        began = asyncio.get_running_loop().time()
        try:
            told = await asyncio.wait_for(check(self), CHECK_S_MAX)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 (a failed check)
            print(f"FAIL {name}: {str(error) or type(error).__name__}", flush=True)
            print(f"{(await self.log())[-3000:]}\n", file=sys.stderr, flush=True)
            return False
        took_s = asyncio.get_running_loop().time() - began
        print(f"PASS {name}{f': {told}' if told else ''} [{took_s:.1f} s]", flush=True)
        return True


@asynccontextmanager
async def bench(machine: Machine, package: Path) -> AsyncIterator[Bench]:
    """One item, 1000 of it everywhere; secrets are credentials, not configuration."""
    made = sandbox(items=0, locations=3)
    made.add("TEE", 1000)
    home = machine.path("/etc/invsyncd")
    home.mkdir(parents=True, exist_ok=True)
    async with serving(made) as urls:
        world = Running(made, home, urls)
        world.configure(changed=SECRETS)
        secrets = {
            "shopify-access-token": "shpat_sandbox",
            "tiktok-app-secret": "sandbox-app-secret",
            "tiktok-access-token": "TTP_sandbox",
        }
        for name, secret in secrets.items():
            machine.write(f"{STORE}/{UNIT}.{name}", secret, mode=0o600)
        yield Bench(machine, world, package)
