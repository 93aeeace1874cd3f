"""What every command shares: the configuration, and two ways to print."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from invsyncd import logs
from invsyncd.config import Settings, find_config, load
from invsyncd.errors import StateError


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


pass_context = click.make_pass_decorator(Context)

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


def print_json(document: Any) -> None:
    """One document for programs."""
    click.echo(json.dumps(document, indent=2))


def print_table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """A table for people; nothing where there is nothing."""
    if not rows:
        return
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        numeric = all(isinstance(row[columns.index(column)], int) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*["–" if cell is None else _plain(cell) for cell in row])
    Console(highlight=False).print(table)


def _plain(cell: object) -> str:
    # Text from outside must not be taken for markup.
    return str(cell).replace("[", r"\[")
