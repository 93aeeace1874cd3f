"""A browser without script: cookies, forms, redirects."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import aiohttp

from invsyncd.web import Policy

TOKEN = "open-sesame-and-something-long"
POLICY = Policy.of("127.0.0.1", ("stock.example.com",), TOKEN, actions=True)
PAGE = {"Accept": "text/html,*/*"}
FORM = "application/x-www-form-urlencoded"


@dataclass
class Form:
    """One form of a page: where it goes, and what its fields hold."""

    method: str = "get"
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    button: str = ""


class Forms(HTMLParser):
    """Reads the forms of a page, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._in_button = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given.get("method", "get"), given.get("action", "")))
        elif tag == "input" and self.found and given.get("name"):
            self.found[-1].fields[given["name"]] = given.get("value", "")
        self._in_button = tag == "button"

    def handle_data(self, data: str) -> None:
        if self._in_button and self.found:
            self.found[-1].button += data


@dataclass
class Seen:
    """One answer."""

    status: int
    text: str
    path: str
    headers: Mapping[str, str]

    @property
    def words(self) -> str:
        """What a person reads."""
        body = self.text.partition("</style>")[2] or self.text
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())

    def form(self, button: str) -> Form:
        """The form with a button that says so."""
        return next(x for x in Forms(self.text).found if button in x.button)

    @property
    def main(self) -> Form:
        """The form that does what the page shows."""
        return next(x for x in Forms(self.text).found if "seen" in x.fields)


@dataclass
class Phone:
    """A browser without script."""

    url: str
    client: aiohttp.ClientSession
    address: str = ""

    async def get(self, path: str, **headers: str) -> Seen:
        """Open a page, and follow where it leads."""
        return await self._asked("GET", path, None, headers)

    async def post(
        self, path: str, fields: Mapping[str, str], *, follow: bool = True, **headers: str
    ) -> Seen:
        """Send a form as a browser does."""
        given = {"Origin": self.url, "Sec-Fetch-Site": "same-origin", **headers}
        return await self._asked("POST", path, fields, given, follow=follow)

    async def press(self, page: Seen, button: str = "", **changed: str) -> Seen:
        """Press a button of a page; the main one unless it is named."""
        form = page.form(button) if button else page.main
        return await self.post(form.action, {**form.fields, **changed})

    async def sign_in(self, name: str = "Anna", token: str = TOKEN, to: str = "/") -> Seen:
        """Fill in the form and send it."""
        page = await self.get(f"/actions/sign-in?to={to}")
        form = page.form("Sign in")
        return await self.post(form.action, {**form.fields, "name": name, "token": token})

    async def _asked(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | None,
        headers: Mapping[str, str],
        *,
        follow: bool = True,
    ) -> Seen:
        given = {**PAGE, **{k.replace("_", "-"): v for k, v in headers.items() if v}}
        if self.address:
            given["X-Forwarded-For"] = self.address
        async with self.client.request(
            method, self.url + path, data=fields, headers=given, allow_redirects=follow
        ) as answer:
            text = await answer.text()
            return Seen(answer.status, text, answer.url.path_qs, dict(answer.headers))


@asynccontextmanager
async def phone(url: str, address: str = "") -> AsyncIterator[Phone]:
    """A browser of its own."""
    jar = aiohttp.CookieJar(unsafe=True)
    connector = aiohttp.TCPConnector(force_close=True)  # virtual time ends idle connections
    async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as client:
        yield Phone(url, client, address)
