"""Every command ends with the promised exit code, in every state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from invsyncd.cli import group
from invsyncd.store import Store, scratch_copy
from tests.support.running import Running, running

HOLD = {"[mirror]\nenabled = true": '[mirror]\nenabled = true\non_conflict = "hold"'}
NO_CONFIGURATION = {"demo", "init", "sandbox"}  # they make their own
LAST_PASS = "the last pass"

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "explain": ("ITEM-00",),
    "resolve": ("ITEM-00", "--use", "lowest"),
    "resume": ("tiktok",),
    "backup": ("copy.db",),
    "tiktok-login": ("--code", "no-such-code"),
    "plan": ("--config", "config.toml"),
    "undo": ("no-such-pass",),
}
"""What a command cannot do without."""


def complete(name: str) -> list[str]:
    return [name, *ARGUMENTS.get(name, ())]


@pytest.mark.parametrize("name", sorted(group.commands))
def test_an_option_that_there_is_not_is_2(name: str) -> None:
    result = CliRunner().invoke(group, [*complete(name), "--no-such-option"])
    assert result.exit_code == 2
    assert "No such option" in result.stderr


@pytest.mark.parametrize("name", sorted(set(group.commands) - NO_CONFIGURATION - {"run"}))
def test_a_wrong_or_missing_configuration_is_2_and_says_what_to_do(
    name: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[tiktok]\npercent = 101\n")
    for path in (wrong, tmp_path / "missing.toml"):
        result = CliRunner().invoke(group, ["--config", str(path), *complete(name)])
        assert result.exit_code == 2
        assert result.stderr.startswith("Error: ")
        assert "Try: " in result.stderr
        assert result.stdout == ""


NEEDS_STATE = {
    "status",
    "explain",
    "journal",
    "resolve",
    "resume",
    "scan",
    "backup",
    "plan",
    "undo",
}


async def test_without_a_state_database_what_needs_one_is_1_and_makes_none(tmp_path: Path) -> None:
    async with running(tmp_path) as w:
        for name in sorted(NEEDS_STATE):
            words = complete(name)
            if name == "plan":
                words[-1] = str(w.config)
            result = await w.ask(*words)
            assert (name, result.exit_code) == (name, 1)
            assert "Error: there is no state database" in result.stderr
            assert "Try: " in result.stderr
            assert not w.state.exists()


async def good(w: Running) -> None:
    await w.ask("once")
    w.made.shop.count("ITEM-01", "Berlin", 9)
    await w.ask("once")


async def held(w: Running) -> None:
    w.configure(changed=HOLD)
    await w.ask("once")
    w.made.shop.count("ITEM-00", "Berlin", 50)
    w.made.shop.count("ITEM-00", "Hamburg", 30)
    await w.ask("once")


async def paused(w: Running) -> None:
    await w.ask("once")
    for number in range(8):
        w.made.shop.count(f"ITEM-{number:02}", "Berlin", 0)
    await w.ask("once")


async def dead(w: Running) -> None:
    await good(w)
    w.made.shopify.revoke()


async def refusing(w: Running) -> None:
    stock = dict.fromkeys(w.made.shop.locations, 10)
    w.made.shop.add_item("BUNDLE", stock=stock, mutable=False)
    await w.ask("once")
    w.made.shop.sell_online("BUNDLE", "Berlin", 1)


Row = tuple[tuple[str, ...], int]
TABLE: dict[str, tuple[Callable[[Running], Awaitable[None]], tuple[Row, ...]]] = {
    "good": (
        good,
        (
            (("once", "--dry-run"), 0),
            (("check",), 0),
            (("status",), 0),
            (("explain", "ITEM-00"), 0),
            (("explain", "NOPE"), 1),
            (("journal",), 0),
            (("undo", LAST_PASS, "--dry-run"), 0),
            (("undo", LAST_PASS), 2),  # off a terminal, without --yes
            (("undo", LAST_PASS, "--yes"), 0),
            (("undo", LAST_PASS, "--dry-run"), 0),
            (("undo", "no-such-pass"), 1),
            (("resolve", "ITEM-00", "--use", "lowest"), 1),
            (("resume", "shopify"), 0),
            (("resume", "tiktok", "--yes"), 0),
            (("resume", "amazon"), 2),
            (("scan",), 0),
            (("plan", "--config", "the same"), 0),
            (("backup", "a new file"), 0),
            (("backup", "a file that exists"), 1),
            (("tiktok-login", "--code", "no-such-code"), 1),
            (("alert-test",), 2),
            (("once",), 0),
        ),
    ),
    "held": (
        held,
        (
            (("once", "--dry-run"), 3),
            (("once",), 3),
            (("check",), 3),
            (("status",), 0),
            (("undo", LAST_PASS), 3),
            (("resolve", "ITEM-00", "--use", "most"), 2),
            (("resolve", "ITEM-00", "--use", "30"), 0),  # --use is the answer
            (("once",), 0),
        ),
    ),
    "paused": (
        paused,
        (
            (("once", "--dry-run"), 3),
            (("once",), 3),
            (("scan",), 3),
            (("status",), 0),
            (("undo", LAST_PASS, "--dry-run"), 0),
            (("resume", "shopify"), 2),  # off a terminal, without --yes
            (("resume", "shopify", "--yes"), 0),
            (("resume", "tiktok", "--yes"), 0),
            (("once",), 0),
        ),
    ),
    "dead": (
        dead,
        (
            (("once",), 1),
            (("once", "--dry-run"), 1),
            (("check",), 1),
            (("scan",), 1),
            (("undo", LAST_PASS, "--yes"), 1),
            (("status",), 0),
        ),
    ),
    "refusing": (refusing, ((("once",), 3),)),
}


async def filled_in(w: Running, words: tuple[str, ...]) -> list[str]:
    """The words with what only this world knows."""
    known = {
        "the same": str(w.config),
        "a new file": str(w.home / "copy.db"),
        "a file that exists": str(w.config),
    }
    if LAST_PASS in words:
        known[LAST_PASS] = await last_pass(w)
    return [known.get(word, word) for word in words]


async def last_pass(w: Running) -> str:
    """The newest pass that counted something."""
    with scratch_copy(w.state) as path:
        async with Store.open(path) as store:
            rows = await store.journal.read(limit=1000)
    return str([row["pass"] for row in rows if row["kind"] in ("change", "undo")][-1])


@pytest.mark.parametrize("state", TABLE)
async def test_each_state_has_its_codes(state: str, tmp_path: Path) -> None:
    prepare, rows = TABLE[state]
    stock = {f"ITEM-{n:02}": 5 for n in range(20 if state == "paused" else 2)}
    async with running(tmp_path, locations=2, **stock) as w:
        w.shows(stock)
        await prepare(w)
        for words, code in rows:
            result = await w.ask(*(await filled_in(w, words)))
            assert (words, result.exit_code) == (words, code), result.output
            if code in (1, 2):
                assert "Error: " in result.output or "✗" in result.output
