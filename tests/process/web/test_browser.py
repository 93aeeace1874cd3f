"""The pages in a real browser: whole without script, and renewed without a reload with it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from invsyncd.core.model import Target
from invsyncd.status.health import Health
from invsyncd.web import html, server, views
from invsyncd.web.html import POLICY
from tests.process.web.browser import chromium, needs_chromium
from tests.process.web.site import HOSTILE, STATES, Site, site, well
from tests.process.web.stocks import shelf

pytestmark = needs_chromium
RENEWED_MS = 12_000  # of the browser's own time: enough for the second renewal


class Counting:
    """Makes every request find one change more than the one before."""

    def __init__(self) -> None:
        self.health = Health(time.time, 15, list(Target))
        self.asked = 0

    def __call__(self) -> None:
        well(self.health)
        self.asked += 1
        self.health.last_pass["changes"] = 1000 + self.asked


def changes(page: str) -> int:
    """The count that a page shows."""
    found = re.search(r"([0-9,]+) changes, 6 writes", page)
    assert found is not None, page[:2000]
    return int(found[1].replace(",", "")) - 1000


async def shown(path: Path, *flags: str) -> tuple[str, Counting]:
    """The page after some time in a browser."""
    counting = Counting()
    async with site(path, health=counting.health, asked=counting) as made:
        return await chromium(made.url, "--dump-dom", *flags, wait_ms=RENEWED_MS), counting


async def test_with_script_new_numbers_appear_without_a_reload(tmp_path: Path) -> None:
    page, counting = await shown(tmp_path)
    assert changes(page) >= 2
    assert counting.asked >= 2
    assert '"fresh">Renewed at' in page
    assert 'class="stale"' not in page


async def test_without_script_all_facts_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "POLICY", f"{POLICY}; script-src-elem 'none'")
    page, _ = await shown(tmp_path)
    assert changes(page) == 1
    assert '"fresh">Renewed at' not in page
    for words in ("All is well", "Hamburg", "From a change to each target", "writes</b> owed"):
        assert words in page


async def test_an_answer_that_is_no_page_makes_the_numbers_look_old(tmp_path: Path) -> None:
    made: list[Site] = []

    def break_later() -> None:
        if made and len(calls) > 0:
            made[0].look.store.journal.read = None  # type: ignore[assignment, method-assign]
        calls.append(1)

    calls: list[int] = []
    async with site(tmp_path, asked=break_later) as one:
        well(one.look.health)
        made.append(one)
        page = await chromium(one.url, "--dump-dom", wait_ms=RENEWED_MS)
    assert 'class="stale"' in page
    assert "numbers are old.<" in page
    assert "All is well" in page


async def test_what_somebody_wrote_into_a_sku_does_not_run(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        await STATES["hostile"](made)
        for path in ("/", f"/explain?sku={quote(HOSTILE)}"):
            page = await chromium(made.url + path, "--dump-dom", wait_ms=500)
            assert "alert(" in page
            assert page.count("<script>") == 1


FRAME = """<!doctype html><title>not measured</title>
<iframe src="{path}" width="360" height="800" style="border: 0"></iframe>
<script>onmessage = (event) => document.title = event.data</script>"""


LOOKED_AT = {"long": STATES["long"], "shelf": shelf}
PHONE = {
    "long": ["/", "/stock", f"/explain?sku={'W' * 255}"],
    "shelf": [
        *("/", "/stock", "/stock?filter=held", "/nowhere"),
        *(f"/explain?sku={sku}" for sku in ("CAP-RED", "TWO-LISTINGS", "BEHIND")),
    ],
}


@pytest.mark.parametrize("state", PHONE)
async def test_a_phone_shows_the_page_without_scrolling_sideways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    # A window is never narrower than 500 pixels, a frame is. It is served from the same place, so
    # that the browser's own time waits for what is inside.
    measure = (
        "const wider = [...document.querySelectorAll('.scroll')]"
        ".filter((one) => one.scrollWidth > one.clientWidth).length;"
        "parent.postMessage(`${innerWidth},${document.documentElement.scrollWidth},${wider}`, '*')"
    )
    monkeypatch.setattr(html, "SCRIPT", measure)
    monkeypatch.setattr(views, "POLICY", "script-src 'unsafe-inline'")
    monkeypatch.setattr(server, "HEADERS", {})
    async with site(tmp_path) as made:
        await LOOKED_AT[state](made)
        for path in PHONE[state]:
            monkeypatch.setattr(views, "unknown_page", lambda *_, to=path: FRAME.format(path=to))
            page = await chromium(f"{made.url}/explain", "--dump-dom", wait_ms=5000)
            assert re.findall("<title>(.*?)</title>", page) == ["360,360,0"], path
