"""The name of a write in Shopify's inventory history, and the way back from there to the journal.

Documented: `referenceDocumentUri` is a URI, best `gid://<app>/<entity>/<id>`, and the admin shows
the app's name. One call sets many levels of many items, so the name cannot be a SKU. It names the
write, `gid://invsyncd/Write/<UTC second>-<idempotency key>`, and the journal has a line for each
level under that key. The second says where in the journal to look. Both belong to the attempt, so
a repetition under the same key sends the same bytes.
"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime
from time import strptime

_STAMP = "%Y%m%dT%H%M%SZ"
_SHAPE = re.compile(r"(?:gid://invsyncd/Write/)?(\d{8}T\d{6}Z)-([\x21-\x7e]{1,255})")
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def reference(key: str, created_at: int) -> str:
    """The URI of an attempt, by its key and its Unix second."""
    stamp = datetime.fromtimestamp(created_at, UTC).strftime(_STAMP)
    return f"gid://invsyncd/Write/{stamp}-{key}"


def write_of(text: str) -> tuple[str, int] | None:
    """The key and Unix second of a reference: a URI, its last part, or a bare key.

    The journal's lines are not older than that second, which is 0 for a bare key. None for any
    other text.
    """
    if _KEY.fullmatch(text):
        return text, 0
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    try:
        return found[2], timegm(strptime(found[1], _STAMP))
    except ValueError:
        return None
