"""Words for the pages: times, shortened text, and what to do about a failed check."""

from __future__ import annotations

from datetime import UTC, datetime

from invsyncd.status.expiry import ADVICE

CLIPPED = 400  # characters of a sentence that may hold foreign text

_STEPS = ((86_400, "day"), (3_600, "h"), (60, "min"), (1, "s"))

# Advice by the name of a check; the longest beginning that matches counts.
_BY_CHECK = {
    "baseline": "wait; it takes a minute for every 100,000 levels or so",
    "state:": "make sure that the disk of state.path has room and can be written",
    "shopify:poll_age": "`invsyncd check` says whether Shopify answers for this location",
    "shopify:full_scan": "it is tried again by itself; `invsyncd scan` asks for one now",
    "shopify:locations": "do what it says; a changed configuration needs a reload.",
    "shopify:catalogue": "new and changed products wait meanwhile; it is tried again by itself."
    " If this stays, run `invsyncd check`",
    "shopify:rounds": "`invsyncd check` looks at everything; it is tried again by itself",
    "shopify:paused": "`invsyncd undo last` if it was a mistake, else `invsyncd resume shopify`",
    "shopify:authorised": "`invsyncd check`; the app may be gone, or its secret changed",
    "shopify:undelivered": "the journal below says what Shopify answered; `invsyncd check`",
    "shopify:unreadable": "open the items in Shopify's admin and save them; else tell Shopify",
    "shopify:numbers": "`invsyncd status` names each of them with what ends it",
    "tiktok:numbers": "`invsyncd status` names each of them with what ends it",
    "tiktok:authorised": ADVICE,
    "tiktok:authorisation_left": ADVICE,
    "tiktok:rounds": "`invsyncd check` looks at everything; it is tried again by itself",
    "tiktok:paused": "`invsyncd undo last` if it was a mistake, else `invsyncd resume tiktok`",
    "tiktok:undelivered": "the journal below says what TikTok answered; `invsyncd check`",
    "shopify:api_version": "update invsyncd, or change shopify.api_version as it says",
    "shopify:lost": "do what it says, if it is to be mirrored",
    "shopify:other_mirror": "let only one program copy quantities between locations",
    "tiktok:lost": "do what it says; `invsyncd check` names them all",
    "tiktok:set_aside": "open the product in Seller Center and save it again; `invsyncd check`",
    "tiktok:other_writers": "switch off inventory sync in every other app of this shop",
}
_TROUBLE = "it is tried again by itself; `invsyncd check` looks at everything"


def advice(check: str, *, dead: bool = True, tried: bool = True) -> str:
    """What to do about a check that fails; commands stand between backquotes.

    `dead` says whether the credentials were refused, and not any other trouble. A target that was
    not `tried` yet needs no advice.
    """
    if check.endswith(":authorised") and not dead:
        return _TROUBLE if tried else ""
    matching = [beginning for beginning in _BY_CHECK if check.startswith(beginning)]
    return _BY_CHECK[max(matching, key=len)] if matching else ""


def span(seconds: float) -> str:
    """A length of time in the largest unit that fits: `8 s`, `3 min`, `2 h`, `5 days`."""
    for length, unit in _STEPS:
        if seconds >= length:
            many = int(seconds // length)
            return f"{many} {unit}" + ("s" if unit == "day" and many != 1 else "")
    return "0 s"


def lag(seconds: float) -> str:
    """A lag in words: tenths of seconds below 10 s, seconds below 2 min, then larger units."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return span(seconds) if seconds < 7200 else f"{seconds / 3600:.1f} h"


def ago(at: float | None, now: float) -> str:
    """How long ago a Unix second was, in words."""
    if at is None:
        return "never"
    return "just now" if now - at < 1 else f"{span(now - at)} ago"


def date_and_time(at: float) -> str:
    """A Unix second as date and time in UTC; words if no calendar has that date."""
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return "far in the future"


def clip(text: str, most: int = CLIPPED) -> str:
    """The text, shortened to at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
