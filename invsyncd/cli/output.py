"""What all commands share: the configuration, tables, JSON, and progress for people who wait.

Progress goes to stderr, only on a terminal, and is removed when the work is done. A baseline, a
scan and a discovery all show the number of answers so far. Changes of numbers are printed as
totals, then the largest first.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from invsyncd import logs
from invsyncd.config import Settings, find_config, load
from invsyncd.core.plan import Effect, Shift, by_size
from invsyncd.errors import StateError
from invsyncd.metrics import Metrics
from invsyncd.store import Store, scratch_copy

WIDTH_MIN = 60


@dataclass(frozen=True, slots=True)
class Context:
    """The options in front of the command."""

    config: Path | None
    log_format: str | None

    def settings(self) -> Settings:
        """Load the configuration; ConfigError says every problem at once."""
        settings = load(find_config(self.config, os.environ, Path.cwd()))
        if self.log_format is not None:
            log = settings.log.model_copy(update={"format": self.log_format})
            settings = settings.model_copy(update={"log": log})
        return settings

    def quiet_settings(self) -> Settings:
        """For commands that people look at: only warnings are logged."""
        settings = self.settings()
        logs.set_up(settings.secrets(), form=settings.log.format, level="warning")
        return settings


def existing(settings: Settings) -> Path:
    """The state database's path; StateError where there is none yet."""
    path = settings.state.path
    if not path.exists():
        raise StateError(
            f"there is no state database at {path}",
            advice="start `invsyncd run` first, or check state.path",
        )
    return path


@asynccontextmanager
async def looking(settings: Settings) -> AsyncIterator[Store]:
    """A private copy of the state, to look at; StateError where there is none yet."""
    with scratch_copy(existing(settings)) as path:
        async with Store.open(path) as store:
            yield store


def utc_time(at: int | None) -> str | None:
    """Unix seconds as people write them, in UTC."""
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def ask_first(question: str, *, yes: bool) -> None:
    """Ask a person at a terminal, who may say no: then nothing happens, exit code 1.

    Off a terminal there is nobody to ask, and the command is the answer.
    """
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True, err=True)


pass_context = click.make_pass_decorator(Context)

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


def print_json(document: Any) -> None:
    """One document for programs."""
    click.echo(json.dumps(document, indent=2))


def print_table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """A table for people; nothing where there is nothing. A tuple is a cell of several lines."""
    if not rows:
        return
    table = Table(
        title=Text(visible(title), "bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    for number, column in enumerate(columns):
        numeric = all(isinstance(row[number], int) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*[_cell(cell) for cell in row])
    Console(highlight=False, width=width()).print(table)


def width() -> int:
    """How many columns there are to print to."""
    return max(Console().width, WIDTH_MIN)


def visible(text: object) -> str:
    """Foreign text with every control character escaped: a SKU must not drive the terminal."""
    shown = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def _cell(cell: object) -> Text:
    """One cell, never read as markup; a tuple is one line each."""
    if cell is None:
        return Text("–")
    return Text("\n".join(visible(line) for line in (cell if isinstance(cell, tuple) else [cell])))


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """Yields a function to be told of each so many more things that were done."""
    with _progress("done") as progress:
        if progress is None:
            yield lambda more: None
            return
        task = progress.add_task(what, total=None)
        yield lambda more: progress.advance(task, more)


class Answers(Metrics):
    """Counts as the daemon does, and shows each answer to who waits for a command."""

    def __init__(self, show: Callable[[str, str], None]) -> None:
        super().__init__()
        self._show = show

    def on_request(self, api: str, op: str, code: int | str, seconds: float) -> None:
        """Count one request, and show whom it was for."""
        super().on_request(api, op, code, seconds)
        self._show(api, op)


@contextmanager
def asking() -> Iterator[Metrics]:
    """Yields the metrics to assemble with while people wait for the shops' answers."""
    with _progress("answers") as progress:
        if progress is None:
            yield Metrics()
            return
        task = progress.add_task("asking the shops", total=None)
        yield Answers(
            lambda api, op: progress.update(task, advance=1, description=f"{api}: {op.lower()}")
        )


@contextmanager
def _progress(unit: str) -> Iterator[Progress | None]:
    """None where nobody watches: a pipe, a file, a log."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn(f"{{task.completed:,.0f}} {unit}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress


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
