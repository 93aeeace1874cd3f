"""Finds the rows that spoil a call, where Shopify does not say which row it refused.

A call is all or nothing. So a refused call is sent again in halves, each under a key of its own,
until the row is found; all other rows are written. Where the first rows that are sent alone are
all refused and nothing is written, the call itself is the cause, and its rows wait together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from invsyncd.core.clocks import WallSeconds
from invsyncd.core.model import Attempt, LevelWrite
from invsyncd.shopify.target import NotApplied
from invsyncd.store import Store

ALONE_MAX = 3  # so many rows refused alone, and none written: the call is the cause
HALVED_MAX = 64  # calls that are halved because of one call

Send = Callable[[Attempt], Awaitable[Sequence[LevelWrite] | None]]


@dataclass(slots=True)
class Search:
    """The search for the rows that spoiled one call."""

    alone: int = 0
    wrote: bool = False
    halved: int = 0

    def goes_on(self, attempt: Attempt) -> bool:
        """Whether this refused call is to be halved."""
        hopeless = self.alone >= ALONE_MAX and not self.wrote
        return len(attempt.rows) > 1 and self.halved < HALVED_MAX and not hopeless


class SplitCalls:
    """Sends refused calls in halves. `apart` has the items with a row that spoiled a call."""

    def __init__(
        self, store: Store, new_key: Callable[[], str], wall: Callable[[], WallSeconds]
    ) -> None:
        self._store = store
        self._new_key = new_key
        self._wall = wall
        self._spoiling: set[tuple[int, int]] = set()

    @property
    def apart(self) -> frozenset[int]:
        """Items whose rows get calls of their own: one of them spoiled its last call."""
        return frozenset(item for item, _ in self._spoiling)

    def refused(self, attempt: Attempt, outcome: NotApplied, search: Search) -> NotApplied:
        """The outcome of a call that is not halved: all its rows are refused.

        Only of a row that was sent alone the code says why.
        """
        error = outcome.unnamed or ("", "")
        if len(attempt.rows) > 1:
            error = ("", " ".join(error).strip())
        else:
            search.alone += 1
            self._spoiling.add((attempt.rows[0].item, attempt.rows[0].location))
        return replace(outcome, refused=dict.fromkeys(range(len(attempt.rows)), error))

    def written(self, rows: Sequence[LevelWrite]) -> None:
        """Note that these rows were written; they spoil no call any more."""
        self._spoiling.difference_update((row.item, row.location) for row in rows)

    async def halves(
        self, attempt: Attempt, search: Search, send: Send
    ) -> Sequence[LevelWrite] | None:
        """Send the two halves of a refused call. Returns the rows that were written.

        Returns None while the outcome of a half is unknown.
        """
        search.halved += 1
        middle, now = len(attempt.rows) // 2, int(self._wall())
        halves = [
            Attempt(self._new_key(), attempt.pass_id, now, rows)
            for rows in (attempt.rows[:middle], attempt.rows[middle:])
        ]
        async with self._store.transaction() as tx:
            await self._store.attempts.end(tx, attempt)
            await self._store.attempts.add(tx, halves)
        written: list[LevelWrite] = []
        is_unknown = False
        for half in halves:
            rows = await send(half)
            is_unknown = is_unknown or rows is None
            written += rows or ()
            search.wrote = search.wrote or bool(rows)
        return None if is_unknown else written
