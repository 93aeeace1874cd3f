"""The words of the stock list: what is the matter with an item, and how far a list goes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LISTED_MAX = 1000  # items in a list that is narrowed down
ANYWHERE_MIN = 3  # characters of a text that is found anywhere in a SKU; fewer: at its beginning
TEXT_MAX = 64  # characters that are searched for


class StockFilter(StrEnum):
    """What is the matter with an item. The words stand in addresses."""

    HELD = "held"
    OVERSOLD = "oversold"
    PARKED = "parked"
    OWED = "owed"


@dataclass(frozen=True, slots=True)
class StockRow:
    """Where an item stands in the list: by its SKU in one case, then by its id."""

    folded: str
    item: int
