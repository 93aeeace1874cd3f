"""`--help` has a sentence, an example that works, and the exit codes, for every command."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from invsyncd.cli import group
from tests.support.running import running


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


def test_help_is_grouped_by_what_commands_are_for_and_cuts_no_sentence() -> None:
    text = CliRunner().invoke(group, ["--help"]).output
    titles = ["Try it:", "Set up:", "Run:", "Ask:", "Mend:"]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)
    assert "..." not in text.partition("Options:")[2]
    assert "More:" not in text  # every command has its place
    listed = re.findall(r"(?m)^  ([a-z][a-z-]*)  ", text.partition("Options:")[2])
    assert sorted(listed) == sorted(group.commands)


async def test_tab_offers_skus_and_passes_from_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, locations=2, **{"TEE-M": 5, "TEE-L": 5, "CAP": 5}) as w:
        await w.ask("once")
        w.made.shop.count("CAP", "Berlin", 60)
        await w.ask("once")

        def offered(*words: str) -> list[str]:
            line = ["invsyncd", "--config", str(w.config), *words]
            found = ShellComplete(group, {}, "invsyncd", "_INVSYNCD_COMPLETE")
            return [x.value for x in found.get_completions(line[1:-1], line[-1])]

        assert offered("explain", "TEE") == ["TEE-L", "TEE-M"]
        assert offered("journal", "--sku", "C") == ["CAP"]
        assert offered("resolve", "TEE-M") == ["TEE-M"]
        assert offered("undo", "l") == ["last"]
        assert len(offered("undo", "")) == 2
        w.state.unlink()
        assert offered("explain", "TEE") == []
