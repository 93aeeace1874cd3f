"""Limits how many pages all locations list together, before another way of reading is cheaper."""

from __future__ import annotations


class TooManyPages(Exception):
    """More pages are listed than listing is worth."""


class PageBudget:
    """A number of pages, shared by reads that run side by side. None allows any number."""

    def __init__(self, pages: int | None) -> None:
        self._left = pages

    def take(self) -> None:
        """Count one page; TooManyPages for the first one beyond the budget, and for all after."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise TooManyPages
