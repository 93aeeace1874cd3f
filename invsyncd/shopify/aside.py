"""Collects what of one answer cannot be read, while everything else of the answer is used (law 10).

A row that names its item is set aside under this item. A row without a readable id is lost: nobody
knows what it says. Where most of an answer cannot be read, the whole answer is in doubt (law 8). An
answer about a few items says nothing of the others: of such a one only lost rows count.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape

BAD_MAX = 20  # unreadable rows that are set aside, even if they are most of an answer


@dataclass(slots=True)
class Aside:
    """Why the levels or the catalogue of these items cannot be read; the errors of lost rows."""

    items: dict[int, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def note(self, item: int | None, row: Shape, error: InvalidResponse) -> None:
        """Set a row aside. The reason begins at the row: its place in the answer may change."""
        if item is None:
            self.lost.append(str(error))
        else:
            self.items[item] = str(error).removeprefix(row.path).lstrip(".: ")

    def believe(self, good: int, *, of_some: bool = False) -> None:
        """Raise InvalidResponse where more rows cannot be read than can.

        With `of_some` the answer is about a few items, and only what is lost speaks against it.
        """
        named = () if of_some else self.items.values()
        bad = len(named) + len(self.lost)
        if bad > max(BAD_MAX, good):
            first = next(iter([*named, *self.lost]))
            raise InvalidResponse(
                f"shopify: {bad} rows of an answer cannot be read; first: {first}"
            )
