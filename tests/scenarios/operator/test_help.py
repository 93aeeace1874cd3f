"""`--help` has a sentence, an example that works, and the exit codes, for every command."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from invsyncd.cli import group


def help_of(name: str) -> str:
    result = CliRunner().invoke(group, [name, "--help"], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("name", sorted(group.commands))
def test_it_says_what_the_command_does_shows_one_and_names_its_exit_codes(name: str) -> None:
    text = help_of(name)
    example = re.search(r"(?m)^  Example: invsyncd (.*)$", text)
    assert example is not None
    codes = re.search(r"Exit codes: 0 [^\n]+", text)
    assert codes is not None
    assert re.search(r"\.$", text.split("\n\n")[1].strip())
    words = shlex.split(example[1])
    if words[0].startswith("--"):
        words = words[2:]
    assert words[0] == name
    context = click.Context(group.commands[name], info_name=name)
    group.commands[name].parse_args(context, words[1:])  # raises where the example is wrong
