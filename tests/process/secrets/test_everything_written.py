"""Searches every byte that a run through bad days wrote for every secret that the run had.

The real daemon runs against both shops, which repeat what they got wherever an answer has text.
Then an abort leaves every stack in the log. The search covers logs, answers, commands, files and
the process itself.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from invsyncd.sandbox.child import free_port
from invsyncd.sandbox.serve import sandbox, serving
from invsyncd.sandbox.shopify.server import ShopifyFake
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.process.secrets.canaries import forms, found
from tests.process.secrets.echoes import SHOPIFY, TIKTOK, Echoes
from tests.support.running import Running

CLIENT = "shpss_9d41c7Canary/02+fa8e6b"
APP = "7be20f3aCanary-app-secret-55d1"
ACCESS = "TTP_Canary-access-e81f0c44a7"
REFRESH = "TTP_Canary-refresh-03b7d95c1e"
SERVER = "srv-Canary-8c1d77e0b2a94f"
PASSWORD = "hook-Canary-pw-61fa09"
HOOK = "hook-Canary-path-a70e21"
BEAT = "beat-Canary-path-5d3c88"
CODE = "ROW_Canary-wrong-code-94ce"
SKUS = ("TEE", "MUG", "CAP")
SECRETS = (CLIENT, APP, ACCESS, REFRESH, SERVER, PASSWORD, HOOK, BEAT, CODE)
PATHS = ("/", "/livez", "/readyz", "/healthz", "/metrics", "/api/status", "/api/explain/TEE",
         "/api/journal?limit=1000", "/api/nothing", f"/{HOOK}")  # fmt: skip
COMMANDS = (
    ("check",),
    ("check", "--json"),
    ("status",),
    ("status", "--json"),
    ("explain", "TEE", "--json"),
    ("journal", "--json"),
    ("once", "--dry-run", "--json"),
    ("alert-test",),
    ("tiktok-login", "--code", CODE),
    ("tiktok-login", "--help"),
    ("--help",),
)
MISTAKES = {
    f'client_secret = "{CLIENT}"': (
        f'client_secrte = "{CLIENT}"', f'access_token = ["{CLIENT}"]',
        f'client_secret = "{CLIENT}\\n"', f'client_secret = "{CLIENT}',
    ),
    f'token = "{SERVER}"': (f'listen = "{SERVER}"', f'token = {{ x = "{SERVER}" }}'),
    f"http://127.0.0.1:1/{BEAT}": (f"ftp://{PASSWORD}@127.0.0.1/{BEAT}",),
}  # fmt: skip


def configured(w: Running) -> None:
    """Every secret that a configuration can hold, some in files; the most talkative log."""
    w.configure(
        changed={
            'access_token = "shpat_sandbox"': f'client_id = "sandbox-client"\n'
            f'client_secret = "{CLIENT}"',
            'app_secret = "sandbox-app-secret"\n': "",
            "TTP_sandbox": ACCESS,
            'refresh_token = "TTP_refresh"\n': "",
            "[server]": f'[server]\ntoken = "{SERVER}"',
        },
        more=f"""
[log]
level = "debug"
format = "json"

[alerts]
urls = ["json://{PASSWORD}:{PASSWORD}@127.0.0.1:{free_port()}/{HOOK}"]
heartbeat_url = "http://127.0.0.1:1/{BEAT}"
stale_after_s = 0
""",
    )
    folder = w.home / "secrets"
    folder.mkdir(mode=0o700)
    for name, secret in (("tiktok-app-secret", APP), ("tiktok-refresh-token", REFRESH)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    w.config.write_text(f'secrets_dir = "{folder}"\n' + w.config.read_text())


async def pages(w: Running, texts: dict[str, bytes], when: str) -> None:
    """What every path says, to those who know the token and to those who do not."""
    for who, headers in (("nobody", {}), ("us", {"Authorization": f"Bearer {SERVER}"})):
        async with aiohttp.ClientSession(headers=headers) as client:
            for path in PATHS:
                async with client.get(f"http://127.0.0.1:{w.port}{path}") as answer:
                    said = str(answer.headers).encode() + await answer.read()
                    texts[f"{when} {path} to {who}"] = said.replace(HOOK.encode(), b"")


async def is_ready(w: Running) -> bool:
    try:
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {SERVER}"}) as client,
            client.get(f"http://127.0.0.1:{w.port}/readyz") as answer,
        ):
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def echoed(w: Running, side: Echoes) -> None:
    """Each kind of echo in turn, and a sale that must get through in spite of it."""
    for kind in side.kinds:
        side.arm(kind)
        if side.kinds[kind][0] == "oauth/access_token":
            w.made.shopify.revoke()
        elif side.kinds[kind][0] == "/api/v2/token":
            w.made.tiktok.expire_access_token()
        for sku in SKUS:  # one that is refused is left alone for a while
            w.made.shop.sell_online(sku, "Berlin", 1)
        w.child.reload()  # what it takes for dead is tried again at once
        await w.until(f"{kind} struck", partial(lambda k: side.struck[k] > 0, kind))


def of_the_process(pid: int) -> dict[str, bytes]:
    """What others on this machine may see of a process."""
    folder = Path(f"/proc/{pid}")
    return {name: (folder / name).read_bytes() for name in ("cmdline", "environ", "comm", "status")}


def files(w: Running) -> dict[str, bytes]:
    """Every file that is no place for secrets; all others are for their owner alone."""
    texts = {}
    for path in (one for one in w.home.rglob("*") if one.is_file()):
        if path.name.startswith(("state.db", "copy.db")) and path.suffix != ".lock":
            assert path.stat().st_mode & 0o077 == 0, path.name
        elif path != w.config and path.parent.name != "secrets":
            texts[path.name] = path.read_bytes()
    return texts


def table(w: Running) -> bytes:
    """What the journal and the facts say: a database, but one that people read from."""
    with closing(sqlite3.connect(f"file:{w.state}?mode=ro", uri=True)) as database:
        rows = [
            row
            for name in ("journal", "meta", "attempt", "request", "listing", "told")
            for row in database.execute(f"SELECT * FROM {name}")  # noqa: S608
        ]
    return str(rows).encode()


def held(w: Running) -> set[str]:
    """The tokens of the moment, ours and theirs."""
    with closing(sqlite3.connect(f"file:{w.state}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT value FROM token WHERE value LIKE 'TTP%'").fetchall()
    return {row[0] for row in rows} | set(w.made.shopify._tokens)


async def mistaken(w: Running, texts: dict[str, bytes]) -> None:
    """What is said of a configuration with a secret in a wrong place."""
    good = w.config.read_text()
    for old, mistakes in MISTAKES.items():
        assert old in good
        for number, mistake in enumerate(mistakes):
            w.config.write_text(good.replace(old, mistake))
            wrong = await w.ask("check")
            assert wrong.exit_code == 2, mistake
            texts[f"mistake {number} at {old[:9]}"] = wrong.output.encode()
    w.config.write_text(good)


async def killed_by_its_watchdog(w: Running) -> None:
    """It leaves in the log where every thread stood."""
    os.kill(w.child.pid, signal.SIGABRT)
    assert await w.ended() == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in w.child.log_text()


@pytest.mark.timeout(240)
async def test_no_byte_of_what_a_run_wrote_holds_a_secret_in_any_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    made = sandbox(items=0, locations=2)
    shopify, tiktok = Echoes(SHOPIFY), Echoes(TIKTOK)
    made = replace(
        made,
        shopify=ShopifyFake(made.shop, faults=shopify, client_secret=CLIENT),
        tiktok=TikTokFake(
            made.market, faults=tiktok, app_secret=APP, access_token=ACCESS, refresh_token=REFRESH
        ),
    )
    for sku in SKUS:
        made.add(sku, 90)
    texts: dict[str, bytes] = {}
    async with serving(made) as urls:
        w = Running(made, tmp_path, urls)
        configured(w)
        try:
            await w.child.start()
            await w.until("it is ready", partial(is_ready, w))
            secrets = {*SECRETS, *held(w)}
            texts |= of_the_process(w.child.pid)
            await pages(w, texts, "in the beginning")
            for side in (shopify, tiktok):
                await echoed(w, side)
                secrets |= held(w)
            await pages(w, texts, "in trouble")
            for arguments in COMMANDS:
                texts[" ".join(arguments)] = (await w.ask(*arguments)).output.encode()
            assert (await w.ask("backup", str(tmp_path / "copy.db"))).exit_code == 0
            await mistaken(w, texts)
            good = w.config.read_text()
            w.config.write_text(good.replace("client_secret", "client_secrte"))
            w.child.reload()
            refused = partial(lambda: "reload" in w.child.log_text().split("\n")[-2])
            await w.until("a wrong configuration is refused", refused)
            w.config.write_text(good)
            texts["the journal"] = table(w)
            await killed_by_its_watchdog(w)
            secrets |= set(made.shopify._tokens)
        finally:
            await w.child._end(signal.SIGKILL)
    texts |= files(w)
    assert list(scratch.iterdir()) == []
    assert "daemon.log" in texts
    assert len(texts["daemon.log"]) > 2000
    assert set(shopify.struck) == set(SHOPIFY)
    assert set(tiktok.struck) == set(TIKTOK)
    assert found(secrets - {"shpat_sandbox"}, texts) == []


@pytest.mark.parametrize("secret", [CLIENT, ACCESS])
def test_the_search_itself_finds_a_secret_in_any_form(secret: str) -> None:
    for form in set(forms(secret)):
        assert found({secret}, {"here": b"before " + form + b" after"})
