"""Keeps the items that are to be read directly, until a pass has read and committed them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice


class Suspects:
    """The items that the next passes read directly.

    A pass takes some, and calls `done` when it has committed what it read. An item that is named
    again meanwhile stays, because the pass may have read that item before.
    """

    def __init__(self) -> None:
        self._left: set[int] = set()
        self._taken: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self._left)

    def name(self, items: Iterable[int]) -> None:
        """Have these items read too."""
        self._left.update(items)

    def take(self, most: int) -> frozenset[int]:
        """Take at most this many, after giving back those of an earlier take that is not done."""
        self.give_back()
        self._taken = frozenset(islice(self._left, most))
        self._left -= self._taken
        return self._taken

    def give_back(self) -> None:
        """Give back what was taken: the pass did not commit, so these items must still be read."""
        self._left |= self._taken
        self._taken = frozenset()

    def done(self) -> None:
        """Drop what was taken, because these items are read and committed."""
        self._taken = frozenset()

    def lacks(self, items: frozenset[int]) -> bool:
        """Whether none of these is still to be taken."""
        return self._left.isdisjoint(items)
