"""What was told, kept in the state database: a restart repeats nothing."""

from __future__ import annotations

import json
from typing import Any

from invsyncd.alerts.model import Memory, Told
from invsyncd.errors import StateError
from invsyncd.store import Store

KEY = "alerts"


async def remembered(store: Store) -> Memory:
    """What was told before; nothing where it cannot be read."""
    try:
        text = await store.facts.get(KEY)
        return _from_json(json.loads(text)) if text else Memory()
    except (StateError, ValueError, TypeError, KeyError, AttributeError):
        return Memory()


async def keep(store: Store, memory: Memory) -> bool:
    """Remember over a restart; returns whether the database could."""
    try:
        async with store.transaction() as tx:
            await store.facts.set(tx, KEY, json.dumps(_to_json(memory)))
    except StateError:
        return False
    return True


def _to_json(memory: Memory) -> dict[str, Any]:
    return {
        "told": {topic: [told.at, told.open] for topic, told in memory.told.items()},
        "not_ready_since": memory.not_ready_since,
        "held": sorted(memory.held),
    }


def _from_json(found: dict[str, Any]) -> Memory:
    since = found["not_ready_since"]
    return Memory(
        {topic: Told(float(at), bool(is_open)) for topic, (at, is_open) in found["told"].items()},
        None if since is None else float(since),
        frozenset(int(item) for item in found["held"]),
    )
