"""Who may act: signing in and out, forms of other sites, wrong tokens, sessions that end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from invsyncd.core.persons import Asker, person_name
from invsyncd.web import guard
from invsyncd.web.actions import routes
from invsyncd.web.actions.session import EVERYWHERE_MAX, Sessions, WrongTokens
from invsyncd.web.guard import HttpRequest, Policy, own_path, refusal, sign_in_first
from tests.process.web.acting import acting
from tests.process.web.site import HOSTILE, STATES, Site, site, well
from tests.support.phone import FORM, POLICY, TOKEN, phone

RESOLVE = "/actions/resolve?sku=CAP-RED&use=lowest"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "WRONG_S", 0.0)


async def requests(made: Site) -> list[dict[str, object]]:
    return [x.body for x in await made.look.store.requests.open()]


async def test_with_actions_off_every_action_is_404_and_every_post_405(tmp_path: Path) -> None:
    async with site(tmp_path) as made, phone(made.url) as browser:
        for path in ("/actions", RESOLVE, "/actions/sign-in", "/actions/asked/x", "/actions/"):
            assert (await browser.get(path)).status == 404
            refused = await browser.post(path, {"use": "lowest"})
            assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")


async def test_who_is_not_signed_in_is_led_to_the_form_and_then_to_the_page_asked_for(
    tmp_path: Path,
) -> None:
    async with acting(tmp_path) as (made, browser):
        await STATES["held"](made)
        asked = await browser.get(RESOLVE)
        assert asked.path.startswith("/actions/sign-in?to=")
        form = asked.form("Sign in")
        seen = await browser.post(form.action, {**form.fields, "name": "Anna", "token": TOKEN})
        assert seen.path == RESOLVE
        assert "Signed in as Anna from 10.0.0.7" in seen.words
        assert (await browser.get("/")).status == 200  # the session opens all pages
        assert (
            "All is" in (await browser.get("/")).text
            or "Well, but" in (await browser.get("/")).text
        )


async def test_the_cookie_is_for_this_server_alone_and_for_a_limited_time(tmp_path: Path) -> None:
    async with acting(tmp_path) as (_, browser):
        page = await browser.get("/actions/sign-in")
        fields = {**page.form("Sign in").fields, "token": TOKEN}
        for origin, secure in ((browser.url, False), ("https://stock.example.com", True)):
            host = "stock.example.com" if secure else ""
            seen = await browser.post(
                "/actions/sign-in", fields, follow=False, Origin=origin, Host=host
            )
            assert seen.status == 303
            cookie = seen.headers["Set-Cookie"]
            assert TOKEN not in cookie
            for words in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=28800"):
                assert words in cookie
            assert ("Secure" in cookie) is secure


async def test_programs_and_basic_work_as_before_and_a_browser_gets_no_dialog(
    tmp_path: Path,
) -> None:
    async with acting(tmp_path) as (made, browser):
        well(made.look.health)
        for header in (f"Bearer {TOKEN}", "Basic QW5uYTpvcGVuLXNlc2FtZS1hbmQtc29tZXRoaW5nLWxvbmc="):
            assert (await browser.get("/api/status", Authorization=header)).status == 200
        status, _ = await made.get("/api/status")  # a program: it accepts anything
        assert status == 401
        wrong = await browser.get("/", Authorization="Bearer nope")
        assert wrong.status == 401
        basic = "Basic QW5uYTpvcGVuLXNlc2FtZS1hbmQtc29tZXRoaW5nLWxvbmc="
        assert (
            "Signed in as Anna from 10.0.0.7"
            in (await browser.get("/actions", Authorization=basic)).words
        )


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ({"key": ""}, 403),
        ({"key": "x" * 43}, 403),
        ({"once": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "", "Referer": "https://evil.example/x"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json"}, 415),
        ({"Host": "evil.example"}, 421),
        ({"more": "x" * 5000}, 413),
    ],
)
async def test_a_form_that_is_not_ours_does_nothing(
    tmp_path: Path, what: dict[str, str], status: int
) -> None:
    async with acting(tmp_path) as (made, browser):
        await STATES["held"](made)
        await browser.sign_in()
        page = await browser.get(RESOLVE)
        form = page.main
        headers = {k: v for k, v in what.items() if k[0].isupper()}
        fields = {**form.fields, **{k: v for k, v in what.items() if not k[0].isupper()}}
        refused = await browser.post(form.action, fields, follow=False, **headers)
        assert refused.status == status, refused.text[:300]
        assert await requests(made) == []
        done = await browser.post(form.action, form.fields)  # the same, as it was meant
        assert done.status == 200
        assert len(await requests(made)) == 1


async def test_nothing_is_changed_by_opening_a_page(tmp_path: Path) -> None:
    async with acting(tmp_path) as (made, browser):
        await STATES["held"](made)
        await browser.sign_in()
        form = (await browser.get(RESOLVE)).main
        query = "&".join(f"{k}={v}" for k, v in form.fields.items())
        assert (await browser.get(f"{form.action}&{query}")).status == 200
        assert (await browser.get("/actions/sign-out")).status == 405
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            async with browser.client.request(method, browser.url + RESOLVE) as answer:
                assert answer.status == 405
        assert (await browser.post("/explain", form.fields)).status == 405
        assert await requests(made) == []
        assert "Signed in" in (await browser.get("/actions")).words


async def test_who_signed_out_or_whose_time_is_over_starts_at_the_form_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = [0.0]
    monkeypatch.setattr(
        "invsyncd.web.server.Sessions", lambda clock: Sessions(lambda: clock() + later[0])
    )
    async with acting(tmp_path) as (made, browser):
        await STATES["held"](made)
        await browser.sign_in()
        form = (await browser.get(RESOLVE)).main
        later[0] = 8 * 3600.0
        led = await browser.post(form.action, form.fields)
        assert led.path.startswith("/actions/sign-in?to=")
        assert await requests(made) == []
        again = led.form("Sign in")
        back = await browser.post(again.action, {**again.fields, "name": "B", "token": TOKEN})
        assert back.path == RESOLVE
        out = await browser.press(back, "Sign out")
        assert out.path == "/actions/sign-in"
        assert (await browser.get("/")).path == "/actions/sign-in?to=/"


async def test_a_wrong_token_is_said_slowed_down_and_never_told(tmp_path: Path) -> None:
    async with acting(tmp_path) as (_, browser):
        seen = await browser.sign_in(token="nope")
        assert seen.status == 401
        assert "That is not the token" in seen.words
        assert "nope" not in seen.text
        assert 'value="Anna"' in seen.text
        wait = await browser.sign_in()  # the right one, but too soon
        assert wait.status == 429
        assert "Wait 1 s" in wait.words
        async with phone(browser.url, "10.0.0.8") as other:
            assert (await other.sign_in()).status in (200, 503)


def test_each_wrong_token_in_a_row_doubles_the_wait_up_to_a_minute() -> None:
    now = [0.0]
    wrong = WrongTokens(lambda: now[0])
    waits = [wrong.add("a") for _ in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert wrong.wait_s("b") == 0
    assert [wrong.add("a") for _ in range(2_000)][-1] == 60, "guessing never becomes free"
    wrong.forget("a")
    assert wrong.wait_s("a") == 0
    for number in range(EVERYWHERE_MAX + 1):
        wrong.add(f"x{number}")
    assert wrong.wait_s("b") == 1


def test_sessions_are_few_and_the_oldest_gives_way() -> None:
    sessions = Sessions(lambda: 0.0)
    first = sessions.begin(Asker("A"))
    last = [sessions.begin(Asker("B")) for _ in range(100)][-1]
    assert sessions.of(first.key) is None
    assert sessions.of(last.key) is last
    assert sessions.of("") is None


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/a\\b",
        "/a\nSet-Cookie: x",
        "",
        "evil",
        "/actions/sign-out",
        "/actions/sign-in?to=/",
        "/" + "x" * 5000,
    ],
)
def test_the_sign_in_leads_to_own_pages_only(target: str) -> None:
    assert own_path(target) == "/"


def test_an_address_that_gets_too_long_leads_to_the_form_alone() -> None:
    assert sign_in_first("/explain?sku=" + "%F0%9F%91%95" * 255) == "/actions/sign-in"


async def test_after_the_sign_in_no_other_site_is_opened(tmp_path: Path) -> None:
    async with acting(tmp_path) as (_, browser):
        page = await browser.get(f"/actions/sign-in?to={quote('https://evil.example/', safe='')}")
        fields = {**page.form("Sign in").fields, "token": TOKEN, "to": "//evil.example/"}
        seen = await browser.post("/actions/sign-in", fields, follow=False)
        assert seen.headers["Location"] == "/"


async def test_a_link_of_another_site_goes_on_with_the_session(tmp_path: Path) -> None:
    """A browser withholds a strict cookie from such a link, and not from one of our own pages."""
    async with acting(tmp_path) as (_, browser):
        page = await browser.get("/actions/resolve?sku=X", **{"Sec-Fetch-Site": "cross-site"})
        assert 'http-equiv="refresh" content="0;url=/actions/resolve?sku=X"' in page.text


def test_a_form_may_come_by_the_public_address_whatever_host_a_proxy_names() -> None:
    policy = Policy.of("127.0.0.1", (), TOKEN, actions=True, public="https://stock.example.com")
    asked = HttpRequest(
        "POST",
        "/actions/scan",
        ["127.0.0.1:8787"],
        "127.0.0.1",
        signed_in=True,
        has_body=True,
        content_type=FORM,
        content_length=10,
        source=("https://stock.example.com", "", "same-origin"),
    )
    assert refusal(policy, asked) is None
    for changed, status in (
        ({"content_length": None}, 411),
        ({"content_length": guard.BODY_MAX + 1}, 413),
        ({"content_type": "multipart/form-data"}, 415),
        ({"target": "/"}, 405),
        ({"signed_in": False}, 401),
        ({"source": ("https://stock.example.com:444", "", "")}, 403),
        ({"source": ("http://[", "", "")}, 403),
    ):
        found = refusal(policy, replace(asked, **changed))
        assert found is not None
        assert found.status == status
    assert refusal(POLICY, asked) is not None
    assert guard.BODY_MAX == 4096


def test_a_name_is_one_short_line() -> None:
    assert person_name(" Anna\n\x1b[31m  B. ") == "Anna [31m B."
    assert len(person_name("x" * 500)) == 60
    assert Asker("Anna", "10.0.0.7").text() == "Anna from 10.0.0.7"
    assert Asker().text() == "a person"


async def test_what_somebody_wrote_into_a_sku_or_a_name_stays_text(tmp_path: Path) -> None:
    async with acting(tmp_path) as (made, browser):
        await STATES["hostile"](made)
        await browser.sign_in(name='<script>alert("x")</script>')
        for path in (
            f"/actions/resolve?sku={quote(HOSTILE)}",
            f"/actions/resolve?sku={quote(HOSTILE)}&use=lowest",
            f"/actions/resolve?sku={quote(HOSTILE)}&use={quote(HOSTILE)}",
            f"/actions/undo?pass={quote(HOSTILE)}",
            f"/actions/resume?target={quote(HOSTILE)}",
            "/actions",
            "/",
        ):
            page = await browser.get(path)
            assert "alert(" in page.text, path
            assert "<script>alert" not in page.text, path


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": f"{FORM}; charset=nonsense"}, b"name=A"),
        ({"Content-Type": FORM}, b"name=%FF%FE\xff"),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_in_words(
    tmp_path: Path, headers: dict[str, str], body: bytes
) -> None:
    async with acting(tmp_path) as (_, browser):
        given = {"Origin": browser.url, **headers}
        url = f"{browser.url}/actions/sign-in"
        async with browser.client.post(url, data=body, headers=given) as answer:
            assert answer.status in (400, 401)
            assert "failed" not in await answer.text()


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (["10.0.0.7"], "10.0.0.7"),
        (["1.2.3.4", "10.0.0.7"], "10.0.0.7"),
        (["1.2.3.4, 10.0.0.7"], "10.0.0.7"),
        (["fe80::1%nobody; Resolved by Ben"], "fe80::1"),
        (["Ben"], "127.0.0.1"),
        ([], "127.0.0.1"),
    ],
)
def test_the_last_proxy_says_where_a_request_comes_from_and_only_an_address(
    said: list[str], address: str
) -> None:
    headers = CIMultiDict([("X-Forwarded-For", one) for one in said])
    request = make_mocked_request("GET", "/", headers=headers)
    request = request.clone(remote="127.0.0.1")
    assert routes.address_of(request) == address
