"""What the commands share: options, configuration, the state, tables, JSON and progress.

Results go to stdout, as tables for people or as one JSON document for programs. Progress goes to
stderr, only on a terminal, and disappears when the work is done. A first baseline, a scan and a
discovery all show their progress as a count of answers. Planned changes of numbers are printed as
totals, and the largest first.
"""

from __future__ import annotations

import json
import os
import re
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
from invsyncd.errors import StateError, UsageProblem
from invsyncd.metrics import Metrics
from invsyncd.store import Store, is_in_use, is_readable, refuse_directory

WIDTH_MIN = 60
WIDTH_MAX = 10_000
ID_MIN, ID_MAX = 12, 200  # characters of an id, a cipher or a SKU that no table may cut
CELL_MIN = 8
_ID = re.compile(r"[\w./:-]+")
TOP = 20  # how many planned changes are printed


@dataclass(frozen=True, slots=True)
class Context:
    """The options that stand in front of the command."""

    config: Path | None
    log_format: str | None

    def settings(self, *, needs_secrets: bool = True) -> Settings:
        """Load the configuration. ConfigError names every problem at once."""
        path = find_config(self.config, os.environ, Path.cwd())
        settings = load(path, needs_secrets=needs_secrets)
        if self.log_format is not None:
            log = settings.log.model_copy(update={"format": self.log_format})
            settings = settings.model_copy(update={"log": log})
        return settings

    def quiet_settings(self, *, needs_secrets: bool = True) -> Settings:
        """The settings for commands that people run by hand: only warnings are logged.

        A command that the state or the running daemon can answer needs no secrets.
        """
        settings = self.settings(needs_secrets=needs_secrets)
        logs.set_up(settings.secrets(), form=settings.log.format, level="warning")
        return settings


def existing_state(settings: Settings) -> Path:
    """The path of the state database; StateError if there is none yet."""
    path = settings.state.path
    try:
        refuse_directory(path)
        path.stat()
    except PermissionError:
        raise StateError(
            f"this user may not read {path}",
            advice='run this as root, or let a group in: see "People without root" in README.md',
        ) from None
    except OSError:
        raise StateError(
            f"there is no state database at {path}",
            advice="start `invsyncd run` first, or check state.path",
        ) from None
    return path


def state_to_write(settings: Settings) -> Path:
    """The state database, for a request beside a daemon; never migrated under a running one."""
    path = existing_state(settings)
    if is_in_use(path) and not is_readable(path):
        raise StateError(
            f"{path} is in use by a daemon of another version",
            advice="restart the daemon, so that both are of one version; then repeat this",
        )
    return path


@asynccontextmanager
async def read_state(settings: Settings) -> AsyncIterator[Store]:
    """Open the state database for reading, also beside the daemon; StateError if there is none."""
    async with Store.read(existing_state(settings)) as store:
        yield store


def utc_time(at: int | None) -> str | None:
    """Unix seconds as a date and time in UTC."""
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def confirm(question: str, *, yes: bool) -> None:
    """Ask a person at a terminal. If the answer is no, the command ends with exit code 1.

    Without a terminal there is nobody to ask, and only --yes is a yes.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageProblem(
            "nothing was done: this writes to a shop, and there is no terminal to ask you at",
            advice="read what it would write, then add --yes",
        )
    click.confirm(question, abort=True, err=True)


yes_option = click.option(
    "--yes", is_flag=True, help="Do not ask. Off a terminal nothing is written without it."
)


pass_context = click.make_pass_decorator(Context)

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


def print_json(document: Any) -> None:
    """Print one document for programs."""
    click.echo(json.dumps(document, indent=2))


def print_table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table for people, if it has rows. A tuple is a cell of several lines."""
    if not rows:
        return
    table = Table(
        title=Text(visible(title), "bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    least, has_ids = 4 * len(columns), False
    for number, column in enumerate(columns):
        cells = [row[number] for row in rows]
        numeric = all(isinstance(cell, int) for cell in cells)
        word = 0 if any(" " in str(cell) for cell in cells) else max(map(_longest_word, cells))
        table.add_column(
            column,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=word > 0,
        )
        has_ids |= word > 0
        least += max(word, len(column), min(CELL_MIN, max(len(str(x)) for x in cells)))
    for row in rows:
        table.add_row(*[_cell(cell) for cell in row])
    # An id that is cut in two cannot be copied: rather a line that is too long.
    Console(highlight=False, width=max(width(), least if has_ids else 0)).print(table)


def _longest_word(cell: object) -> int:
    """The length of an id, a cipher or a SKU that must stay in one piece; 0 for other text."""
    text = str(cell)
    return len(text) if ID_MIN <= len(text) <= ID_MAX and _ID.fullmatch(text) else 0


def width() -> int:
    """How many characters a line may have. Off a terminal nothing is wrapped, unless COLUMNS asks.

    What a program or a file gets must not have line breaks within an id or a sentence.
    """
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        return WIDTH_MAX
    return max(console.width, WIDTH_MIN)


def visible(text: object) -> str:
    """Text with every control character escaped: a SKU must not control the terminal."""
    shown = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def _cell(cell: object) -> Text:
    """One cell, never read as markup; a tuple gives one line for each part."""
    if cell is None:
        return Text("–")
    return Text("\n".join(visible(line) for line in (cell if isinstance(cell, tuple) else [cell])))


@contextmanager
def count_progress(what: str) -> Iterator[Callable[[int], None]]:
    """Show progress; yields a function that takes how many more things are done."""
    with _progress("done") as progress:
        if progress is None:
            yield lambda more: None
            return
        task = progress.add_task(what, total=None)
        yield lambda more: progress.advance(task, more)


class MetricsWithProgress(Metrics):
    """Metrics that also show each answer to the person who waits for a command."""

    def __init__(self, show: Callable[[str, str], None]) -> None:
        super().__init__()
        self._show = show

    def on_request(self, api: str, op: str, code: int | str, seconds: float) -> None:
        """Count one request, and show its API and operation."""
        super().on_request(api, op, code, seconds)
        self._show(api, op)


@contextmanager
def answers_progress() -> Iterator[Metrics]:
    """Show answers as they come in; yields the metrics to give to `assemble()`."""
    with _progress("answers") as progress:
        if progress is None:
            yield Metrics()
            return
        task = progress.add_task("asking the shops", total=None)
        yield MetricsWithProgress(
            lambda api, op: progress.update(task, advance=1, description=f"{api}: {op.lower()}")
        )


@contextmanager
def _progress(unit: str) -> Iterator[Progress | None]:
    """A progress display; None if stderr is no terminal but a pipe, a file or a log."""
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


def print_totals(totals: Mapping[str, Mapping[Effect, int]]) -> None:
    """Print one line for each target that would change."""
    for name, counts in totals.items():
        if any(counts.values()):
            effects = ", ".join(f"{count:,} {effect.value}" for effect, count in counts.items())
            click.echo(f"{name}: {effects}")


def print_shifts(title: str, shifts: Iterable[Shift], top: int | None = TOP) -> None:
    """Print the largest `top` changes (None: all), and how many more there are."""
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
    """All changes as JSON, the largest first."""
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
