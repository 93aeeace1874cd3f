"""Asks the running daemon, where one answers: some of what is so lives only in its memory."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from invsyncd.config import Settings

DAEMON = "the running daemon"
DATABASE = "the state database; no daemon answers"


def from_daemon(settings: Settings, path: str) -> dict[str, Any] | None:
    """The document at `path` with its `source`; None where no daemon gives one."""
    host, port = settings.server.address
    bracketed = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(f"http://{bracketed}:{port}{path}")
    if settings.server.token is not None:
        request.add_header("Authorization", f"Bearer {settings.server.token.get_secret_value()}")
    # No proxy from the environment: it would be sent the token, and cannot reach our loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return {"source": DAEMON, **json.load(answer)}
    except (urllib.error.URLError, TimeoutError, ValueError, OSError):
        return None
