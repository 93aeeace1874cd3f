"""A run through bad days prints, answers and records no secret.

A real daemon with the most talkative log, both shops misbehaving in every way they know, tokens
that die and are renewed, an alert service and a monitor that nobody answers for, and every command
that an operator would try meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from invsyncd.sandbox.child import free_port
from invsyncd.sandbox.faults import Kind
from tests.support.running import SECRETS, Running, running

TOKEN = "canary-server-token"
ALERT = "canary-alert-path"
PASSWORD = "canary-alert-password"
BEAT = "canary-heartbeat-path"
CIPHER = "GCP_sandbox"
CANARIES = (TOKEN, ALERT, PASSWORD, BEAT)
PATHS = (
    "/",
    "/livez",
    "/readyz",
    "/healthz",
    "/metrics",
    "/api/status",
    "/api/journal?limit=1000",
    "/api/explain/TEE",
    "/api/explain/nothing",
    f"/{ALERT}",
)
COMMANDS = (
    ("check",),
    ("status", "--json"),
    ("once", "--dry-run"),
    ("alert-test",),
    ("tiktok-login", "--code", "canary-wrong-code"),
)


def configured(w: Running) -> None:
    """Every secret that a configuration can hold, and the most talkative log."""
    port = free_port()
    w.configure(
        changed={
            'access_token = "shpat_sandbox"': 'client_id = "sandbox-client"\n'
            'client_secret = "sandbox-secret"',
            "[server]": f'[server]\ntoken = "{TOKEN}"',
        },
        more=f"""
[log]
level = "debug"

[alerts]
urls = ["json://{PASSWORD}:{PASSWORD}@127.0.0.1:{port}/{ALERT}", "nosuch://{ALERT}"]
heartbeat_url = "http://127.0.0.1:{port}/{BEAT}"
stale_after_s = 0
""",
    )


async def answers(w: Running) -> list[str]:
    """What every path says, to those who know the token and to those who do not."""
    said = []
    for headers in ({}, {"Authorization": f"Bearer {TOKEN}"}):
        async with aiohttp.ClientSession(headers=headers) as client:
            for path in PATHS:
                async with client.get(f"http://127.0.0.1:{w.port}{path}") as answer:
                    said.append(f"{answer.headers} {await answer.text()}")
    return said


async def is_ready(w: Running) -> bool:
    try:
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as client,
            client.get(f"http://127.0.0.1:{w.port}/readyz") as answer,
        ):
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def asked(w: Running) -> list[str]:
    """What every command prints, as a process of its own."""
    said = []
    for arguments in COMMANDS:
        done = await w.command(*arguments)
        said.append(done.stdout + done.stderr)
    return said


def tokens(w: Running) -> set[str]:
    """TikTok's tokens of the moment, without the moments of their end."""
    return {value for value in stored(w, "token") if value.startswith("TTP_")}


def stored(w: Running, *tables: str) -> list[str]:
    """Every value of these tables."""
    with closing(sqlite3.connect(f"file:{w.state}?mode=ro", uri=True)) as database:
        rows = [row for table in tables for row in database.execute(f"SELECT * FROM {table}")]  # noqa: S608
    return [str(value) for row in rows for value in row]


def found(secrets: set[str], texts: list[str]) -> set[str]:
    """The secrets that stand anywhere, as they are or quoted as in a URL or in JSON."""
    everything = "\n".join(texts)
    return {
        secret
        for secret in secrets
        if any(
            form in everything
            for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])
        )
    }


async def bad_days(w: Running) -> None:
    """Each kind of fault on both sides, and a sale that must get through in spite of it."""
    for kind in Kind:
        w.made.shopify_faults.add(kind, retry_after_s=0.1, delay_s=0.1)
        w.made.tiktok_faults.add(kind, retry_after_s=0.1, delay_s=0.1)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        left = w.made.shop.available("TEE", "Berlin")
        await w.until(f"{kind} is over", partial(w.agrees, "TEE", left))
    for faults in (w.made.shopify_faults, w.made.tiktok_faults):
        assert set(faults.fired) == set(Kind)


async def dead_tokens(w: Running) -> None:
    """Nobody takes our credentials any more."""
    w.made.shopify.revoke()
    w.made.tiktok.expire_access_token()
    w.made.tiktok.revoke_refresh_token()
    w.made.shop.sell_online("TEE", "Berlin", 1)

    async def said() -> bool:
        return "target=tiktok trouble" in w.child.log_text()

    await w.until("TikTok's dead token is said", said)


@pytest.mark.timeout(180)
async def test_whatever_was_printed_answered_or_recorded_holds_no_secret(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=60) as w:
        configured(w)
        secrets = {*SECRETS, *CANARIES, CIPHER, "canary-wrong-code"}
        await w.child.start()
        await w.until("it is ready", lambda: is_ready(w))
        texts = await answers(w)
        await bad_days(w)
        secrets |= tokens(w)
        await dead_tokens(w)
        texts += await answers(w) + await asked(w)
        code = w.made.tiktok.authorise()
        login = await w.command("tiktok-login", "--code", code)
        assert login.returncode == 0
        assert CIPHER in login.stdout  # the one thing that is printed on purpose
        texts += [login.stdout.replace(CIPHER, ""), login.stderr]
        left = w.made.shop.available("TEE", "Berlin")
        await w.until("TikTok works again", partial(w.agrees, "TEE", left))
        secrets |= {code, *tokens(w)}
        texts += await answers(w)
        await w.child.stop()
        texts += [w.child.log_text(), *stored(w, "journal", "meta", "request", "attempt")]
        assert "alerts.urls[1] took no message" in w.child.log_text()
        assert "the heartbeat does not get through" in w.child.log_text()
        assert len(secrets) > len({*SECRETS, *CANARIES, CIPHER, code}) + 1
        assert found(secrets, texts) == set()


@pytest.mark.parametrize("form", ["plain", "in a URL", "in JSON"])
def test_the_search_itself_finds_a_secret(form: str) -> None:
    secret = 'a/b+c="d"'
    shape = {"plain": secret, "in a URL": quote(secret, safe=""), "in JSON": json.dumps(secret)}
    assert found({secret}, ["harmless", f"GET /x?y={shape[form]}"]) == {secret}
