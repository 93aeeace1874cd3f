"""The command line as plain data, read from the program, so that every page agrees with it.

Only this module imports the program; it runs in the build's own environment.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

import click

from invsyncd.cli import group


@dataclass(frozen=True, slots=True)
class Value:
    """The value of an option or of an argument.

    `choices` is empty where anything goes; `is_file` asks shells to complete file names.
    """

    label: str
    choices: tuple[str, ...] = ()
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One option; `value` is None for a flag."""

    names: tuple[str, ...]
    value: Value | None
    help: str
    required: bool


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or the program itself; `help` is a list of paragraphs."""

    name: str
    summary: str
    help: tuple[str, ...]
    options: tuple[Option, ...]
    arguments: tuple[Value, ...]


def program() -> Command:
    """The program and the options in front of the command."""
    return _command("invsyncd", group)


def commands() -> tuple[Command, ...]:
    """Every command that `--help` lists, in its order."""
    context = click.Context(group)
    found = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    return tuple(_command(name, found) for name, found in found if found and not found.hidden)


def _command(name: str, command: click.Command) -> Command:
    if isinstance(command, click.Group) and command is not group:
        raise NotImplementedError(f"{name}: commands of commands are not written down yet")
    # Below the program's own context: commands inherit its names of --help.
    above = None if command is group else click.Context(group, **group.context_settings)
    context = click.Context(command, above, name, **command.context_settings)
    params = command.get_params(context)
    return Command(
        name,
        command.get_short_help_str(limit=200),
        tuple(_paragraphs(command.help or "")),
        tuple(_option(p, context) for p in params if isinstance(p, click.Option) and not p.hidden),
        tuple(_value(p, context) for p in params if isinstance(p, click.Argument)),
    )


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a help text; lines that `--help` keeps apart (backspace) are paragraphs."""
    parts = re.split(r"\n\n|\n(?=Exit codes: )", inspect.cleandoc(text).replace("\b\n", ""))
    return [" ".join(part.split()) for part in parts]


def _option(option: click.Option, context: click.Context) -> Option:
    record = option.get_help_record(context)
    return Option(
        tuple(sorted([*option.opts, *option.secondary_opts], key=len, reverse=True)),
        None if option.is_flag else _value(option, context),
        # click names what is required in the text; we show it in the synopsis.
        record[1].replace("[required]", "").strip() if record else "",
        option.required,
    )


def _value(param: click.Parameter, context: click.Context) -> Value:
    choices = param.type.choices if isinstance(param.type, click.Choice) else ()
    label = param.make_metavar(context).strip("[]{}").replace("INTEGER RANGE", "N")
    label = label.replace("INTEGER", "N")
    return Value(label, tuple(map(str, choices)), isinstance(param.type, click.Path))
