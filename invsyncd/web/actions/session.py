"""Who is signed in, for how long, and who gave a wrong token how often: all of it in memory.

A session is a random text in a cookie. It ends when its time is over, when its person signs out,
and with the process. It keeps what its person was shown, so that a page can say what moved since,
and what he asked for, so that a form that is sent twice is carried out once. No I/O, no clock.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from invsyncd.core.persons import Asker
from invsyncd.planning.interventions import ShownFacts

LIFE_S = 8 * 3600.0
SESSIONS_MAX = 100
SHOWN_MAX = 20  # pages of a session whose facts are kept, of at most so many facts each
FACTS_MAX = 2000
ASKED_MAX = 50
ADDRESSES_MAX = 1000
WAIT_S_MAX = 60.0
EVERYWHERE_MAX = 30  # wrong tokens in a row from anywhere, before all have to wait

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that was asked for: in which words, when, and how its end can be seen.

    `request` is the id of the request in the store, 0 where it was done at once.
    """

    kind: str
    title: str
    at: int
    person: Asker
    request: int = 0
    subject: str = ""
    """The SKU, the pass or the target."""


@dataclass(slots=True)
class Session:
    """One signed-in browser. `key` is the secret of its cookie, `form_key` that of its forms."""

    key: str
    form_key: str
    person: Asker
    ends_at: float
    by_token: bool = False
    """Whether it was begun by the token in a header, and not at the form."""
    shown: OrderedDict[str, ShownFacts] = field(default_factory=OrderedDict)
    asked: OrderedDict[str, Asked] = field(default_factory=OrderedDict)

    def has_shown(self, mark: str, facts: ShownFacts) -> None:
        """Keep what a page showed, by its fingerprint."""
        if len(facts) <= FACTS_MAX:
            _keep(self.shown, mark, facts, SHOWN_MAX)

    def has_asked(self, once: str, asked: Asked) -> None:
        """Keep what was asked for by a form, by the form's own number."""
        _keep(self.asked, once, asked, ASKED_MAX)

    def sent(self, form_key: str) -> bool:
        """Whether a form has the key of this session."""
        return hmac.compare_digest(form_key.encode("utf-8", "replace"), self.form_key.encode())


class Sessions:
    """All sessions of a server, the oldest first. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float], life_s: float = LIFE_S) -> None:
        self._clock = clock
        self._life_s = life_s
        self._open: OrderedDict[str, Session] = OrderedDict()
        self.wrong = WrongTokens(clock)

    @property
    def life_s(self) -> int:
        """For how many seconds somebody stays signed in."""
        return int(self._life_s)

    def begin(self, person: Asker, *, by_token: bool = False) -> Session:
        """Sign somebody in. Whoever sends the token each time keeps the session that he has."""
        if by_token:
            for session in list(self._open.values()):
                if session.by_token and session.person == person and self.of(session.key):
                    return session
        session = Session(
            secrets.token_urlsafe(32),
            secrets.token_urlsafe(32),
            person,
            self._clock() + self._life_s,
            by_token,
        )
        _keep(self._open, session.key, session, SESSIONS_MAX)
        return session

    def of(self, key: str) -> Session | None:
        """The session with this key, while it lasts."""
        session = self._open.get(key)
        if session is not None and session.ends_at <= self._clock():
            del self._open[key]
            return None
        return session

    def end(self, session: Session) -> None:
        """Sign somebody out."""
        self._open.pop(session.key, None)


class WrongTokens:
    """Slows guessing down: each wrong token in a row doubles the wait of its address."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_address: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._everywhere = (0, 0.0)

    def wait_s(self, address: str) -> float:
        """How many seconds this address must wait before it may try again."""
        _, until = self._by_address.get(address, (0, 0.0))
        count, all_until = self._everywhere
        until = max(until, all_until if count > EVERYWHERE_MAX else 0.0)
        return max(until - self._clock(), 0.0)

    def add(self, address: str) -> float:
        """Note a wrong token; returns the seconds that the address must wait now."""
        now = self._clock()
        count = self._by_address.get(address, (0, 0.0))[0] + 1
        wait_s = min(2.0 ** min(count - 1, 16), WAIT_S_MAX)
        _keep(self._by_address, address, (count, now + wait_s), ADDRESSES_MAX)
        self._everywhere = (self._everywhere[0] + 1, now + 1.0)
        return self.wait_s(address)

    def forget(self, address: str) -> None:
        """Somebody there gave the right token."""
        self._by_address.pop(address, None)
        self._everywhere = (0, 0.0)


def _keep(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """Keep a value; the oldest gives way if there are too many."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > most:
        kept.popitem(last=False)
