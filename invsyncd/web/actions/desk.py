"""What each page of an act shows, and what its form does: the same for all five acts.

The page is made from the state, and writes nothing. Its form brings back the fingerprint of what it
showed. It is compared with the state within the transaction that stores the request, so that
nothing can move in between.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from invsyncd.core.model import Target
from invsyncd.core.persons import Asker
from invsyncd.errors import InvsyncError
from invsyncd.planning.breaker import pause_target, resume_target
from invsyncd.planning.interventions import (
    MovedFact,
    ShownFacts,
    moved_facts,
    pausing,
    resolving,
    resuming,
    scanning,
    taking_back,
)
from invsyncd.planning.requests import Wish
from invsyncd.planning.rulebook import Rulebook
from invsyncd.store import Store
from invsyncd.store.database import Tx
from invsyncd.text import SHOPS, plural
from invsyncd.web.actions.frame import Shown
from invsyncd.web.actions.session import Asked, Session
from invsyncd.web.actions.shown import (
    pause_shown,
    resolve_shown,
    resume_shown,
    scan_shown,
    undo_shown,
)

log = logging.getLogger(__name__)

Carry = Callable[[Tx, int, Asker], Awaitable[int]]
"""Does the act in a transaction, at a Unix second, for a person; returns the id of a request."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act as it stands now: its page, how it is asked for, and in which words it was."""

    kind: str
    shown: Shown
    asked: str
    subject: str
    carry: Carry | None = None


class MovedOn(Exception):
    """The world is not what the form was shown from."""

    def __init__(self, act: Act, moves: list[MovedFact]) -> None:
        super().__init__(act.asked)
        self.act = act
        self.moves = moves


@dataclass(frozen=True, slots=True)
class ActDesk:
    """Works acts out, and carries them out. `now` is in Unix seconds."""

    store: Store
    rulebook: Rulebook
    targets: tuple[Target, ...]
    now: int

    async def act(self, kind: str, given: Mapping[str, str]) -> Act:
        """The act of this kind; InvsyncError where it cannot be done, or is not complete."""
        await self.store.refresh()  # commands commit beside us
        return await _MAKERS[kind](self, given)

    async def do(
        self, kind: str, given: Mapping[str, str], session: Session, seen: str, once: str
    ) -> Asked:
        """Carry an act out if nothing has moved since it was shown; MovedOn otherwise.

        A form that was carried out already is not carried out again.
        """
        async with self.store.transaction() as tx:
            if (before := session.asked.get(once)) is not None:
                return before
            act = await self.act(kind, given)
            if act.carry is None or act.shown.mark != seen:
                shown: ShownFacts = session.shown.get(seen, act.shown.facts)
                raise MovedOn(act, moved_facts(shown, act.shown.facts))
            request = await act.carry(tx, self.now, session.person)
        asked = Asked(kind, act.asked, self.now, session.person, request, act.subject)
        session.has_asked(once, asked)
        log.info("%s asks on the page: %s", session.person.text(), act.asked)
        return asked


async def _resolve(desk: ActDesk, given: Mapping[str, str]) -> Act:
    sku, use = _needed(given, "sku"), given.get("use", "").strip()
    rules = await desk.rulebook.rules()
    found = await resolving(desk.store, rules, sku, use, now=desk.now)
    carry = _leaves(desk.store, found.wish) if found.pool is not None else None
    return Act("resolve", resolve_shown(found), f"{sku} is {found.pool}", sku, carry)


async def _undo(desk: ActDesk, given: Mapping[str, str]) -> Act:
    rules = await desk.rulebook.rules()
    found = await taking_back(desk.store, rules, _needed(given, "pass"), desk.now)
    count = plural(len(found.plan.steps), "item")
    carry = _leaves(desk.store, found.wish) if found.plan.steps else None
    words = f"take {count} of pass {found.pass_id} back"
    return Act("undo", undo_shown(found), words, found.pass_id, carry)


async def _resume(desk: ActDesk, given: Mapping[str, str]) -> Act:
    target = _target(desk, given)
    found = await resuming(desk.store, target)
    if found is None:
        raise InvsyncError(
            f"{SHOPS[target]} is not paused: there is nothing to resume",
            advice="the status page shows what is owed",
        )

    async def carry(tx: Tx, now: int, person: Asker) -> int:
        await resume_target(tx, desk.store, target, now, person)
        return 0

    return Act("resume", resume_shown(found), f"resume {SHOPS[target]}", target.value, carry)


async def _pause(desk: ActDesk, given: Mapping[str, str]) -> Act:
    target = _target(desk, given)
    found = await pausing(desk.store, target)

    async def carry(tx: Tx, now: int, person: Asker) -> int:
        await pause_target(tx, desk.store, target, now, person)
        return 0

    shown = pause_shown(found)
    words = f"pause {SHOPS[target]}"
    return Act("pause", shown, words, target.value, carry if shown.button else None)


async def _scan(desk: ActDesk, _: Mapping[str, str]) -> Act:
    found = await scanning(desk.store)
    carry = None if found.asked else _leaves(desk.store, found.wish)
    return Act("scan", scan_shown(found), "scan the whole shop", "", carry)


_MAKERS: Mapping[str, Callable[[ActDesk, Mapping[str, str]], Awaitable[Act]]] = {
    "resolve": _resolve,
    "undo": _undo,
    "resume": _resume,
    "pause": _pause,
    "scan": _scan,
}
KINDS = tuple(_MAKERS)


def _leaves(store: Store, wish: Wish) -> Carry:
    async def carry(tx: Tx, now: int, person: Asker) -> int:
        return await wish.leave(tx, store, now, person)

    return carry


def _needed(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    if not value:
        raise InvsyncError(
            f'the address of this page lacks "{name}"',
            advice="open it by a link of the status page",
        )
    return value


def _target(desk: ActDesk, given: Mapping[str, str]) -> Target:
    name = _needed(given, "target")
    for target in desk.targets:
        if target.value == name:
            return target
    names = " or ".join(target.value for target in desk.targets)
    raise InvsyncError(f'there is no target "{name}"', advice=f"it is {names}")
