"""Items that somebody wants read directly, until a pass has read and committed them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice


class Suspects:
    """A pass takes some, and is done with them when it has committed what it read.

    An item that is named while a pass has it stays: the pass may have read it before.
    """

    def __init__(self) -> None:
        self._left: set[int] = set()
        self._taken: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self._left)

    def name(self, items: Iterable[int]) -> None:
        """Have these read too."""
        self._left.update(items)

    def take(self, most: int) -> frozenset[int]:
        """So many of them at most. Those of a take that nobody was done with are given back."""
        self.give_back()
        self._taken = frozenset(islice(self._left, most))
        self._left -= self._taken
        return self._taken

    def give_back(self) -> None:
        """The pass did not get as far as its commit: what it took is still to be read."""
        self._left |= self._taken
        self._taken = frozenset()

    def done(self) -> None:
        """What was taken is read and committed."""
        self._taken = frozenset()

    def lacks(self, items: frozenset[int]) -> bool:
        """Whether none of these is left, apart from those that are taken."""
        return self._left.isdisjoint(items)
