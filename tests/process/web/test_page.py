"""The pages as documents: complete, escaped, small and accessible."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest

from invsyncd.text import command
from invsyncd.web.details import targets_section
from invsyncd.web.html import POLICY, STYLE, Html, tag, text
from invsyncd.web.words import advice, lag, span
from tests.process.web.site import HOSTILE, STATES, journal, site, wrote

BYTES_MAX = 60_000
VOID = {"meta", "link", "input", "br", "line", "rect", "path", "circle"}


class Document(HTMLParser):
    """The elements of a page, and whether each was closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def said(self) -> str:
        """Everything that can be read on it."""
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of every element of this name."""
        return [attributes for found, attributes in self.elements if found == name]


@pytest.fixture(params=STATES)
async def pages(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The pages of one state, by path."""
    async with site(tmp_path) as made:
        await STATES[request.param](made)
        paths = [
            *("/", "/stock", f"/stock?search={quote(HOSTILE)}&filter=held"),
            *("/explain", f"/explain?sku={quote(HOSTILE)}", "/explain?sku=TEE-M"),
        ]
        return {path: (await made.get(path))[1] for path in paths}


def test_every_page_is_small_well_formed_and_loads_nothing(pages: dict[str, str]) -> None:
    for page in pages.values():
        assert len(page.encode()) < BYTES_MAX
        document = Document(page)
        assert document.open == []
        for name, attributes in document.elements:
            # What the policy forbids would not be seen by anybody but a browser.
            assert "style" not in attributes
            assert not [key for key in attributes if key.startswith("on")]
            assert name not in ("img", "iframe", "object")
        assert [a["href"][:5] for a in document.all("link") if a["href"]] == ["data:"]
        assert "://" not in re.sub(r'xmlns="[^"]*"', "", "".join(re.findall("<[^>]*>", page)))


def test_every_page_has_landmarks_one_heading_and_named_tables(pages: dict[str, str]) -> None:
    for page in pages.values():
        document = Document(page)
        names = [name for name, _ in document.elements]
        assert [names.count(x) for x in ("header", "main", "footer", "h1")] == [1] * 4
        assert re.search("<head>.*<title>[^<]+</title>.*</head>", page, re.DOTALL)
        assert document.all("html")[0]["lang"] == "en"
        assert document.all("a")[0]["href"] == "#main"
        fields = {a["id"] for a in document.all("input") if a.get("type") != "hidden"}
        assert {a["for"] for a in document.all("label")} == fields
        assert names.count("table") == names.count("caption")
        assert {a.get("scope") for a in document.all("th")} <= {"col", "row"}
        ids = [a["id"] for _, a in document.elements if a.get("id")]
        assert len(ids) == len(set(ids))
        named = [a["aria-labelledby"] for _, a in document.elements if "aria-labelledby" in a]
        assert set(named) <= set(ids)


def test_nothing_that_others_wrote_becomes_markup(pages: dict[str, str]) -> None:
    for page in pages.values():
        assert HOSTILE not in page
        assert Document(page).all("script") == [{}]


async def test_the_policy_names_exactly_what_is_inline(tmp_path: Path) -> None:
    async with site(tmp_path) as made, made.client.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = await answer.text()
    assert policy == POLICY
    for name in ("style", "script"):
        inline = re.findall(f"<{name}>(.*?)</{name}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
        assert (len(inline), f"{name}-src 'sha256-{digest}'" in policy) == (1, True)
    assert "unsafe" not in policy


async def said(tmp_path: Path, state: str, path: str = "/") -> str:
    async with site(tmp_path) as made:
        await STATES[state](made)
        return Document((await made.get(path))[1]).said


async def test_when_all_is_well_the_page_says_so_and_nothing_else_is_asked(tmp_path: Path) -> None:
    page = await said(tmp_path, "well")
    assert "All is well" in page
    assert "2 changes, 6 writes." in page
    assert "Try:" not in page
    assert "on hold" not in page


async def test_every_reason_stands_beside_what_to_do_about_it(tmp_path: Path) -> None:
    page = await said(tmp_path, "troubled")
    assert "Not well: 4 reasons" in page
    for reason, try_ in (
        ('location "Hamburg" was last read 6', "invsyncd check"),
        ("access token is dead", "invsyncd tiktok-login --code CODE"),
        ("12 of 20 listings would show 0", "invsyncd resume tiktok"),
        ("another writer", "switch off inventory sync"),
        ("the full scan lacks 40 %", "invsyncd scan"),
    ):
        assert try_ in page.partition(reason)[2][:200], reason
    assert "12 writes wait, the oldest 9" in page.partition("1 thing follows from it")[2][:200]
    assert "12 writes owed, the oldest for 15 min" in page


async def test_what_is_held_or_parked_stands_beside_the_command_that_resolves_it(
    tmp_path: Path,
) -> None:
    page = await said(tmp_path, "held")
    assert "Well, but 3 items wait for you" in page
    for words in (
        "invsyncd resolve CAP-RED --use lowest",
        "invsyncd resolve 'CAP BLUE/M' --use lowest",
        "invsyncd resolve --use lowest -- '-X; rm -rf ~'",
        "its status is FREEZE; wakes when its status changes",
        "it is a bundle: its stock follows from its parts; read again when",
        "the SKU is in a campaign; tried again in 1 h",
        "invsyncd explain PROMO-9",
    ):
        assert words in page


async def test_a_new_database_is_a_beginning_and_not_an_alarm(tmp_path: Path) -> None:
    page = await said(tmp_path, "fresh")
    assert "Reading the shop for the first time" in page
    assert "Nothing has changed yet." in page
    assert "Nothing is recorded yet." in page


async def test_an_explanation_shows_levels_the_rule_step_by_step_and_the_record(
    tmp_path: Path,
) -> None:
    page = await said(tmp_path, "well", "/explain?sku=TEE-M")
    assert "47 mirrored" in page
    for words in ("Berlin 47 2 49", "Main warehouse shows 37", "80 % of it, rounded down: 37"):
        assert words in page
    assert "In short All numbers agree" in page
    assert "Shopify, Hamburg 44 → 43, applied" in page
    assert page.count("Hamburg 44 → 43") == 2  # once in the journal, once folded for the support


async def test_an_explanation_says_nothing_twice(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        await STATES["held"](made)
        for sku in ("TEE-M", "CAP-RED", "FROZEN-1", "PROMO-9"):
            _, page = await made.get(f"/explain?sku={sku}")
            told = re.findall("<(?:p|li|small)[^>]*>(.*?)</(?:p|li|small)>", page, re.DOTALL)
            said = [re.sub("<[^>]*>", "", x).strip() for x in told]
            sentences = [x for x in said if len(x.split()) >= 4]
            twice = {x for x in sentences for y in sentences if x is not y and x in y}
            assert twice == set(), sku


async def test_the_writes_of_one_item_in_one_pass_are_one_line_of_the_journal(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as made:
        await STATES["well"](made)
        entry = wrote("TEE-M", 40, 39)
        entries = [replace(entry, numbers={**entry.numbers, "location": n}) for n in (1, 2, 3)]
        await journal(made.look.store, *entries, at=int(time.time()))
        for path in ("/", "/explain?sku=TEE-M"):
            assert "Berlin, Hamburg, Munich 40 → 39" in Document((await made.get(path))[1]).said


async def test_a_sku_that_nobody_knows_is_said_with_those_that_hold_it(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        await STATES["well"](made)
        status, page = await made.get("/explain?sku=tee")
        assert status == 404
        assert "No item has this SKU" in page
        assert 'href="/explain?sku=TEE-M"' in page
        assert (await made.get("/explain"))[0] == 200
        assert (await made.get("/explain/TEE-M"))[0] == 200


async def test_the_rules_in_force_are_told_in_words(tmp_path: Path) -> None:
    page = await said(tmp_path, "well")
    rules = page.partition("Rules in force")[2]
    for words in (
        "Berlin, Hamburg and Munich always show one number",
        "Main warehouse shows 80 % of the stock at Berlin, Hamburg and Munich",
    ):
        assert words in rules


async def test_internals_are_folded_and_what_is_wrong_is_not(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        await STATES["troubled"](made)
        _, page = await made.get("/")
    before, _, folded = page.partition('<details id="details"')
    assert 'id="verdict"' in before
    assert "access token is dead" in before
    assert 'id="journal"' in before
    for part in ("lag", "targets", "locations"):
        assert f'id="{part}"' in folded
        assert f'id="{part}"' not in before


async def test_an_unknown_path_is_a_page_for_people_and_a_line_for_programs(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as made:
        browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        for path in ("/admin", "/stock/", "/api/nothing", f"/{quote(HOSTILE)}", "/a//b/../c"):
            async with made.client.get(path, headers=browser) as answer:
                page = await answer.text()
                assert (answer.status, answer.content_type) == (404, "text/html")
                assert answer.headers["Content-Security-Policy"] == POLICY
            assert 'href="/"' in Document(page).said or '<a href="/">' in page
            assert HOSTILE not in page
        async with made.client.get("/admin") as answer:
            assert (answer.status, answer.content_type) == (404, "text/plain")
            assert await answer.text() == (
                "Error: there is no such page\nTry: / is the status page, /stock the stock list\n"
            )


def test_budgets_are_shown_as_far_as_they_are_known() -> None:
    target = {"authorised": True, "trouble": "", "paused": "", "undelivered": 0}
    base = {"targets": {"shopify": target, "tiktok": target}, "owed_since": {}, "now": 0}
    assert "budget" not in targets_section(base)
    assert "budget" not in targets_section({**base, "budgets": {"shopify": {}, "tiktok": None}})
    paces = {"calls_per_s": {"update_inventory": 1.2}}
    half = {"left": 500.0, "capacity": 2000, "restore_per_s": 100.0, "others_per_s": 3.14}
    page = targets_section({**base, "budgets": {"shopify": half, "tiktok": paces}})
    assert "500 of 2,000 points left · +100/s · others use 3.14/s" in page
    assert 'width="25.0"' in page
    assert "update inventory at most 1.2/s" in page


def test_text_is_escaped_wherever_it_stands() -> None:
    assert text("<&\"'>") == "&lt;&amp;&quot;&#x27;&gt;"
    assert tag("a", "<b>", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;">&lt;b&gt;</a>'
    assert tag("p", Html("<b>") + "x") == "<p>&lt;b&gt;x</p>"
    assert tag("p", ["a", None, 1, ["<"]], hidden=True, id=None) == "<p hidden>a1&lt;</p>"
    assert text("a\0b\x1b[31m\x85") == "a�b�[31m�"


def test_words_for_people() -> None:
    assert [span(s) for s in (0, 59, 60, 3600, 86_400, 200_000)] == [
        "0 s",
        "59 s",
        "1 min",
        "1 h",
        "1 day",
        "2 days",
    ]
    assert [lag(s) for s in (0.04, 9.94, 61, 300, 9000)] == [
        "0.0 s",
        "9.9 s",
        "61 s",
        "5 min",
        "2.5 h",
    ]
    assert command("explain", sku="-X") == "invsyncd explain -- -X"
    assert "check" in advice("shopify:authorised")
    assert advice("tiktok:authorised", dead=False, tried=False) == ""


def colours() -> list[dict[str, str]]:
    """The custom properties of the light scheme, and of the dark one over it."""
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    )
    return [light, {**light, **dark}]


def contrast(one: str, other: str) -> float:
    """As WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_enough_in_both_schemes() -> None:
    tones = ("good", "warn", "bad", "calm")
    for scheme in colours():
        pairs = [
            *product(("ink", "soft", "link"), ("ground", "card")),
            ("ink", "code"),
            ("card", "ink"),
            *((tone, f"{tone}-ground") for tone in tones),
            *(("ink", f"{tone}-ground") for tone in tones),
            ("soft", "calm-ground"),
            ("bad", "ground"),
        ]
        assert [p for p in pairs if contrast(scheme[p[0]], scheme[p[1]]) < 4.5] == []
        parts = [("shopify", "card"), ("tiktok", "card"), ("focus", "card"), ("focus", "ground")]
        assert [p for p in parts if contrast(scheme[p[0]], scheme[p[1]]) < 3] == []
