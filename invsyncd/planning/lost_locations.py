"""Notices mirrored locations that leave the mirror although nobody changed the configuration.

A location is deactivated, gets a name that is left out, or is handed to a fulfilment service. Its
levels are not written from then on, so that is news (law 9). A changed configuration is none.
"""

from __future__ import annotations

import json
import logging

from invsyncd.config import Settings
from invsyncd.core.fold import Scope
from invsyncd.core.lost_levels import LostLevel, location_entries, why_location_left
from invsyncd.store import Store
from invsyncd.text import plural

log = logging.getLogger(__name__)

MIRRORED = "mirrored"  # the locations of the last pass, as JSON, with the configuration of then
NAMED_MAX = 3


async def watch_mirrored(
    store: Store,
    settings: Settings,
    scope: Scope,
    *,
    pass_id: str,
    now: int,
) -> None:
    """Compare the mirrored locations with those of the last pass; journal and keep what differs."""
    mirror = settings.mirror
    configured = [mirror.enabled, sorted(mirror.locations), sorted(mirror.exclude_locations)]
    text = json.dumps({"by": configured, "locations": sorted(scope.locations)})
    stored = await store.meta.get(MIRRORED)
    if text == stored:
        return
    before = json.loads(stored) if stored else {"by": None, "locations": []}
    is_ours = before["by"] == configured
    names = {known.location.id: known.location for known in await store.locations.all()}
    gone = sorted(set(before["locations"]) - scope.locations) if is_ours else []
    lost = [LostLevel(0, x, why_location_left(names[x])) for x in gone if x in names]
    news = {x.location for x in await store.lost_levels.news(now) if x.item == 0}
    back = sorted(news & scope.locations) if is_ours else []
    async with store.transaction() as tx:
        if not is_ours:
            await store.lost_levels.forget_locations(tx)
        await store.lost_levels.lose(tx, lost, now)
        await store.lost_levels.find(tx, [(0, x) for x in back])
        await store.journal.add(tx, pass_id, now, location_entries(lost, back))
        await store.meta.set(tx, MIRRORED, text)
    for one in lost:
        log.warning('location "%s" is not mirrored any more: %s', names[one.location].name, one.why)


async def lost_level_notes(store: Store, now: int) -> list[str]:
    """What people should know of levels and locations that are not mirrored any more."""
    lost = await store.lost_levels.news(now)
    if not lost:
        return []
    names = await store.locations.names()
    notes = [
        f'location "{names.get(x.location, x.location)}" is not mirrored any more: {x.why}'
        for x in lost
        if not x.item
    ]
    levels = [x for x in lost if x.item]
    if levels:
        first = ", ".join(
            f"{x.sku or f'item {x.item}'} at {names.get(x.location, x.location)}"
            for x in levels[:NAMED_MAX]
        )
        more = f" … and {len(levels) - NAMED_MAX} more" if len(levels) > NAMED_MAX else ""
        count = plural(len(levels), "level was", "levels were")
        notes.append(f"{count} mirrored and is not any more: {first}{more}; {levels[0].why}")
    return notes
