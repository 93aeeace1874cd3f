"""A small seeded share of `python -m stress.hostile run`, and the defects that it found."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stress.hostile.mutations import Raw, mutated
from stress.hostile.operations import OPERATIONS, Records, record
from stress.hostile.parsers import changed, judged
from tests.support import virtual

RECORDS: list[Records] = []


def records() -> Records:
    if not RECORDS:
        RECORDS.append(virtual.run(record))
    return RECORDS[0]


@st.composite
def hostile_answers(draw: st.DrawFn) -> tuple[int, Raw]:
    """An operation, by its number, and its honest answer after one to three mutations."""
    number = draw(st.integers(0, len(OPERATIONS) - 1))
    dice = random.Random(draw(st.integers(0, 2**32)))
    return number, changed(records(), OPERATIONS[number], dice)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow],
)
@given(hostile_answers())
def test_a_changed_answer_is_refused_harmless_or_a_lie_that_nobody_can_see_through(
    given_answer: tuple[int, Raw],
) -> None:
    number, raw = given_answer
    verdict = virtual.run(lambda: judged(records(), OPERATIONS[number], raw))
    assert verdict.violation == "", raw.how


def test_every_operation_has_an_honest_answer_that_is_taken() -> None:
    for operation in OPERATIONS:
        honest = records().honest(operation)
        verdict = virtual.run(lambda o=operation, h=honest: judged(records(), o, h))  # type: ignore[misc]
        assert verdict.outcome == "harmless", operation.name


def test_the_judge_itself_sees_a_number_that_was_made_up() -> None:
    poll = next(one for one in OPERATIONS if one.name == "Shopify POLL, first page")
    honest = records().honest(poll)
    body = honest.body.replace(b'"available","quantity":50', b'"available","quantity":51')
    assert body != honest.body
    verdict = virtual.run(lambda: judged(records(), poll, Raw(200, body, honest.headers)))
    assert verdict.violation


def test_mutations_are_the_same_for_the_same_seed() -> None:
    honest = Raw(200, b'{"data":{"a":[1,2,{"b":"c"}]}}')
    assert mutated(random.Random(7), honest, 3) == mutated(random.Random(7), honest, 3)
