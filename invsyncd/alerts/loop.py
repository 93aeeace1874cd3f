"""The alerts loop: look, decide, send. It runs beside the passes and never holds them up.

There is no queue that could grow. What is due is derived again each time, from what is seen and
what was sent, with at most one message per reason. While a message is on its way nothing else is
decided; sending has a time limit. What was sent is kept in the state database, so a restart repeats
nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from invsyncd.alerts.decide import Announced, Memory, due, seen, told
from invsyncd.alerts.services import Sender
from invsyncd.alerts.snapshot import look
from invsyncd.config import Settings
from invsyncd.errors import StateError
from invsyncd.status.health import Health
from invsyncd.store import Store

LOOK_S = 5.0
AGAIN_S = 60.0  # nobody took a message: not tried again sooner


async def tell(
    settings: Settings, store: Store, health: Health, sender: Sender, clock: Callable[[], float]
) -> None:
    """Tell people of every transition, until cancelled."""
    kept = memory = await remembered(store)
    loop = asyncio.get_running_loop()
    not_before = float("-inf")
    while True:
        snapshot = await look(settings, store, health, clock())
        memory = seen(memory, snapshot)
        messages = due(memory, snapshot, settings.alerts.stale_after_s)
        for message in messages if loop.time() >= not_before else ():
            title = f"invsyncd {settings.shopify.shop}: {message.title}"
            if not await sender.send(title, message.text, alarm=message.alarm):
                not_before = loop.time() + AGAIN_S
                break
            memory = told(memory, message, clock())
        if memory != kept and await keep(store, memory):
            kept = memory
        await asyncio.sleep(LOOK_S)


KEY = "alerts"


async def remembered(store: Store) -> Memory:
    """What was told before; nothing where it cannot be read."""
    try:
        text = await store.meta.get(KEY)
        return _from_json(json.loads(text)) if text else Memory()
    except (StateError, ValueError, TypeError, KeyError, AttributeError):
        return Memory()


async def keep(store: Store, memory: Memory) -> bool:
    """Remember over a restart; returns whether the database could."""
    try:
        async with store.transaction() as tx:
            await store.meta.set(tx, KEY, json.dumps(_to_json(memory)))
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
        {
            topic: Announced(float(at), bool(is_open))
            for topic, (at, is_open) in found["told"].items()
        },
        None if since is None else float(since),
        frozenset(int(item) for item in found["held"]),
    )
