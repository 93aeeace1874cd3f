"""resolve: how a person ends a hold, or levels an item that waits for its next change."""

from __future__ import annotations

import re
from collections.abc import Mapping

from invsyncd.sync.fold import Scope
from invsyncd.sync.model import ItemState, Standing

NUMBER = re.compile(r"-?[0-9]{1,9}")
RESOLVABLE = (Standing.HELD, Standing.FOLLOWING)


def resolution(state: ItemState, use: str, scope: Scope, names: Mapping[str, int]) -> int:
    """The pool that `use` gives: lowest, highest, sum, location:NAME or a number.

    `lowest`, `highest` and a location take today's readings of the mirrored levels; `sum` takes
    the pool and every change since. `names` maps location names and ids, as text, to ids.
    Raises ValueError with a sentence for the operator where it gives none.
    """
    item = state.item
    if item.standing not in RESOLVABLE:
        raise ValueError(f"{item.sku} is {item.standing.value}: there is nothing to resolve")
    levels = {
        level.location: level.available
        for level in state.levels.values()
        if level.active and level.location in scope.locations
    }
    if not levels:
        raise ValueError(f"{item.sku} has no mirrored level")
    if use == "sum":
        if item.pool is None:
            raise ValueError(f"{item.sku} has no pool yet that a sum could start from")
        return item.pool
    return _from_levels(item.sku, use, levels, names)


def _from_levels(sku: str, use: str, levels: Mapping[int, int], names: Mapping[str, int]) -> int:
    match use.partition(":"):
        case ("lowest", "", _):
            return min(levels.values())
        case ("highest", "", _):
            return max(levels.values())
        case ("location", ":", name):
            if names.get(name) not in levels:
                raise ValueError(f'{sku} has no mirrored level at a location "{name}"')
            return levels[names[name]]
        case (number, "", _) if NUMBER.fullmatch(number):
            return int(number)
        case _:
            raise ValueError(f'"{use}" is none of lowest, highest, sum, location:NAME or a number')
