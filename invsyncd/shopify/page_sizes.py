"""How many rows a document asks for at once, where the shop allows a query fewer points than usual.

A query may cost 1,000 points (documented); ours stay far below. Should a price or a limit change,
the answer is MAX_COST_EXCEEDED for every such query. Then that document's pages are halved, as
often as it takes, and the walk goes on where it was.
"""

from __future__ import annotations

import re

_FIRST = re.compile(r"\bfirst: (\d+)")


class PageSizes:
    """How often the pages of each operation were halved, since the start."""

    def __init__(self) -> None:
        self._halvings: dict[str, int] = {}

    def fitted(self, op: str, document: str) -> str:
        """The document with the page sizes that its operation has now."""
        halvings = self._halvings.get(op, 0)
        if not halvings:
            return document
        return _FIRST.sub(lambda found: f"first: {max(int(found[1]) >> halvings, 1)}", document)

    def halve(self, op: str, document: str) -> bool:
        """Ask for half as much from now on; False where a page holds one row already."""
        before = self.fitted(op, document)
        self._halvings[op] = self._halvings.get(op, 0) + 1
        return self.fitted(op, document) != before
