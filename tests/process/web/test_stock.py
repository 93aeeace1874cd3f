"""The stock list as people see it: honest rows, a search that stays, filters, pages by key."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from invsyncd.core.model import Target
from invsyncd.errors import ConfigError
from invsyncd.planning.rules import Rules
from invsyncd.web import stock as stock_document
from invsyncd.web import views
from invsyncd.web.html import POLICY
from tests.process.web.browser import chromium, needs_chromium
from tests.process.web.site import Site, site, stock, well
from tests.process.web.stocks import shelf
from tests.process.web.test_page import Document


def rows(page: str) -> dict[str, str]:
    """What each row of the list says, by its SKU."""
    found = {}
    table = page.partition('class="stock"')[2].partition("</table>")[0]
    for row in re.findall("<tr>(.*?)</tr>", table, re.DOTALL):
        cells = [Document(cell).said.strip() for cell in re.findall("<t[hd].*?</t[hd]>", row)]
        found[cells[0]] = " | ".join(cells[1:])
    return {sku: cells for sku, cells in found.items() if sku != "SKU"}


async def listed(tmp_path: Path, path: str = "/stock") -> dict[str, str]:
    """The rows of one page of the full shelf."""
    async with site(tmp_path) as made:
        await shelf(made)
        status, page = await made.get(path)
        assert status == 200
        return rows(page)


async def test_each_row_says_what_is_everywhere_on_tiktok_and_what_moved_last(
    tmp_path: Path,
) -> None:
    found = {
        sku: re.sub(r"\d+ (s|min) ago", "… ago", x) for sku, x in (await listed(tmp_path)).items()
    }
    assert found["TEE-M"] == "47 | 37 | … ago Berlin 48 → 47 (ordered online −1)"
    assert found["Mütze GRÜN"].startswith("1,200 | 960 | ")
    assert found["OVERSOLD-1"] == "−3 oversold by 3 | 0 | none recorded"
    assert found["GIFT-CARD"].startswith(
        "not mirrored: not tracked 1 to 3 at 3 locations | unlimited |"
    )
    assert found["UNEQUAL"].startswith("unequal: the next change decides 5 to 12 at 3 locations |")
    assert found["BEHIND"].startswith("9 2 locations not there yet | 7 | … ago TikTok sold 1")
    assert found["PARKED-1"].startswith("5 | 4 parked |")
    assert found["TWO-LISTINGS"].startswith("40 | 32 40 → 38 Main warehouse 32 · ")
    assert found["no SKU"].startswith("5 | 4 |")


async def test_a_held_item_has_no_number_but_the_word_and_what_each_choice_would_give(
    tmp_path: Path,
) -> None:
    cells = (await listed(tmp_path))["CAP-RED"]
    choices = "lowest 30 · highest 70 · sum 10 · Berlin 30 · Hamburg 70 · Munich 50"
    assert cells.startswith(f"on hold {choices} |")


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("search=tee", ["TEE-L", "TEE-M"]),
        ("search=ütze+grü", ["Mütze GRÜN"]),
        ("search=E-M", ["TEE-M"]),
        ("search=te", ["TEE-L", "TEE-M"]),
        ("filter=held", ["CAP-RED"]),
        ("filter=oversold", ["OVERSOLD-1"]),
        ("filter=parked", ["PARKED-1"]),
        ("filter=owed", ["BEHIND", "TWO-LISTINGS"]),
        ("filter=owed&search=two", ["TWO-LISTINGS"]),
        ("search=nothing-like-it", []),
        ("filter=nonsense&after=nonsense&search=tee", ["TEE-L", "TEE-M"]),
        ("search=%00%F0%9F%98%80", []),
    ],
)
async def test_search_and_filters_find_what_they_say(
    tmp_path: Path, query: str, skus: list[str]
) -> None:
    assert list(await listed(tmp_path, f"/stock?{query}")) == skus


async def test_the_list_goes_on_from_page_to_page_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "ROWS_MAX", 4)
    async with site(tmp_path) as made:
        await shelf(made)
        path, found = "/stock", []
        while path:
            _, page = await made.get(path)
            found.append(len(rows(page)))
            follow = re.search('href="([^"]*)"[^>]*>Next page|rel="next" href="([^"]*)"', page)
            path = unescape(follow[1] or follow[2]) if follow else ""
            assert not path or parse_qs(urlsplit(path).query).keys() == {"after"}
    assert found == [4, 4, 3]


async def test_the_status_page_has_the_first_rows_and_leads_to_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "FIRST_ROWS", 3)
    async with site(tmp_path) as made:
        await shelf(made)
        _, page = await made.get("/")
    assert list(rows(page)) == ["BEHIND", "CAP-RED", "GIFT-CARD"]
    assert 'href="/stock">The whole list' in page


async def test_without_tiktok_the_list_does_not_speak_of_it(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        await shelf(made)
        del made.look.health.targets[Target.TIKTOK]
        _, page = await made.get("/stock")
    assert rows(page)["TEE-M"].startswith("47 | ")
    assert ">TikTok<" not in page
    assert "Parked" not in page


async def test_one_or_two_characters_say_how_they_are_compared(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        await shelf(made)
        said = [Document((await made.get(f"/stock?search={x}"))[1]).said for x in ("te", "tee")]
    assert ["Compared with the beginning" in x for x in said] == [True, False]


async def test_suggestions_and_the_list_are_answered_to_programs_too(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        await shelf(made)
        async with made.client.get("/api/skus", params={"search": "rün"}) as answer:
            assert await answer.json() == {"skus": ["Mütze GRÜN"]}
        async with made.client.get("/api/skus") as answer:
            assert await answer.json() == {"skus": []}
        async with made.client.get("/api/stock", params={"filter": "held"}) as answer:
            document = await answer.json()
    assert (document["count"], document["is_cut"], document["after"]) == (1, False, "")
    [row] = document["rows"]
    assert (row["sku"], row["pool"], row["standing"]) == ("CAP-RED", None, "held")
    assert {x["use"]: x["units"] for x in row["choices"]}["lowest"] == 30
    assert document["counts"] == {"held": 1, "oversold": 1, "parked": 1, "owed": 2}


async def test_a_shop_whose_rules_do_not_fit_still_lists_its_stock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path) as made:
        await shelf(made)

        async def rules() -> Rules:
            raise ConfigError("mirror.locations names a location that does not exist")

        monkeypatch.setattr(made.look.rulebook, "rules", rules)
        _, page = await made.get("/stock")
    assert rows(page)["TEE-M"].startswith("47 | 37 | ")


TYPE = """
<script>addEventListener("load", () => {
  const field = document.getElementById("search");
  field.value = "gr\u00fc"; field.focus();
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  setInterval(() => field.setAttribute("data-typed", field.value), 500);
})</script>"""


async def scripted(made: Site, path: str, monkeypatch: pytest.MonkeyPatch, wait_ms: int) -> str:
    """The page after somebody typed into its search."""
    written = views._html
    monkeypatch.setattr(
        views,
        "_html",
        lambda page, *more: written(page.replace("</body>", f"{TYPE}</body>"), *more),
    )
    monkeypatch.setattr(views, "POLICY", "script-src 'unsafe-inline'")
    return await chromium(made.url + path, "--dump-dom", wait_ms=wait_ms)


@needs_chromium
@pytest.mark.parametrize("path", ["/", "/stock"])
async def test_a_renewal_leaves_what_somebody_types_and_suggestions_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async with site(tmp_path) as made:
        await shelf(made)
        page = await scripted(made, path, monkeypatch, 12_000)
    assert '"fresh">Renewed at' in page
    assert 'data-typed="grü"' in page
    assert '<option value="Mütze GRÜN">' in page


@needs_chromium
async def test_without_script_the_list_is_whole_and_does_not_load_itself_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "POLICY", f"{POLICY}; script-src-elem 'none'")
    asked: list[int] = []
    async with site(tmp_path, asked=lambda: asked.append(1)) as made:
        await shelf(made)
        page = await chromium(f"{made.url}/stock?search=tee", "--dump-dom", wait_ms=40_000)
    assert list(rows(page)) == ["TEE-L", "TEE-M"]
    assert len(asked) == 1
    assert 'http-equiv="refresh"' not in page


async def test_a_large_shop_has_small_pages(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        well(made.look.health)
        for number in range(1, 70):
            await stock(made.look.store, number, f"SKU-{number:03}-{'x' * 60}", 5)
        _, page = await made.get("/stock?search=sku")
        assert len(rows(page)) == stock_document.ROWS_MAX
        assert len(page.encode()) < 60_000
