"""The loop that looks, decides and sends, beside the passes and never in their way.

There is no queue that could grow: what is due is derived anew each time from what is seen and what
was told, at most one message per reason. While one is on its way nothing else is decided; it has a
time limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from invsyncd.alerts.decide import due, seen, told
from invsyncd.alerts.look import look
from invsyncd.alerts.memory import keep, remembered
from invsyncd.alerts.services import Sender
from invsyncd.config import Settings
from invsyncd.engine.health import Health
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
