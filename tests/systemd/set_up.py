"""A shop set up by `invsyncd init` as root, and started by the one command that it names."""

from __future__ import annotations

import stat

import aiohttp

from tests.systemd.bench import STORE, UNIT, Bench

NAME = "south"
CONFIG = f"/etc/invsyncd/{NAME}.toml"
READY = "http://127.0.0.1:8787/readyz"
PRIVATE = f"/var/lib/private/invsyncd-{NAME}"


async def by_init(b: Bench) -> str:
    """Configuration, secrets and tokens are where the unit finds them, and nobody else."""
    for name, secret in (("one", "sandbox-secret"), ("two", "sandbox-app-secret")):
        b.machine.write(f"/var/cache/{name}", f"{secret}\n", mode=0o600)
    shopify, tiktok = b.world.urls
    said = await b.machine.run(
        *("invsyncd", "--config", CONFIG, "init"),
        *("--shopify-endpoint", shopify, "--tiktok-endpoint", tiktok),
        *("--shop", "sandbox", "--client-id", "sandbox-client"),
        *("--client-secret-file", "/var/cache/one", "--locations", "all"),
        *("--app-key", "sandbox-app", "--app-secret-file", "/var/cache/two"),
        *("--redirect", b.world.made.tiktok.authorise()),
    )
    start = said.splitlines()[-1].split()
    assert start == ["systemctl", "enable", "--now", f"{UNIT}@{NAME}"], said
    modes = {
        CONFIG: 0o644,
        f"{STORE}/{UNIT}-{NAME}.shopify-client-secret": 0o600,
        f"{STORE}/{UNIT}-{NAME}.tiktok-app-secret": 0o600,
    }
    found = {name: b.machine.path(name).stat() for name in modes}
    assert {name: stat.S_IMODE(one.st_mode) for name, one in found.items()} == modes
    assert {one.st_uid for one in found.values()} == {0}
    await b.machine.run(*start)
    async with aiohttp.ClientSession() as client:

        async def is_ready() -> bool:
            try:
                async with client.get(READY) as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await b.until("/readyz answers 200", is_ready)
    pid = await b.show("MainPID", f"{UNIT}@{NAME}")
    uid = int(await b.machine.run("stat", "-c", "%u", f"/proc/{pid}"))
    state = b.machine.path(f"{PRIVATE}/state.db").stat()
    assert (state.st_uid, stat.S_IMODE(state.st_mode)) == (uid, 0o600)
    await b.systemctl("disable", "--now", f"{UNIT}@{NAME}")
    return f"ready as uid {uid}"
