"""The command line: options, exit codes, and errors printed as `Error: …`, then `Try: …`.

Exit codes: 0 done, 1 failed, 2 usage or config, 3 finished but something was refused or is held.
"""

from __future__ import annotations

import io
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click

from invsyncd import __version__
from invsyncd.cli import (
    check,
    explain,
    init,
    maintenance,
    plan,
    requests,
    run,
    sandbox,
    status,
    undo,
)
from invsyncd.cli.output import Context
from invsyncd.errors import ConfigError, InvsyncError, UsageProblem

GENERAL = ("--config", "--log-format", "--version")
"""Options that stand before the command."""

SHORT_MAX = 400  # characters of a first sentence: never cut

GROUPS = {
    "Try it": ("demo", "sandbox"),
    "Set up": ("init", "check", "tiktok-login", "plan", "alert-test"),
    "Run": ("run", "once", "healthcheck", "fleet"),
    "Ask": ("status", "explain", "journal", "audit"),
    "Mend": ("undo", "resolve", "pause", "resume", "scan", "backup", "restore"),
}
"""The commands as `--help` lists them; one that stands nowhere comes last."""


class Commands(click.Group):
    """A group whose commands report errors as sentences, and whose help is grouped."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by what they are for, each with its whole first sentence."""
        left = set(self.commands)
        for title, names in (*GROUPS.items(), ("More", tuple(sorted(self.commands)))):
            rows = [
                (name, self.commands[name].get_short_help_str(limit=SHORT_MAX))
                for name in names
                if name in left
            ]
            left -= set(names)
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command line. A wrong one is told as any other error is, and ends with 2."""
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            code = 2
        except click.UsageError as error:
            _tell_usage(error)
            code = 2
        except click.ClickException as error:
            click.echo(f"Error: {error.format_message()}", err=True)
            code = error.exit_code
        except click.Abort:
            click.echo("Nothing was done.", err=True)
            code = 1
        sys.exit(code if isinstance(code, int) else 0)

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


def _tell_usage(error: click.UsageError) -> None:
    """Say what is wrong with a command line, and where its help is."""
    path = error.ctx.command_path.split()[1:] if error.ctx is not None else []
    text = error.format_message().rstrip(".")
    text = text.replace("is not a valid integer range", "is not a whole number")
    click.echo(f"Error: {text}", err=True)
    option = error.option_name if isinstance(error, click.NoSuchOption) else ""
    if path and option in GENERAL:
        advice = f"write it before the command: invsyncd {option} … {' '.join(path)}"
    else:
        advice = f"{' '.join(['invsyncd', *path])} --help"
    click.echo(f"Try: {advice}", err=True)


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
    init,
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
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal or a pipe without Unicode gets \u2713 for a check mark, and no traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        group(prog_name="invsyncd")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
