"""How numbers that would become others are printed: totals, and the largest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from invsyncd.cli.context import print_table
from invsyncd.sync.effect import Effect, Shift, by_size

TOP = 20


def print_totals(totals: Mapping[str, Mapping[Effect, int]]) -> None:
    """One line for each target that has anything."""
    for name, counts in totals.items():
        if any(counts.values()):
            said = ", ".join(f"{count:,} {effect.value}" for effect, count in counts.items())
            click.echo(f"{name}: {said}")


def print_shifts(title: str, shifts: Iterable[Shift], top: int | None = TOP) -> None:
    """The largest `top` of them (None: all), and how many more there are."""
    ordered = by_size(shifts)
    shown = ordered if top is None else ordered[:top]
    print_table(
        title,
        ["target", "SKU", "where", "from", "to", "effect"],
        [[s.target.value, s.sku, s.place, s.before, s.after, s.effect.value] for s in shown],
    )
    if len(shown) < len(ordered):
        click.echo(f"and {len(ordered) - len(shown):,} more")


def shifts_json(shifts: Sequence[Shift]) -> list[dict[str, Any]]:
    """All of them, the largest first."""
    return [
        {
            "target": s.target.value,
            "sku": s.sku,
            "where": s.place,
            "key": dict(s.key),
            "from": s.before,
            "to": s.after,
            "effect": s.effect.value,
        }
        for s in by_size(shifts)
    ]
