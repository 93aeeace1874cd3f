"""Odd rows on order: answers of which one row breaks its promises.

What TikTok shows of a product that is half migrated or half deleted is on no page. A client must
take the rest of such an answer.
"""

from collections.abc import Callable

Change = Callable[[dict[str, object]], object]
_NAMES = ("id", "product_id", "warehouse_id")


class Oddities:
    """The odd rows in force, by the name of an endpoint and the id of the row."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str], Change] = {}

    def spoil(self, endpoint: str, row: str, change: Change) -> None:
        """Show in every answer of an endpoint what `change` makes of the row with this id."""
        self._changes[endpoint, row] = change

    def clear(self) -> None:
        """Show every row as it is."""
        self._changes.clear()

    def shown(self, endpoint: str, answer: object) -> object:
        """An answer of the endpoint, with the odd rows in it."""
        changes = {row: change for (name, row), change in self._changes.items() if name == endpoint}
        return _changed(answer, changes) if changes else answer


def _changed(value: object, changes: dict[str, Change]) -> object:
    if isinstance(value, list):
        return [_changed(one, changes) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: _changed(one, changes) for key, one in value.items()}
    named = next((str(value[key]) for key in _NAMES if key in value), "")
    return changes[named](found) if named in changes else found


def without(*names: str) -> Change:
    """The row without these members."""
    return lambda row: {key: value for key, value in row.items() if key not in names}


def having(**members: object) -> Change:
    """The row with these members instead of its own."""
    return lambda row: row | members
