"""Answers /actions/…: the pages of the acts, their forms, and the way in and out.

The guard has let a request through by its session or its token, and a form only if a page of ours
sent it. What is checked here: that the form has the key of the session, and that nothing has moved
since its page was made.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

from invsyncd.core.persons import Asker, person_name
from invsyncd.errors import InvsyncError
from invsyncd.planning.interventions import paused_targets
from invsyncd.planning.rulebook import Rulebook
from invsyncd.status.health import Health
from invsyncd.store import Store
from invsyncd.web.actions.asked import progress_of
from invsyncd.web.actions.desk import KINDS, Act, ActDesk, MovedOn
from invsyncd.web.actions.frame import (
    Frame,
    act_page,
    continue_page,
    sign_in_page,
    trouble_page,
)
from invsyncd.web.actions.home import asked_page, home_page
from invsyncd.web.actions.session import Session, Sessions
from invsyncd.web.guard import Policy, own_path, user_of
from invsyncd.web.html import POLICY

log = logging.getLogger(__name__)

WRONG_S = 1.0  # each wrong token is answered so late
_ONCE = re.compile(r"[0-9a-f]{32}")
# A browser says where a form comes from only if the page lets it.
_HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}


class Seen(Protocol):
    """What a page of an act may read, and how the next pass is begun at once."""

    store: Store
    rulebook: Rulebook
    health: Health
    shop: str
    wake: Callable[[], None]
    clock: Callable[[], float]


def cookie_name(listen: str) -> str:
    """A cookie has no port: two servers on one machine must not overwrite each other's."""
    return f"invsyncd_{hashlib.sha256(listen.encode()).hexdigest()[:8]}"


async def _post_only(request: web.Request) -> web.StreamResponse:
    raise web.HTTPMethodNotAllowed(request.method, ["POST"])


class ActionRoutes:
    """All routes of /actions. `window` returns what they may read now."""

    def __init__(
        self, window: Callable[[], Seen], policy: Policy, sessions: Sessions, cookie: str
    ) -> None:
        self._window = window
        self._policy = policy
        self._sessions = sessions
        self._cookie = cookie

    def table(self) -> list[web.RouteDef]:
        """Every path with its handler."""
        acts = [
            route
            for kind in KINDS
            for route in (
                web.get(f"/actions/{kind}", self._bound(self._show, kind)),
                web.post(f"/actions/{kind}", self._bound(self._do, kind)),
            )
        ]
        return [
            *acts,
            web.get("/actions", self.home),
            web.get("/actions/sign-in", self.ask_in),
            web.post("/actions/sign-in", self.sign_in),
            web.get("/actions/sign-out", _post_only),
            web.post("/actions/sign-out", self.sign_out),
            web.get("/actions/asked/{once}", self.asked),
        ]

    def is_signed_in(self, request: web.Request) -> bool:
        """Whether the request has the cookie of a session that lasts."""
        return self._session(request) is not None

    def _bound(
        self, method: Callable[[web.Request, str], Awaitable[web.StreamResponse]], kind: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await method(request, kind)

        return handle

    def _session(self, request: web.Request) -> Session | None:
        return self._sessions.of(request.cookies.get(self._cookie, ""))

    def _desk(self) -> ActDesk:
        seen = self._window()
        return ActDesk(seen.store, seen.rulebook, tuple(seen.health.targets), int(seen.clock()))

    async def _show(self, request: web.Request, kind: str) -> web.StreamResponse:
        """The page of an act: what it would do now."""
        session = self._session(request) or self._begun(request)
        try:
            act = await self._desk().act(kind, request.query)
        except InvsyncError as error:
            return self._trouble(request, session, error)
        return self._act(request, session, act)

    async def _do(self, request: web.Request, kind: str) -> web.StreamResponse:
        """The form of an act: asks for it, and leads to the page that tells what becomes of it."""
        session = self._session(request)
        form = await _form(request)
        once = form.get("once", "")
        if session is None or not session.sent(form.get("key", "")) or not _ONCE.fullmatch(once):
            raise web.HTTPForbidden(
                text="Error: this form does not belong to your session: nothing was done\n"
                "Try: sign in, open the page again and use its button"
            )
        try:
            await self._desk().do(kind, request.query, session, form.get("seen", ""), once)
        except MovedOn as error:
            return self._act(request, session, error.act, error)
        except InvsyncError as error:
            return self._trouble(request, session, error)
        self._window().wake()
        return self._answer(request, session, location=f"/actions/asked/{once}")

    def _act(
        self, request: web.Request, session: Session, act: Act, error: MovedOn | None = None
    ) -> web.StreamResponse:
        session.has_shown(act.shown.mark, act.shown.facts)
        frame = self._frame(session, once=secrets.token_hex(16))
        html = act_page(frame, act.shown, None if error is None else error.moves)
        return self._answer(request, session, html, status=200 if error is None else 409)

    def _trouble(
        self, request: web.Request, session: Session, error: InvsyncError
    ) -> web.StreamResponse:
        title = "This cannot be done now"
        if request.method == "POST":
            title = "Nothing was done: it cannot be done any more"
        html = trouble_page(self._frame(session), title, f"{error}.", error.advice)
        return self._answer(request, session, html, status=409)

    async def asked(self, request: web.Request) -> web.StreamResponse:
        """What was asked for by a form, and what became of it."""
        session = self._session(request) or self._begun(request)
        asked = session.asked.get(request.match_info["once"])
        if asked is None:
            raise web.HTTPNotFound(text="nothing was asked for by that form in this session")
        desk = self._desk()
        progress = await progress_of(desk.store, asked, desk.targets)
        return self._answer(
            request, session, asked_page(self._frame(session), asked, progress, desk.now)
        )

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Everything that can be done."""
        session = self._session(request) or self._begun(request)
        desk = self._desk()
        html = home_page(
            self._frame(session),
            await paused_targets(desk.store),
            desk.targets,
            await desk.store.census.held_first(20),
        )
        return self._answer(request, session, html)

    async def ask_in(self, request: web.Request) -> web.StreamResponse:
        """The form to sign in."""
        to = own_path(request.query.get("to", "/"))
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return _html(continue_page(self._window().shop, to))
        if self._session(request) is not None:
            return web.Response(status=303, headers={"Location": to})
        return _html(sign_in_page(self._window().shop, to))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Begin a session for the right token; answer a wrong one late, and say so."""
        form = await _form(request)
        to, name = own_path(form.get("to", "/")), person_name(form.get("name", ""))
        address, shop = address_of(request), self._window().shop
        wrong = self._sessions.wrong
        if (wait_s := wrong.wait_s(address)) > 0:
            trouble = f"A wrong token was given before. Wait {wait_s:.0f} s, then try again."
            answer = _html(sign_in_page(shop, to, name=name, trouble=trouble), 429)
            answer.headers["Retry-After"] = str(int(wait_s) + 1)
            return answer
        if not self._policy.is_token(form.get("token", "")):
            wait_s = wrong.add(address)
            log.warning("a wrong token was given on the page, from %s", address)
            await asyncio.sleep(WRONG_S)
            trouble = "That is not the token. It is server.token of the configuration."
            if wait_s > 2 * WRONG_S:
                trouble += f" Wait {wait_s:.0f} s before the next try."
            return _html(sign_in_page(shop, to, name=name, trouble=trouble), 401)
        wrong.forget(address)
        if (old := self._session(request)) is not None:
            self._sessions.end(old)
        session = self._sessions.begin(Asker(name or "the page", address))
        log.info("%s signed in on the page", session.person.text())
        return self._answer(request, session, location=to)

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """End the session."""
        session, form = self._session(request), await _form(request)
        if session is not None and session.sent(form.get("key", "")):
            self._sessions.end(session)
        answer = web.Response(status=303, headers={"Location": "/actions/sign-in"})
        answer.del_cookie(self._cookie, path="/")
        return answer

    def _begun(self, request: web.Request) -> Session:
        """A session for who came with the token itself, as HTTP Basic or as a bearer."""
        name = person_name(user_of(request.headers.get("Authorization", "")))
        person = Asker(name or "the page", address_of(request))
        return self._sessions.begin(person, by_token=True)

    def _frame(self, session: Session, once: str = "") -> Frame:
        return Frame(self._window().shop, session.person.text(), session.form_key, once)

    def _answer(
        self,
        request: web.Request,
        session: Session,
        html: str = "",
        *,
        status: int = 200,
        location: str = "",
    ) -> web.Response:
        """A page, or the way to one; a browser that lacks the cookie of the session gets it."""
        if location:
            answer = web.Response(status=303, headers={"Location": location})
        else:
            answer = _html(html, status)
        if request.cookies.get(self._cookie) != session.key:
            answer.set_cookie(
                self._cookie,
                session.key,
                max_age=self._sessions.life_s,
                path="/",
                httponly=True,
                samesite="Strict",
                secure=_is_https(request),
            )
        return answer


async def _form(request: web.Request) -> Mapping[str, str]:
    try:
        fields = await request.post()
    except (LookupError, ValueError):  # no such charset; bytes that are none of it
        raise web.HTTPBadRequest(
            text="Error: this form cannot be read: nothing was done\nTry: open the page again"
        ) from None
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _html(page: str, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=page.encode("utf-8", "replace"),
        content_type="text/html",
        charset="utf-8",
        headers=_HEADERS,
    )


def _is_https(request: web.Request) -> bool:
    """Whether the browser came by https, as far as it or a proxy says so."""
    origin = request.headers.get("Origin") or request.headers.get("Referer") or ""
    proxy = request.headers.get("X-Forwarded-Proto", "")
    return origin.startswith("https://") or proxy.strip().lower() == "https"


def address_of(request: web.Request) -> str:
    """Where a request comes from. Only a proxy on this machine is believed to know better."""
    own = request.remote or ""
    try:
        if not ipaddress.ip_address(own).is_loopback:
            return own
        chain = ",".join(request.headers.getall("X-Forwarded-For", []))
        said = chain.rpartition(",")[2].partition("%")[0].strip()  # no zone: any text may be one
        return str(ipaddress.ip_address(said)) if said else own
    except ValueError:
        return own
