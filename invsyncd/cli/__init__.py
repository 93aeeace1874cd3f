"""The command line: options, exit codes, and errors printed as `Error: …`, then `Try: …`.

Exit codes: 0 done, 1 failed, 2 usage or config, 3 finished but something was refused or is held.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click

from invsyncd import __version__
from invsyncd.cli import check, explain, maintenance, plan, requests, run, sandbox, status, undo
from invsyncd.cli.output import Context
from invsyncd.errors import ConfigError, InvsyncError, UsageProblem


class Commands(click.Group):
    """A group whose commands report errors as sentences."""

    def invoke(self, ctx: click.Context) -> Any:
        """Turn what a command raises into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except InvsyncError as error:
            click.echo(f"Error: {error}", err=True)
            if error.advice:
                click.echo(f"Try: {error.advice}", err=True)
            ctx.exit(2 if isinstance(error, ConfigError | UsageProblem) else 1)
        except sqlite3.Error as error:
            click.echo(f"Error: the state database failed: {error}", err=True)
            click.echo(
                "Try: check the disk and the owner of state.path; nothing was lost", err=True
            )
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="invsyncd")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file; else $INVSYNCD_CONFIG, ./config.toml, /etc/invsyncd/config.toml.",
)
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), help="The form of the log on stderr."
)
@click.pass_context
def group(ctx: click.Context, config: Path | None, log_format: str | None) -> None:
    """Keep Shopify locations and TikTok Shop listings at one true quantity."""
    ctx.obj = Context(config, log_format)


SUBJECTS = (
    run,
    check,
    status,
    explain,
    plan,
    requests,
    undo,
    maintenance,
    sandbox,
)
for command in (command for subject in SUBJECTS for command in subject.COMMANDS):
    group.add_command(command)


def main() -> None:
    """Run the command line. Only this user may read the files that it makes."""
    os.umask(0o077)
    try:
        group(prog_name="invsyncd")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
