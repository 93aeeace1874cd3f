"""Pings a monitor elsewhere, which raises an alarm when the pings stop.

A ping says that the daemon works, not only that it is up. So a ping goes out only after a good
pass, only while the daemon is ready, and only while no job hangs.
"""

from __future__ import annotations

import asyncio
import logging

from invsyncd.core.model import Target
from invsyncd.errors import InvsyncError
from invsyncd.net.http import Http, raise_for_status, session
from invsyncd.status.health import Health

log = logging.getLogger(__name__)

EVERY_S = 60.0
CHECK_S = 1.0
PING_S_MAX = 10.0
BODY_BYTES_MAX = 64 * 1024


async def send_heartbeats(url: str, health: Health) -> None:
    """Ping until cancelled. A failure is logged once, until a ping gets through again."""
    loop = asyncio.get_running_loop()
    last_pass: float | None = None
    pinged_at = float("-inf")
    failing = False
    async with session() as client:
        http = Http(client, timeout_s=PING_S_MAX, body_bytes_max=BODY_BYTES_MAX)
        while True:
            went_well_at = health.targets[Target.SHOPIFY].went_well_at
            is_new = went_well_at is not None and went_well_at != last_pass
            is_due = is_new and loop.time() - pinged_at >= EVERY_S
            if is_due and health.live() and health.document()[0]:
                last_pass, pinged_at = went_well_at, loop.time()
                trouble = await _ping(http, url)
                if trouble and not failing:
                    log.warning("the heartbeat does not get through: %s", trouble)
                failing = bool(trouble)
            await asyncio.sleep(CHECK_S)


async def _ping(http: Http, url: str) -> str:
    """Ping once; returns what went wrong, without the URL, or an empty string."""
    try:
        raise_for_status(await http.request("GET", url, api="heartbeat", op="PING"), "heartbeat")
    except InvsyncError as error:
        return str(error)
    return ""
