"""Reports numbers that are not what they should be: health, journal, and what was reported (law 9).

`differences` in `differing.py` finds them with their reasons; `judge` in `core/differences.py`
decides which of them must be reported now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from invsyncd.core.differences import Difference, judge
from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Target
from invsyncd.planning.rulebook import Rulebook
from invsyncd.status.differing import differences
from invsyncd.status.health import Health
from invsyncd.store import Store
from invsyncd.store.differing import SUBJECT
from invsyncd.text import SHOPS


class Numbers:
    """Looks for numbers that are not right; journals each once and tells the health of all."""

    def __init__(self, store: Store, rulebook: Rulebook, health: Health) -> None:
        self._store = store
        self._rulebook = rulebook
        self._health = health
        self._since: Mapping[str, float] = {}
        self._reported: set[str] | None = None

    async def look(self, pass_id: str, now: float) -> None:
        """Look once; `now` is in Unix seconds."""
        if not self._health.baseline:
            return
        found = await differences(self._store, self._rulebook, int(now))
        if self._reported is None:
            async with self._store.transaction() as tx:
                self._reported = await self._store.reported.known(tx, SUBJECT)
        judged = judge(found, self._since, self._reported, now)
        self._since = judged.since
        due = [self._by_the_target(one) for one in judged.due]
        await self._journal(pass_id, due, now)
        self._health.numbers = tuple(due)
        self._health.numbers_since = {one.name: judged.since[one.name] for one in due}

    def _by_the_target(self, one: Difference) -> Difference:
        """The difference with the reason of the whole target, where it has none of its own."""
        health = self._health.targets.get(one.target)
        if health is None or one.because:
            return one
        if health.dead:
            because = f"{SHOPS[one.target]} does not take our writes: {health.trouble}"
            return replace(one, because=because, ends="`invsyncd check`", whole_target=True)
        return replace(one, because=health.trouble or "its write has not come to its end")

    async def _journal(self, pass_id: str, due: list[Difference], now: float) -> None:
        names = {one.name for one in due}
        if names == self._reported:
            return
        async with self._store.transaction() as tx:
            new = set(await self._store.reported.changed(tx, SUBJECT, names))
            entries = [_entry(one, self._since[one.name]) for one in due if one.name in new]
            await self._store.journal.add(tx, pass_id, int(now), entries)
        self._reported = names


def _entry(one: Difference, since: float) -> Entry:
    if one.target is Target.SHOPIFY:
        where: dict[str, object] = {"location": int(one.ids[1])}
    else:
        where = dict(zip(("product_id", "sku_id", "warehouse"), one.ids, strict=True))
    numbers: dict[str, object] = {
        "target": one.target.value,
        **where,
        "shown": one.shown,
        "should": None if one.undecided else one.should,
        "since": int(since),
        "because": one.because,
        "try": one.ends,
    }
    return Entry(EntryKind.DIFFERS, one.item, one.sku, numbers)
