"""How many pages all locations together may list before another way of reading is cheaper."""

from __future__ import annotations


class TooManyPages(Exception):
    """More is listed than is worth listing."""


class PageBudget:
    """Shared by readings that run side by side. `pages` None allows any number."""

    def __init__(self, pages: int | None) -> None:
        self._left = pages

    def take(self) -> None:
        """Count one page; TooManyPages for the first one beyond the budget, and for all after."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise TooManyPages
