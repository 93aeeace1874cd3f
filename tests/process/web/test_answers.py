"""What each path answers: read-only, every reason named, and safe to show what others wrote."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from yarl import URL

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Catalogue, Entry, Target
from invsyncd.status.watchdog import LISTINGS, Watchdog
from invsyncd.web import Policy
from tests.process.web.site import HOSTILE, journal, site, well

PATHS = {
    "/": "text/html",
    "/explain": "text/html",
    "/livez": "text/plain",
    "/readyz": "application/health+json",
    "/healthz": "application/health+json",
    "/metrics": "text/plain",
    "/api/status": "application/json",
    "/api/journal": "application/json",
}
TOKEN = Policy.of("127.0.0.1", (), "open-sesame")


async def test_every_path_answers_with_its_own_content_type_and_forbids_sniffing(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as made:
        look, client = made.look, made.client
        well(look.health)
        for path, content_type in PATHS.items():
            async with client.get(path) as answer:
                assert (path, answer.status) == (path, 200)
                assert answer.content_type == content_type
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_nothing_but_get_is_answered(tmp_path: Path, method: str) -> None:
    async with site(tmp_path) as made:
        client = made.client
        for path in (*PATHS, "/api/explain/TEE"):
            async with client.request(method, path, data=b"x") as answer:
                assert answer.status == 405


async def test_an_unknown_path_is_not_found(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        assert (await made.get("/admin"))[0] == 404


async def test_where_a_token_is_set_every_path_wants_it(tmp_path: Path) -> None:
    async with site(tmp_path, policy=TOKEN) as made:
        look, _client = made.look, made.client
        well(look.health)
        for path in (*PATHS, "/api/explain/TEE", "/admin"):
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "é"}):
                assert (await made.get(path, headers=headers))[0] == 401
        right = {"Authorization": "Bearer open-sesame"}
        for path in PATHS:
            assert (await made.get(path, headers=right))[0] == 200


async def test_readyz_names_every_reason_at_once(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        look, client = made.look, made.client
        health = look.health
        health.location_names = {1: "Berlin", 2: "Hamburg"}
        health.read_at = {1: time.time() - 600, 2: None}
        health.unauthorised(Target.SHOPIFY, "shopify POLL: HTTP 401")
        health.targets[Target.TIKTOK].paused = "tiktok is paused: 12 of 20 would show 0"
        for path in ("/readyz", "/healthz"):
            async with client.get(path) as answer:
                assert answer.status == 503
                document = await answer.json(content_type="application/health+json")
            assert document["status"] == "fail"
            notes = "\n".join(document["notes"])
            for reason in ("baseline", 'the locations "Berlin"', '"Hamburg"', "600 s ago", "401"):
                assert reason in notes
            assert "12 of 20 would show 0" in notes
            assert "tiktok: not yet tried" in notes
            failed = {
                name for name, (check,) in document["checks"].items() if check["status"] == "fail"
            }
            assert failed == {
                "baseline",
                "shopify:poll_age:Berlin",
                "shopify:poll_age:Hamburg",
                "shopify:authorised",
                "tiktok:authorised",
                "tiktok:paused",
            }


async def test_readyz_answers_200_when_nothing_is_wrong(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        look, client = made.look, made.client
        well(look.health)
        async with client.get("/readyz") as answer:
            document = await answer.json(content_type="application/health+json")
        assert (document["status"], document["notes"]) == ("pass", [])


async def test_livez_answers_503_once_a_pass_hangs(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        look, _client = made.look, made.client
        assert await made.get("/livez") == (200, "ok\n")
        look.health.watchdog = Watchdog(itertools.count(step=1000).__next__)
        look.health.watchdog.expect(LISTINGS)
        assert await made.get("/livez") == (503, "hung\n")


async def test_the_page_escapes_what_others_wrote(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        look, _client = made.look, made.client
        numbers: dict[str, object] = {"target": HOSTILE, "from": 1, "to": 0, "outcome": HOSTILE}
        moved: dict[str, object] = {"case": HOSTILE, "changes": [], "pool_before": 1, "pool": 0}
        await journal(
            look.store,
            Entry(EntryKind.WRITE, 1, HOSTILE, numbers),
            Entry(
                EntryKind.HOLD, 1, HOSTILE, dict.fromkeys(("units", "warehouse", "shows"), HOSTILE)
            ),
            Entry(EntryKind.PAUSED, None, HOSTILE, {HOSTILE: HOSTILE}),
            Entry(EntryKind.CHANGE, 1, HOSTILE, moved),
        )
        look.health.unauthorised(Target.TIKTOK, HOSTILE)
        look.health.location_names, look.health.read_at = {1: HOSTILE}, {1: None}
        status, text = await made.get("/")
        assert status == 200
        assert HOSTILE not in text
        assert text.count("&lt;script&gt;") >= 8


async def test_the_journal_is_answered_by_sku_and_within_its_limit(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        look, client = made.look, made.client
        entries = [
            Entry(EntryKind.CHANGE, 1, sku, {"case": "x", "changes": []})
            for sku in ("TEE", "MUG", "TEE")
        ]
        await journal(look.store, *entries)

        async def ids(query: str) -> list[int]:
            async with client.get(f"/api/journal{query}") as answer:
                assert answer.status == 200
                return [row["id"] for row in (await answer.json())["journal"]]

        assert await ids("") == [1, 2, 3]
        assert await ids("?sku=TEE") == [1, 3]
        assert await ids("?limit=1") == [3]
        assert await ids("?sku=%27%20OR%201=1") == []


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", "1.5", "", "９", "9" * 500])
async def test_a_journal_limit_that_is_no_number_in_range_is_refused(
    tmp_path: Path, limit: str
) -> None:
    async with site(tmp_path) as made:
        status, text = await made.get("/api/journal", params={"limit": limit})
        assert (status, text) == (400, "limit must be a number from 1 to 1000\n")


async def test_explain_answers_404_for_a_sku_that_nobody_knows(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        status, text = await made.get("/api/explain/NO-SUCH")
        assert status == 404
        assert "NO-SUCH" in text


@pytest.mark.parametrize("sku", ["TEE/M", "TEE M", "TEE?M", "ÄPFEL%", HOSTILE])
async def test_explain_finds_a_sku_with_any_characters(tmp_path: Path, sku: str) -> None:
    async with site(tmp_path) as made:
        look, client = made.look, made.client
        async with look.store.transaction() as tx:
            await look.store.levels.add_items(
                tx, [Catalogue(1, sku, tracked=True, continues=False, product_types=("Shirt",))]
            )
        path = f"/api/explain/{quote(sku, safe='')}"
        async with client.get(URL(path, encoded=True)) as answer:
            assert answer.status == 200
            assert (await answer.json())["sku"] == sku
