"""The guard over a target: paused until a person resumes it, and what a resume allows.

Paused means no writes; readings and plans go on, so that what would be written stays visible.
"""

from __future__ import annotations

from invsyncd.config import Settings
from invsyncd.store import Store
from invsyncd.sync.guard import Limits, tripped
from invsyncd.sync.model import Entry, Target


class Pause:
    """Whether a target may be written to."""

    def __init__(self, settings: Settings, store: Store, target: Target) -> None:
        guard = settings.guard
        self._limits = Limits(guard.max_zeroed_percent, guard.max_changed_percent)
        self._store = store
        self._paused = f"paused:{target.value}"
        self._allowed = f"allowed:{target.value}"
        self._target = target

    async def reason(self) -> str:
        """Why the target is paused; empty when it is not."""
        return await self._store.facts.get(self._paused) or ""

    async def check(self, pass_id: str, now: int) -> str:
        """Pause the target if what it is owed now goes too far; returns why it is paused.

        After a resume everything that is owed may go out, until nothing is owed.
        """
        total, zeroed, changed = await self._store.listings.impact()
        if await self._store.facts.get(self._allowed) is not None:
            if changed == 0:
                async with self._store.transaction() as tx:
                    await self._store.facts.forget(tx, self._allowed)
            return ""
        reason = await self.reason() or tripped(self._limits, total, zeroed, changed)
        if reason and not await self.reason():
            entry = Entry("paused", None, "", {"target": self._target.value, "because": reason})
            async with self._store.transaction() as tx:
                await self._store.facts.set(tx, self._paused, reason)
                await self._store.journal.add(tx, pass_id, now, [entry])
        return reason

    async def resume(self, now: int) -> str:
        """Let it go on, with all that is owed now; returns why it was paused."""
        reason = await self.reason()
        if reason:
            entry = Entry("resumed", None, "", {"target": self._target.value})
            async with self._store.transaction() as tx:
                await self._store.facts.forget(tx, self._paused)
                await self._store.facts.set(tx, self._allowed, reason)
                await self._store.journal.add(tx, "by hand", now, [entry])
        return reason
