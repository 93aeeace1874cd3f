"""The end of TikTok's authorisation, told ahead: no refresh can move it, only the seller can.

It lives as long as the seller granted (documented); a daemon that finds out on the day itself
leaves TikTok standing until somebody has found the seller.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

log = logging.getLogger(__name__)

DAY_S: Final = 86_400
AHEAD_S: Final = 14 * DAY_S  # when warning begins
ADVICE: Final = (
    "let the seller authorise the app again, then run `invsyncd tiktok-login --code CODE`"
)


class Lapse:
    """Watches one authorisation; `ends_at` gives its Unix second, None while not known."""

    def __init__(self, ends_at: Callable[[], int | None], clock: Callable[[], float]) -> None:
        self.ends_at = ends_at
        self._clock = clock
        self._said_at = float("-inf")

    @property
    def left_s(self) -> float | None:
        """How long it still lives, in seconds; None while that is not known."""
        ends_at = self.ends_at()
        return None if ends_at is None else ends_at - self._clock()

    def warning(self) -> str:
        """What to tell people; empty while there is time enough, or nothing is known."""
        left_s = self.left_s
        if left_s is None or left_s > AHEAD_S:
            return ""
        ends_at = datetime.fromtimestamp(self._clock() + left_s, UTC)
        verb = "ended" if left_s <= 0 else "ends"
        return (
            f"tiktok: the seller's authorisation {verb} on {ends_at:%Y-%m-%d %H:%M} UTC: {ADVICE}"
        )

    def say(self) -> None:
        """Log the warning, once a day at most."""
        text = self.warning()
        if text and self._clock() - self._said_at >= DAY_S:
            self._said_at = self._clock()
            log.warning("%s", text)
