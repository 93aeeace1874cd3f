"""The guard over a target: paused until a person resumes it, and what a resume allows.

Paused means no writes; readings and plans go on, so that what would be written stays visible.
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
        """Pause the target if what it is owed now goes too far; returns why it is paused.

        Within the transaction that planned it: nothing is ever planned and not judged. What a
        person let go may go out; what has come on top since is judged by itself.
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
        """What is left of what a person let go; forgotten when all of it was delivered."""
        text = await self._store.meta.get(self._allowed)
        if text is None:
            return Impact(0, 0, 0)
        try:
            zeroed, changed = json.loads(text)
            before = Impact(0, int(zeroed), int(changed))
        except (ValueError, TypeError):  # an older version kept the reason: all of it was let go
            before = owed
        allowed = left(before, owed)
        if not allowed.changed:
            await self._store.meta.forget(tx, self._allowed)
        elif _text(allowed) != text:
            await self._store.meta.set(tx, self._allowed, _text(allowed))
        return allowed

    async def resume(self, now: int) -> str:
        """Let it go on, with all that is owed now; returns why it was paused."""
        reason = await self.reason()
        if reason:
            entry = Entry(EntryKind.RESUMED, None, "", {"target": self._target.value})
            async with self._store.transaction() as tx:
                owed = await self._store.impacts.of(self._target, tx)
                await self._store.meta.forget(tx, self._paused)
                await self._store.meta.set(tx, self._allowed, _text(owed))
                await self._store.journal.add(tx, "by hand", now, [entry])
        return reason


async def why_paused(store: Store, target: Target) -> str:
    """Why a target is paused; empty when it is not."""
    return await store.meta.get(_paused(target)) or ""


def _paused(target: Target) -> str:
    return f"paused:{target.value}"


def _text(allowed: Impact) -> str:
    return json.dumps([allowed.zeroed, allowed.changed])
