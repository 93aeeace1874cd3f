"""What mirroring will do to items whose levels differ: a preview, item by item and in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from invsyncd.core.merge import MergeRules, first_sight
from invsyncd.core.model import ItemState, Level, OnConflict, Standing, Unlevelled
from invsyncd.text import plain, plural

SHOWN_MAX = 10
AT_ONCE = (Unlevelled.LOWEST, Unlevelled.HIGHEST, Unlevelled.LATEST)


@dataclass(frozen=True, slots=True)
class Unequal:
    """One item whose mirrored levels differ: units by location, and the number of each choice."""

    sku: str
    units: Mapping[int, int]
    gives: Mapping[Unlevelled, int]


@dataclass(frozen=True, slots=True)
class ChoiceTotal:
    """What one choice does at once: so many levels are set, by so many units up and down."""

    levels: int = 0
    up: int = 0
    down: int = 0

    def with_item(self, units: Iterable[int], number: int) -> ChoiceTotal:
        """The same with the levels of one more item, which are set to this number."""
        moves = [number - at for at in units if at != number]
        return ChoiceTotal(
            self.levels + len(moves),
            self.up + sum(x for x in moves if x > 0),
            self.down - sum(x for x in moves if x < 0),
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """The items at the ticked locations: how many, how many of them differ, the first of those."""

    items: int = 0
    unequal: int = 0
    first: tuple[Unequal, ...] = ()
    effects: Mapping[Unlevelled, ChoiceTotal] = field(
        default_factory=lambda: dict.fromkeys(AT_ONCE, ChoiceTotal())
    )


def with_items(preview: Preview, states: Iterable[ItemState], mirrored: Sequence[int]) -> Preview:
    """The preview with these items, as a first pass that writes nothing left them."""
    items, unequal = preview.items, preview.unequal
    first, effects = list(preview.first), dict(preview.effects)
    for state in states:
        levels = [state.levels[x] for x in mirrored if x in state.levels and state.levels[x].active]
        if state.item.standing is Standing.OUT or not levels:
            continue
        items += 1
        if state.item.standing is not Standing.FOLLOWING:
            continue
        unequal += 1
        found = _unequal(state.item.sku or str(state.item.id), levels)
        for choice in AT_ONCE:
            effects[choice] = effects[choice].with_item(found.units.values(), found.gives[choice])
        if len(first) < SHOWN_MAX:
            first.append(found)
    return Preview(items, unequal, tuple(first), effects)


def preview_lines(preview: Preview, names: Mapping[int, str]) -> list[str]:
    """The preview for people: the first items, then what each choice does in total."""
    if not preview.unequal:
        return [f"{plural(preview.items, 'item')}, each with one number everywhere: no change."]
    lines = [
        f"{preview.unequal:,} of {plural(preview.items, 'item')} show different numbers. "
        "One number each is what mirroring makes of them:"
    ]
    lines += [f"  {_line(one, names)}" for one in preview.first]
    if more := preview.unequal - len(preview.first):
        lines.append(f"  … and {more:,} more")
    return [*lines, "", *(f"  {line}" for line in _choices(preview))]


def _unequal(sku: str, levels: Sequence[Level]) -> Unequal:
    gives: dict[Unlevelled, int] = {}
    for choice in AT_ONCE:
        pool = first_sight(
            levels, MergeRules(unlevelled=choice, on_conflict=OnConflict.LOWEST)
        ).pool
        gives[choice] = levels[0].available if pool is None else pool
    return Unequal(sku, {level.location: level.available for level in levels}, gives)


def _line(one: Unequal, names: Mapping[int, str]) -> str:
    units = " · ".join(f"{names.get(at, at)} {plain(n)}" for at, n in one.units.items())
    gives = ", ".join(f"{choice.value} {plain(number)}" for choice, number in one.gives.items())
    return f"{one.sku}: {units} → {gives}"


def _choices(preview: Preview) -> list[str]:
    """One line for each choice, the default first."""
    lines = [
        "follow   writes nothing now; each item waits for its next change, then takes that number"
    ]
    for choice in AT_ONCE:
        effect = preview.effects[choice]
        moves = f"{effect.down:,} units fewer, {effect.up:,} more"
        name = f"{choice.value:<8} "
        lines.append(f"{name}sets {plural(effect.levels, 'level')} at once: {moves}, in all")
    return [*lines, "hold     writes nothing; you decide item by item, with `invsyncd resolve`"]
