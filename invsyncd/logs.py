"""One line per event on stderr, as text or JSON, without secrets.

Messages are written without secrets. The filter here is the last resort behind that.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import quote

MASK = "********"
SECRET_CHARS_MIN = 6  # shorter values would mask ordinary words

# The prefix that journald reads in front of a line: <3> error, <4> warning, <6> info, <7> debug
_PRIORITIES = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


class Masked(logging.Formatter):
    """Formats one record and masks every known secret, also where it is escaped in a URL."""

    def __init__(self, secrets: Iterable[str], *, as_json: bool, journald: bool) -> None:
        super().__init__()
        plain = {secret for secret in secrets if len(secret) >= SECRET_CHARS_MIN}
        self._secrets = sorted(plain | {quote(secret, safe="") for secret in plain}, key=len)
        self._json = as_json
        self._journald = journald

    def format(self, record: logging.LogRecord) -> str:
        """One event. Further lines, as of a traceback, are indented in text and escaped in JSON."""
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        for secret in reversed(self._secrets):
            message = message.replace(secret, MASK)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        if self._json:
            return json.dumps({"at": at, "level": record.levelname.lower(), "message": message})
        line = as_event(message)
        if self._journald:
            priority = _PRIORITIES.get(record.levelno, 6)
            return f"<{priority}>{line}"
        return f"{at} {record.levelname.lower():7} {line}"


def as_event(text: str) -> str:
    """The text with further lines indented and other control characters written as escapes.

    A SKU may hold anything, and must not be able to forge an event or to control a terminal.
    """
    if text.isprintable():
        return text
    shown = (c if c.isprintable() else "\n    " if c == "\n" else repr(c)[1:-1] for c in text)
    return "".join(shown)


def is_journal(stream: TextIO) -> bool:
    """Whether journald reads this stream: $JOURNAL_STREAM holds its device and inode.

    The variable alone is no proof: a process with a log file of its own inherits it too.
    """
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # not a file at all
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def set_up(secrets: Iterable[str], *, form: str, level: str) -> None:
    """Send our log to stderr, and warnings of libraries too. Called again after a reload."""
    handler = logging.StreamHandler(sys.stderr)
    as_json, journald = form == "json", is_journal(sys.stderr)
    handler.setFormatter(Masked(secrets, as_json=as_json, journald=journald))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("invsyncd").setLevel(level.upper())
