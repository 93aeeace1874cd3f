"""The circuit breaker of a target: pauses writes that go too far, until a person resumes them.

A paused target is not written. Readings and plans go on, so that people see what would be written.
"""

from __future__ import annotations

import json

from invsyncd.config import Settings
from invsyncd.core.guard import GuardLimits, Impact, beyond, left, tripped
from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Target
from invsyncd.store import Store
from invsyncd.store.database import Tx


class CircuitBreaker:
    """Whether a target may be written to."""

    def __init__(self, settings: Settings, store: Store, target: Target) -> None:
        guard = settings.guard
        self._limits = GuardLimits(guard.max_zeroed_percent, guard.max_changed_percent)
        self._store = store
        self._paused = _paused(target)
        self._allowed = f"allowed:{target.value}"
        self._target = target

    async def reason(self) -> str:
        """Why the target is paused; empty when it is not."""
        return await why_paused(self._store, self._target)

    async def check(self, tx: Tx, pass_id: str, now: int) -> str:
        """Pause the target if the owed writes go too far; returns why it is paused.

        The check runs in the transaction that planned the writes, so that every plan is checked.
        Writes that a person allowed may go out. Only those that were added since are checked.
        """
        if reason := await self.reason():
            return reason
        owed = await self._store.impacts.of(self._target, tx)
        allowed = await self._still_allowed(tx, owed)
        reason = tripped(self._limits, self._target, beyond(allowed, owed))
        if reason:
            numbers: dict[str, object] = {"target": self._target.value, "because": reason}
            entry = Entry(EntryKind.PAUSED, None, "", numbers)
            await self._store.meta.set(tx, self._paused, reason)
            await self._store.journal.add(tx, pass_id, now, [entry])
        return reason

    async def _still_allowed(self, tx: Tx, owed: Impact) -> Impact:
        """What is left of the writes that a person allowed; forgotten once all are delivered."""
        text = await self._store.meta.get(self._allowed)
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

    async def resume(self, now: int) -> str:
        """Allow all writes that are owed now; returns why the target was paused."""
        reason = await self.reason()
        if reason:
            entry = Entry(EntryKind.RESUMED, None, "", {"target": self._target.value})
            async with self._store.transaction() as tx:
                owed = await self._store.impacts.of(self._target, tx)
                await self._store.meta.forget(tx, self._paused)
                await self._store.meta.set(tx, self._allowed, _as_text(owed))
                await self._store.journal.add(tx, "by hand", now, [entry])
        return reason


async def why_paused(store: Store, target: Target) -> str:
    """Why a target is paused; empty when it is not."""
    return await store.meta.get(_paused(target)) or ""


def _paused(target: Target) -> str:
    return f"paused:{target.value}"


def _as_text(allowed: Impact) -> str:
    return json.dumps([allowed.zeroed, allowed.changed])
