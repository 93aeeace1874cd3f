"""Warns before TikTok's authorisation ends.

The authorisation lives as long as the seller granted (documented). No refresh extends it; only the
seller can. A warning on the last day would leave TikTok unserved until somebody has reached the
seller.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from invsyncd.core.clocks import AT_ONCE, LoopSeconds, later

log = logging.getLogger(__name__)

DAY_S: Final = 86_400
AHEAD_S: Final = 14 * DAY_S  # how long before the end of an authorisation the warning begins
ADVICE: Final = (
    "let the seller authorise the app again, then run `invsyncd tiktok-login --code CODE`"
)


class AuthorisationExpiry:
    """Warns before an authorisation ends. `ends_at` gives that Unix second, None if not known."""

    def __init__(self, ends_at: Callable[[], int | None], clock: Callable[[], float]) -> None:
        self.ends_at = ends_at
        self._clock = clock
        self._say_at = AT_ONCE

    @property
    def left_s(self) -> float | None:
        """How long the authorisation still lives, in seconds; None if that is not known."""
        ends_at = self.ends_at()
        return None if ends_at is None else ends_at - self._clock()

    def warning(self) -> str:
        """The warning for people; empty while there is time, or if the end is not known."""
        left_s = self.left_s
        if left_s is None or left_s > AHEAD_S:
            return ""
        ends_at = datetime.fromtimestamp(self._clock() + left_s, UTC)
        verb = "ended" if left_s <= 0 else "ends"
        return (
            f"tiktok: the seller's authorisation {verb} on {ends_at:%Y-%m-%d %H:%M} UTC: {ADVICE}"
        )

    def say(self, now: LoopSeconds) -> None:
        """Log the warning, at most once a day."""
        text = self.warning()
        if text and now >= self._say_at:
            self._say_at = later(now, DAY_S)
            log.warning("%s", text)
