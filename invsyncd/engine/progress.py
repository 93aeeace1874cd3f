"""How far one location was read: the watermark that its next poll starts from.

Two clocks of the server may say so: its Date header, and the stamps of its rows. The Date moves
on while nothing changes, which keeps a quiet poll small; but it is another clock, and a watermark
ahead of the stamps would make every later change invisible. So the Date is believed only once a
fresh row has shown that both clocks agree; until then the newest stamp is the watermark.
"""

from __future__ import annotations

from invsyncd.shopify.polling import Page


class Progress:
    """One poll of one location, page by page. Times are Unix seconds of the server.

    The *first* page counts: what changes while later pages are read may be missed by them, is
    stamped later than anything on the first page, and so is found by the next poll.
    """

    def __init__(self, watermark: int | None) -> None:
        self._mark = watermark
        self._newest: int | None = None
        self._date: int | None = None
        self.pages = 0
        """How many pages there were."""

    def saw(self, page: Page) -> None:
        """Take one page into account."""
        if self.pages == 0:
            self._date = page.server_time
            self._mark = _latest(self._mark, page.newest)
        self._newest = _latest(self._newest, page.newest)
        self.pages += 1

    def is_recent(self, slack_s: float) -> bool:
        """Whether the newest row is stamped close to the Date: both clocks agree."""
        if self._date is None or self._newest is None:
            return False
        return abs(self._date - self._newest) <= slack_s

    def is_dated(self, now: float, slack_s: float) -> bool:
        """Whether the Date is no later than this machine's clock (Unix seconds) says."""
        return self._date is not None and self._date <= now + slack_s

    def mark(self, *, trust_date: bool) -> int | None:
        """The watermark after the last page; None where nothing is known yet."""
        return self._date if trust_date and self._date is not None else self._mark


def _latest(one: int | None, other: int | None) -> int | None:
    return max((at for at in (one, other) if at is not None), default=None)
