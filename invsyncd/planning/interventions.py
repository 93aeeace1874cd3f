"""What a person's act would do, worked out from the state: for the commands and for the page.

Each act is shown before it is asked for. Its `facts` are what it was shown from, as pairs of words;
whoever asks for it later compares them with those of that moment (`moved_facts`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from invsyncd.core.guard import Pause
from invsyncd.core.interventions import Choice, choices, resolution
from invsyncd.core.model import ItemState, Target
from invsyncd.core.plan import Effect, Shift
from invsyncd.errors import InvsyncError
from invsyncd.planning.breaker import pause_of
from invsyncd.planning.passes import pass_meant
from invsyncd.planning.requests import (
    SCAN,
    Wish,
    by_name,
    wish_to_resolve,
    wish_to_scan,
    wish_to_undo,
)
from invsyncd.planning.rulebook import warehouse_names
from invsyncd.planning.rules import Rules
from invsyncd.planning.shifts import level_shifts, offer_shifts
from invsyncd.planning.undo import Undoing, undoing
from invsyncd.store import Store
from invsyncd.text import SHOPS, command, plain

ShownFacts: TypeAlias = Mapping[str, str]
"""What somebody was shown before he asked for something: what it is about, and what it said."""


@dataclass(frozen=True, slots=True)
class Resolving:
    """A hold, or an item whose levels differ, with its choices; and what one of them would do.

    `pool` and `shifts` are those of the choice `use`; without one there are none.
    """

    item: int
    sku: str
    choices: tuple[Choice, ...]
    levels: Mapping[str, int]
    use: str = ""
    pool: int | None = None
    shifts: tuple[Shift, ...] = ()

    @property
    def wish(self) -> Wish:
        """The request for the pass."""
        return wish_to_resolve(self.item, self.use)

    @property
    def facts(self) -> ShownFacts:
        """The readings, the choices and what would be written."""
        found = {f"{name} shows": plain(units) for name, units in self.levels.items()}
        found |= {f"“{one.name}” gives": plain(one.units) for one in self.choices}
        found |= _moves(self.shifts)
        return found if self.pool is None else {"the new number": plain(self.pool), **found}


async def resolving(
    store: Store, rules: Rules, sku: str, use: str = "", *, now: int = 0
) -> Resolving:
    """What `resolve` would do; InvsyncError where there is nothing to resolve, or no such choice.

    Without `use` only the choices are worked out.
    """
    state = await _only_item(store, sku)
    names = await store.locations.names()
    mirrored = rules.scope.locations
    found = Resolving(
        state.item.id,
        sku,
        choices(state, mirrored, names),
        {
            names.get(x.location, str(x.location)): x.available
            for _, x in sorted(state.levels.items())
            if x.active and x.location in mirrored
        },
    )
    try:
        pool = resolution(state, use or "lowest", rules.scope, by_name(names))
    except ValueError as error:
        advice = f"`{command('explain', sku=sku)}` shows its levels"
        raise InvsyncError(str(error), advice=advice) from None
    if not use:
        return found
    levels = level_shifts(state, pool, rules, names)
    offers = await offer_shifts(store, rules, state, pool, now)
    offers = _with_names(offers, await warehouse_names(store))
    shifts = tuple(_changing([*levels, *offers]))
    return Resolving(found.item, sku, found.choices, found.levels, use, pool, shifts)


async def _only_item(store: Store, sku: str) -> ItemState:
    items = (await store.levels.items_of_skus({sku})).get(sku, [])
    if len(items) != 1:
        raise InvsyncError(
            f'{len(items)} items have the SKU "{sku}"',
            advice="check upper and lower case: SKUs are compared exactly; `invsyncd check`"
            " lists shared ones",
        )
    return (await store.levels.states(items))[items[0]]


@dataclass(frozen=True, slots=True)
class TakingBack:
    """What an undo of a pass would do, and which targets are paused meanwhile."""

    pass_id: str
    plan: Undoing
    pauses: Mapping[Target, Pause] = field(default_factory=dict)
    warehouses: Mapping[str, str] = field(default_factory=dict)
    """The names of TikTok's warehouses, by id."""

    @property
    def wish(self) -> Wish:
        """The request for the pass."""
        return wish_to_undo(self.pass_id, [step.item for step in self.plan.steps])

    @property
    def shifts(self) -> list[Shift]:
        """Every number that would change."""
        return list(_changing(shift for step in self.plan.steps for shift in step.shifts))

    @property
    def facts(self) -> ShownFacts:
        """The plan: what goes back, what stays as it is, and what would be written."""
        found = {
            f"{step.sku} goes back": f"{plain(step.pool_from)} → {plain(step.pool_to)}"
            for step in self.plan.steps
        }
        found |= {f"{one.sku} stays as it is": one.because for one in self.plan.refused}
        return {**found, **_moves(self.named_shifts)}

    @property
    def named_shifts(self) -> list[Shift]:
        """The same with the names of warehouses in place of their ids."""
        return _with_names(self.shifts, self.warehouses)


async def taking_back(store: Store, rules: Rules, name: str, now: int) -> TakingBack:
    """What `undo` would do with the pass that `name` means; InvsyncError where it means none."""
    pass_id = await pass_meant(store, name)
    found = await undoing(store, rules, pass_id, now)
    pauses, names = await paused_targets(store), await warehouse_names(store)
    return TakingBack(pass_id, found, pauses, names)


async def paused_targets(store: Store) -> dict[Target, Pause]:
    """Every paused target, and why."""
    return {t: pause for t in Target if (pause := await pause_of(store, t)) is not None}


@dataclass(frozen=True, slots=True)
class Resuming:
    """A paused target, and everything that is owed to it."""

    target: Target
    pause: Pause
    shifts: tuple[Shift, ...]

    @property
    def facts(self) -> ShownFacts:
        """Why it is paused, and the owed writes."""
        return {f"{SHOPS[self.target]} is paused": self.pause.reason, **_moves(self.shifts)}


async def resuming(store: Store, target: Target) -> Resuming | None:
    """What `resume` would let go; None where the target is not paused."""
    pause = await pause_of(store, target)
    if pause is None:
        return None
    return Resuming(target, pause, await _owed(store, target))


@dataclass(frozen=True, slots=True)
class Pausing:
    """A target that a person may pause, and what is owed to it now and would wait."""

    target: Target
    shifts: tuple[Shift, ...]
    pause: Pause | None = None

    @property
    def facts(self) -> ShownFacts:
        """Whether it is paused already. What is owed changes all the time, and does not matter."""
        return {f"{SHOPS[self.target]} is paused": self.pause.reason if self.pause else "no"}


async def pausing(store: Store, target: Target) -> Pausing:
    """What `pause` would stop."""
    return Pausing(target, await _owed(store, target), await pause_of(store, target))


@dataclass(frozen=True, slots=True)
class Scanning:
    """A full scan that a person may ask for."""

    items: int
    locations: int
    asked: bool

    @property
    def wish(self) -> Wish:
        """The request for the daemon."""
        return wish_to_scan()

    @property
    def facts(self) -> ShownFacts:
        """Whether one is asked for already."""
        return {"a full scan is asked for": "yes" if self.asked else "no"}


async def scanning(store: Store) -> Scanning:
    """What `scan` would read."""
    places = [x for x in await store.locations.all() if x.location.active]
    asked = bool(await store.requests.open(SCAN))
    return Scanning(await store.census.items(), len(places), asked)


async def _owed(store: Store, target: Target) -> tuple[Shift, ...]:
    rows = await store.impacts.rows(target)
    owed = [Shift(target, row.sku, row.where, row.before, row.after) for row in rows]
    return tuple(_with_names(owed, await warehouse_names(store)))


def _with_names(shifts: Sequence[Shift], warehouses: Mapping[str, str]) -> list[Shift]:
    """The shifts with the names of TikTok's warehouses in place of their ids."""
    return [
        replace(s, place=warehouses.get(s.place, s.place)) if s.target is Target.TIKTOK else s
        for s in shifts
    ]


def _changing(shifts: Iterable[Shift]) -> Iterable[Shift]:
    return (shift for shift in shifts if shift.effect is not Effect.UNCHANGED)


def _moves(shifts: Iterable[Shift]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in shifts:
        label = f"{one.sku}, {SHOPS[one.target]} {one.place}"
        if label in found:  # two items, or two listings, of one SKU
            label = f"{label} {json.dumps(dict(one.key), sort_keys=True)}"
        found[label] = f"{plain(one.before)} → {plain(one.after)}"
    return found


def facts_mark(facts: ShownFacts) -> str:
    """A short text that is another one where any of the facts is."""
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class MovedFact:
    """One fact that is not what it was; None where it was not there, or is not there any more."""

    label: str
    before: str | None
    now: str | None


def moved_facts(before: ShownFacts, now: ShownFacts) -> list[MovedFact]:
    """What moved between the two, in the order of what is there now."""
    labels = [*now, *(label for label in before if label not in now)]
    return [
        MovedFact(label, before.get(label), now.get(label))
        for label in labels
        if before.get(label) != now.get(label)
    ]
