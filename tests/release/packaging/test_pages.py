"""The manual page and the completions say what the command line is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from release.commands import Command, commands, program
from release.completions import SHELLS
from release.manual import manual

from invsyncd.cli import group

ROOT = Path(__file__).parents[3]
TEMPLATE = (ROOT / "packaging" / "invsyncd.1.in").read_text()
EVERY = (program(), *commands())


@pytest.fixture(scope="module")
def page() -> str:
    """The page as text: macros and escapes removed, as far as names need it."""
    made = manual(TEMPLATE, "1.2.3", 1_780_000_000).replace("\\-", "-").replace("\\e", "\\")
    return made.replace("Fl -", "--").replace("Fl h", "-h")


def section(page: str, command: str) -> str:
    """What the page says of one command."""
    found = re.search(rf"\.It Xo Cm {re.escape(command)}\n(.*?)(?=\n\.It Xo|\n\.Sh)", page, re.S)
    assert found is not None, command
    return found[1]


def help_text(*arguments: str) -> str:
    return CliRunner().invoke(group, [*arguments, "--help"], catch_exceptions=False).output


def listed() -> list[str]:
    """The commands that --help lists, read from its text."""
    return re.findall(r"(?m)^  ([a-z][a-z-]*)  ", help_text().partition("Options:")[2])


def test_the_page_lists_exactly_the_commands_that_help_lists(page: str) -> None:
    assert len(listed()) > 10
    assert re.findall(r"(?m)^\.It Xo Cm (.*)$", page) == sorted(listed())


@pytest.mark.parametrize("command", [c.name for c in commands()])
def test_the_page_has_every_option_that_help_has(page: str, command: str) -> None:
    options = set(re.findall(r"--[a-z-]+", help_text(command).partition("Options:")[2])) - {
        "--help"
    }
    assert options == set(re.findall(r"(?m)^\.It (--[a-z-]+)", section(page, command)))


def test_the_page_has_the_options_in_front_of_the_command(page: str) -> None:
    options = set(re.findall(r"(?m)^  (--[a-z-]+)", help_text()))
    assert options
    assert options <= set(re.findall(r"--[a-z-]+", page.partition(".Sh COMMANDS")[0]))


def test_the_page_names_every_exit_code_of_the_command_line() -> None:
    assert re.findall(r"(?m)^\.It (\d)$", TEMPLATE) == ["0", "1", "2", "3"]


def test_the_page_carries_version_and_date() -> None:
    head = manual(TEMPLATE, "1.2.3", 1_780_000_000).splitlines()[1:4]
    assert head == [".Dd May 28, 2026", ".Dt INVSYNCD 1", ".Os invsyncd 1.2.3"]


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_page_is_read_without_a_warning() -> None:
    made = manual(TEMPLATE, "1.2.3", 1_780_000_000).encode()
    read = subprocess.run(
        ["groff", "-mdoc", "-Tutf8", "-ww", "-z"], input=made, capture_output=True, check=False
    )
    assert (read.returncode, read.stderr.decode()) == (0, "")


@pytest.mark.parametrize("name", SHELLS)
def test_completions_know_every_command_and_option(name: str) -> None:
    text = SHELLS[name]()
    for command in EVERY:
        for option in command.options:
            spelt = option.names[0][2:] if name.endswith("fish") else option.names[0]
            assert spelt in text, (command.name, spelt)
        assert command.name in text


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["invsyncd", "tik"], ["tiktok-login"]),
        (["invsyncd", "--config", "x", "jour"], ["journal"]),
        (["invsyncd", "--log-format", ""], ["text", "json"]),
        (["invsyncd", "once", "--"], ["--dry-run", "--json", "--help"]),
        (["invsyncd", "resume", ""], ["shopify", "tiktok", "--yes", "--help", "-h"]),
        (["invsyncd", "journal", "--sku", ""], []),
    ],
)
def test_bash_offers_what_fits(typed: list[str], offered: list[str], tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    (tmp_path / "completion").write_text(SHELLS["invsyncd.bash"]())
    words = " ".join(f"'{word}'" for word in typed)
    ask = (
        f"source {tmp_path}/completion; COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1};"
        '_invsyncd; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    answer = subprocess.run([bash, "-uc", ask], capture_output=True, text=True, check=False)
    assert answer.stderr == ""
    assert sorted(answer.stdout.split()) == sorted(offered)


@pytest.mark.parametrize(("shell", "name"), [("zsh", "_invsyncd"), ("fish", "invsyncd.fish")])
def test_other_shells_can_parse_theirs(shell: str, name: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / name).write_text(SHELLS[name]())
    answer = subprocess.run(
        [shell, "-n", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_command_of_commands_is_not_left_out_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(group.commands, "nested", click.Group("nested"))
    with pytest.raises(NotImplementedError, match="nested"):
        commands()


def test_choices_and_files_are_known_as_such() -> None:
    by_name: dict[str, Command] = {c.name: c for c in EVERY}
    formats = {o.names[0]: o.value for o in by_name["invsyncd"].options}
    assert formats["--log-format"] is not None
    assert formats["--log-format"].choices == ("text", "json")
    assert by_name["backup"].arguments[0].is_file
