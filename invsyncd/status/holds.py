"""Lines for the log about items on hold: one when a hold begins, one when it ends."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from invsyncd.core.fold import Folded
from invsyncd.core.model import Standing
from invsyncd.text import command, ends_hold, plain


@dataclass(frozen=True, slots=True)
class HoldLine:
    """One line, and how serious it is."""

    level: int
    text: str


def hold_lines(
    folded: Sequence[Folded], held_before: Collection[int], names: Mapping[int, str]
) -> list[HoldLine]:
    """What to log about items whose hold began or ended; `names` are of locations, by id."""
    found: list[HoldLine] = []
    for one in folded:
        item = one.state.item
        is_held, was_held = item.standing is Standing.HELD, item.id in held_before
        if is_held and not was_held:
            found.append(HoldLine(logging.WARNING, _begins(one, names)))
        elif was_held and not is_held:
            pool = item.pool
            now = "it left the mirror" if pool is None else f"its pool is {plain(pool)}"
            found.append(HoldLine(logging.INFO, f"{item.sku} is not held any more: {now}"))
    return found


def _begins(one: Folded, names: Mapping[int, str]) -> str:
    said = ", ".join(
        f"{names.get(x.location, str(x.location))} {plain(x.before)} → {plain(x.after)}"
        for x in one.changes
    )
    sku = one.state.item.sku
    because = f"different numbers were counted at once: {said}" if said else "its levels differ"
    ways = f"`{command('explain', sku=sku)}` shows what each choice would give"
    ends = f"`{ends_hold(sku)}` ends the hold"
    return f"{sku} is held, nothing is written for it: {because}. {ways}; {ends}"
