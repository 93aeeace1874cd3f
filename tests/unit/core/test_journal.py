"""The words of the journal, and that nobody else reads them out of text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from invsyncd.core.journal import DONE, MOVES_POOL, EntryKind, Outcome, moves_pool, outcome_of

PRODUCT = Path(__file__).parents[3] / "invsyncd"


def test_the_stored_words_stay_as_they_are() -> None:
    assert [kind.value for kind in EntryKind] == [
        *("change", "join", "leave", "out of the mirror", "into the mirror", "resolved", "undo"),
        *("write", "hold", "drift", "another writer", "parked", "woken", "missing", "ceiling"),
        *("backorder", "lost", "found", "rematched", "shared"),
        *("paused", "resumed", "differs", "unreadable", "scan"),
    ]
    assert [outcome.value for outcome in Outcome] == [
        *("planned", "paused", "applied", "confirmed", "stale", "refused", "unknown")
    ]


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_is_read_from_the_first_word_of_its_sentence(outcome: Outcome) -> None:
    for sentence in (outcome.value, outcome.because("confirmed: 7 applied"), outcome.because("")):
        assert Outcome.of(sentence) is outcome
        assert outcome_of({"outcome": sentence}) is outcome


@pytest.mark.parametrize("line", [{}, {"outcome": ""}, {"outcome": "refusedly"}, {"outcome": None}])
def test_the_word_of_another_version_is_no_outcome(line: dict[str, object]) -> None:
    assert outcome_of(line) is None
    assert outcome_of(line) not in DONE
    with pytest.raises(ValueError, match="is not a valid Outcome"):
        Outcome.of(str(line.get("outcome", "")))


@pytest.mark.parametrize("kind", EntryKind)
def test_a_line_moves_the_pool_by_its_kind_and_its_numbers(kind: EntryKind) -> None:
    assert moves_pool({"kind": kind.value, "pool_before": 2, "pool": 9}) is (kind in MOVES_POOL)
    assert not moves_pool({"kind": kind.value, "of": "P1", "refused": "a change was counted since"})
    assert not moves_pool({"kind": kind.value, "pool_before": 2, "pool": None})


def test_a_transfer_moves_no_pool() -> None:
    assert not moves_pool({"kind": "change", "pool_before": 9, "pool": 9})


def _literals(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def _asks_for(node: ast.AST, name: str) -> bool:
    """Whether it holds `x["name"]` or `x.get("name")`."""
    return any(
        isinstance(one, ast.Subscript | ast.Call) and name in _literals(one)
        for one in ast.walk(node)
    )


def cut_apart(source: str) -> list[str]:
    """Where a kind or an outcome is compared with text, or the text of an outcome is cut."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            words = {word for side in sides for word in _literals(side)} - {"kind", "outcome"}
            named = any(_asks_for(side, x) for side in sides for x in ("kind", "outcome"))
            if named and words & {*EntryKind, *Outcome}:
                found.append(ast.unparse(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_cut = node.func.attr in ("startswith", "split", "partition", "removeprefix")
            if is_cut and "outcome" in ast.unparse(node.func.value):
                found.append(ast.unparse(node))
    return found


def test_nobody_else_compares_kinds_with_text_or_cuts_outcomes() -> None:
    modules = [x for x in PRODUCT.rglob("*.py") if "sandbox" not in x.parts]
    found = {x.name: cut for x in modules if (cut := cut_apart(x.read_text(encoding="utf-8")))}
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        'x = row["kind"] == "write"',
        'x = row["kind"] in ("change", "resolved")',
        'x = line["outcome"] == "applied"',
        'x = str(row["outcome"]).startswith("refused")',
        'x = outcome.split(":")[0]',
        'x = row.get("outcome") != "stale"',
    ],
)
def test_the_reading_of_words_out_of_text_is_found(source: str) -> None:
    assert cut_apart(source)
