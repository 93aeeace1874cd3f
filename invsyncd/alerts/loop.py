"""Runs the alerts: takes a snapshot, decides, sends, and remembers what was sent.

The loop runs beside the passes and never holds them up. There is no queue that could grow: the
messages are derived anew each time from the snapshot and from what was reported, at most one per
reason. Nothing else is decided while a message is being sent; sending has a time limit.

What was reported is kept in the state database, so that a restart repeats nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from invsyncd.alerts.decide import (
    Announced,
    Memory,
    mark_sent,
    messages_due,
    observe,
)
from invsyncd.alerts.services import Sender
from invsyncd.alerts.snapshot import take_snapshot
from invsyncd.config import Settings
from invsyncd.errors import StateError
from invsyncd.status.health import Health
from invsyncd.store import Store

CHECK_S = 5.0
RETRY_S = 60.0  # the rest after no service took a message
KEY = "alerts"


async def send_alerts(
    settings: Settings, store: Store, health: Health, sender: Sender, clock: Callable[[], float]
) -> None:
    """Report every transition to people, until cancelled."""
    saved = memory = await load_memory(store)
    loop = asyncio.get_running_loop()
    not_before = float("-inf")
    while True:
        snapshot = await take_snapshot(settings, store, health, clock())
        memory = observe(memory, snapshot)
        messages = messages_due(memory, snapshot, settings.alerts.stale_after_s)
        for message in messages if loop.time() >= not_before else ():
            title = f"invsyncd {settings.shopify.shop}: {message.title}"
            if not await sender.send(title, message.text, alarm=message.alarm):
                not_before = loop.time() + RETRY_S
                break
            memory = mark_sent(memory, message, clock())
        if memory != saved and await save_memory(store, memory):
            saved = memory
        await asyncio.sleep(CHECK_S)


async def load_memory(store: Store) -> Memory:
    """What was reported before; an empty memory if the stored one cannot be read."""
    try:
        text = await store.meta.get(KEY)
        return _from_json(json.loads(text)) if text else Memory()
    except (StateError, ValueError, TypeError, KeyError, AttributeError):
        return Memory()


async def save_memory(store: Store, memory: Memory) -> bool:
    """Store what was reported; returns False if the database failed."""
    try:
        async with store.transaction() as tx:
            await store.meta.set(tx, KEY, json.dumps(_to_json(memory)))
    except StateError:
        return False
    return True


def _to_json(memory: Memory) -> dict[str, Any]:
    return {
        "told": {topic: [last.at, last.open] for topic, last in memory.announced.items()},
        "not_ready_since": memory.not_ready_since,
        "held": sorted(memory.held),
        "numbers": sorted(memory.numbers),
    }


def _from_json(found: dict[str, Any]) -> Memory:
    since = found["not_ready_since"]
    return Memory(
        {
            topic: Announced(float(at), bool(is_open))
            for topic, (at, is_open) in found["told"].items()
        },
        None if since is None else float(since),
        frozenset(int(item) for item in found["held"]),
        frozenset(str(name) for name in found.get("numbers", ())),
    )
