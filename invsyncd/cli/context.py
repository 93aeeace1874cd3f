"""What every command shares: the configuration, and two ways to print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from invsyncd import logs
from invsyncd.config import Settings, find_config, load
from invsyncd.errors import StateError
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


def moment(at: int | None) -> str | None:
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
