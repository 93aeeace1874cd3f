"""The circuit breaker of a target: pauses writes that go too far, until a person decides.

A paused target is not written. Readings and plans go on, so that people see what would be written.
The guard's pause names the passes that made its numbers, so that people can take them back. It ends
when a person resumes the target, when an undo leaves nothing that goes too far, and when nothing is
owed. A person may pause a target too: such a pause ends only when a person resumes the target.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from invsyncd.config import Settings
from invsyncd.core.guard import GuardLimits, Impact, Pause, beyond, left, passes_named, tripped
from invsyncd.core.journal import EntryKind, counts_stock, moves_pool
from invsyncd.core.model import Entry, Target
from invsyncd.core.persons import UNNAMED, Asker
from invsyncd.store import Store
from invsyncd.store.database import Tx
from invsyncd.store.owed import OwedItem
from invsyncd.text import utc_moment, ways_out

ITEMS_MAX = 500  # items whose last change is looked up when a target is paused
LINES_MAX = 10  # journal lines of each that are looked at
CAUSE_S = 3600  # what was counted before that did not make a pass go too far now

BY_HAND = "by hand"  # stands for the pass in lines that no pass made
NOTHING_OWED = "nothing is owed any more"
TAKEN_BACK = "what went too far was taken back"


class CircuitBreaker:
    """Whether a target may be written to."""

    def __init__(self, settings: Settings, store: Store, target: Target) -> None:
        guard = settings.guard
        self._limits = GuardLimits(guard.max_zeroed_percent, guard.max_changed_percent)
        self._store = store
        self._paused = _paused(target)
        self._passes = _passes(target)
        self._allowed = f"allowed:{target.value}"
        self._target = target

    async def pause(self) -> Pause | None:
        """Why the target is paused, and by which passes; None when it is not."""
        return await pause_of(self._store, self._target)

    async def reason(self) -> str:
        """Why the target is paused; empty when it is not."""
        return await why_paused(self._store, self._target)

    async def check(self, tx: Tx, pass_id: str, now: int) -> str:
        """Pause the target if the owed writes go too far; returns why it is paused.

        The check runs in the transaction that planned the writes, so that every plan is checked.
        Writes that a person allowed may go out. Only those that were added since are checked.
        """
        owed = await self._store.impacts.of(self._target, tx)
        by_hand = await _hand_reason(self._store, self._target, tx)
        if reason := await _guards_reason(self._store, self._target, tx):
            if owed.changed:
                return f"{reason}; {by_hand}" if by_hand else reason
            await self._end(tx, pass_id, now, NOTHING_OWED)
            return by_hand
        allowed = await self._still_allowed(tx, owed)
        reason = tripped(self._limits, self._target, beyond(allowed, owed))
        if reason:
            passes = await self._causes(tx, now)
            numbers: dict[str, object] = {"target": self._target.value, "because": reason}
            numbers["passes"] = list(passes)
            entry = Entry(EntryKind.PAUSED, None, "", numbers)
            await self._store.meta.set(tx, self._paused, reason)
            await self._store.meta.set(tx, self._passes, json.dumps(passes))
            await self._store.journal.add(tx, pass_id, now, [entry])
        return "; ".join(part for part in (reason, by_hand) if part)

    async def taken_back(self, tx: Tx, pass_id: str, now: int, items: Collection[int]) -> None:
        """End the guard's pause if what is owed beside the items of an undo does not go too far.

        What the undo itself owes is what a person asked for, so it may go out.
        """
        if not items or not await _guards_reason(self._store, self._target, tx):
            return
        rest = [x for x in await self._store.impacts.items(self._target, tx) if x.item not in items]
        owed = await self._store.impacts.of(self._target, tx)
        if not tripped(self._limits, self._target, _impact(rest, owed.total)):
            await self._end(tx, pass_id, now, TAKEN_BACK if owed.changed else NOTHING_OWED)
            if owed.changed:
                await self._store.meta.set(tx, self._allowed, _as_text(owed))

    async def _end(self, tx: Tx, pass_id: str, now: int, because: str) -> None:
        for key in (self._paused, self._passes, self._allowed):
            await self._store.meta.forget(tx, key)
        numbers: dict[str, object] = {"target": self._target.value, "because": because}
        entry = Entry(EntryKind.RESUMED, None, "", numbers)
        await self._store.journal.add(tx, pass_id, now, [entry])

    async def _causes(self, tx: Tx, now: int) -> tuple[str, ...]:
        """The passes that gave the owed items the numbers that go too far."""
        owed = await self._store.impacts.items(self._target, tx)
        worst = [one for one in owed if one.zeroed] or owed
        found = [await self._cause(tx, one, now) for one in worst[:ITEMS_MAX]]
        return passes_named(name for name in found if name)

    async def _cause(self, tx: Tx, one: OwedItem, now: int) -> str:
        """The pass whose undo would give the item its earlier number; "" if there is none.

        Orders stay counted in an undo, so a pass that counted only orders of the item is none.
        """
        lines = await self._store.journal.moves_of(tx, one.item, one.sku, now - CAUSE_S, LINES_MAX)
        for line in (x for x in lines if moves_pool(x)):
            if counts_stock(line):
                falls = line["pool"] < line["pool_before"]
                return str(line["pass"]) if falls or not one.zeroed else ""
        return ""

    async def _still_allowed(self, tx: Tx, owed: Impact) -> Impact:
        """What is left of the writes that a person allowed; forgotten once all are delivered."""
        text = await self._store.meta.get(self._allowed, tx)
        if text is None:
            return Impact(0, 0, 0)
        try:
            zeroed, changed = json.loads(text)
            before = Impact(0, int(zeroed), int(changed))
        except (ValueError, TypeError):  # an older version stored the reason and allowed everything
            before = owed
        allowed = left(before, owed)
        if not allowed.changed:
            await self._store.meta.forget(tx, self._allowed)
        elif _as_text(allowed) != text:
            await self._store.meta.set(tx, self._allowed, _as_text(allowed))
        return allowed

    async def resume(self, now: int, person: Asker = UNNAMED) -> str:
        """Allow all writes that are owed now; returns why the target was paused."""
        async with self._store.transaction() as tx:
            return await resume_target(tx, self._store, self._target, now, person)


async def resume_target(
    tx: Tx, store: Store, target: Target, now: int, person: Asker = UNNAMED
) -> str:
    """End every pause of a target and allow what is owed now; returns why it was paused."""
    reason = await why_paused(store, target, tx)
    if reason:
        numbers: dict[str, object] = {"target": target.value, **person.numbers()}
        owed = await store.impacts.of(target, tx)
        for key in (_paused(target), _passes(target), _by_hand(target)):
            await store.meta.forget(tx, key)
        await store.meta.set(tx, f"allowed:{target.value}", _as_text(owed))
        await store.journal.add(tx, BY_HAND, now, [Entry(EntryKind.RESUMED, None, "", numbers)])
    return reason


async def pause_target(
    tx: Tx, store: Store, target: Target, now: int, person: Asker = UNNAMED
) -> bool:
    """Pause a target because a person says so; returns False where a person did already."""
    if await store.meta.get(_by_hand(target), tx) is not None:
        return False
    numbers: dict[str, object] = {"target": target.value, "by_hand": True, **person.numbers()}
    await store.meta.set(tx, _by_hand(target), json.dumps({"at": now, **person.numbers()}))
    await store.journal.add(tx, BY_HAND, now, [Entry(EntryKind.PAUSED, None, "", numbers)])
    return True


async def pause_of(store: Store, target: Target, tx: Tx | None = None) -> Pause | None:
    """Why a target is paused, and by which passes; None when it is not."""
    because = await _guards_reason(store, target, tx)
    by_hand = await _hand_words(store, target, tx)
    if not (because or by_hand):
        return None
    passes = json.loads(await store.meta.get(_passes(target), tx) or "[]") if because else ()
    return Pause(because, tuple(str(name) for name in passes), by_hand)


async def why_paused(store: Store, target: Target, tx: Tx | None = None) -> str:
    """Why a target is paused; empty when it is not. With `tx`, as that transaction left it."""
    pause = await pause_of(store, target, tx)
    return "" if pause is None else pause.reason


async def may_write(store: Store, target: Target, tx: Tx) -> bool:
    """Whether nobody and nothing has paused the target, as this transaction knows it."""
    return await pause_of(store, target, tx) is None


def pause_text(target: Target, pause: Pause | None) -> str:
    """Why a target is paused, with the ways out of it; empty when it is not paused."""
    if pause is None:
        return ""
    if not pause.because:
        return f"{pause_says(target.value, pause)}; {pause_ends(target, pause)}"
    return f"{pause_says(target.value, pause)}. {pause_ends(target, pause)}"


def pause_says(name: str, pause: Pause) -> str:
    """That a target is paused, by whom or why; `name` is how the sentence calls the target."""
    if not pause.because:
        return f"{name} is paused by {pause.by_hand}"
    return f"{name} is paused: {pause.reason}"


def pause_ends(target: Target, pause: Pause) -> str:
    """What ends the pause: both ways out of the guard's, the safe one first."""
    if not pause.because:
        return f"`invsyncd resume {target.value}` ends it"
    return ways_out(target.value, pause.passes)


async def _guards_reason(store: Store, target: Target, tx: Tx | None = None) -> str:
    return await store.meta.get(_paused(target), tx) or ""


async def _hand_reason(store: Store, target: Target, tx: Tx | None = None) -> str:
    words = await _hand_words(store, target, tx)
    return f"paused by {words}" if words else ""


async def _hand_words(store: Store, target: Target, tx: Tx | None = None) -> str:
    """Who paused the target and when: `Anna from 10.0.0.7 at …`, or `hand at …`."""
    text = await store.meta.get(_by_hand(target), tx)
    if text is None:
        return ""
    found = json.loads(text)
    return f"{Asker.of(found).text('hand')} at {utc_moment(int(found['at']))}"


def _impact(owed: Collection[OwedItem], total: int) -> Impact:
    return Impact(total, sum(one.zeroed for one in owed), len(owed))


def _paused(target: Target) -> str:
    return f"paused:{target.value}"


def _passes(target: Target) -> str:
    return f"paused_by:{target.value}"


def _by_hand(target: Target) -> str:
    return f"paused_by_hand:{target.value}"


def _as_text(allowed: Impact) -> str:
    return json.dumps([allowed.zeroed, allowed.changed])
