"""Leads through a set-up: asks what is open, tries what was answered, asks again what was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from invsyncd.setup.answers import (
    NEEDS,
    Answers,
    Ask,
    Gathered,
    NotTried,
    Try,
    WrongAnswer,
    reopened,
)
from invsyncd.setup.questions import Question, implied, next_step


class Person(Protocol):
    """Who answers: a person at a terminal, or what was given beforehand."""

    def answer(self, question: Question, answers: Answers, found: Gathered, *, kept: bool) -> str:
        """The answer as a text; empty keeps the earlier answer, if there is one (`kept`)."""

    def is_wrong(self, error: WrongAnswer | NotTried, keys: Sequence[Ask], *, waits: bool) -> None:
        """Say what is wrong with the answers to `keys`; raise if nobody can answer again.

        `waits`: only for a word to try the same again.
        """


class Tries(Protocol):
    """What tries answers at the shops."""

    def result(self, trial: Try, answers: Answers, found: Gathered) -> object:
        """What the shop said; raises WrongAnswer, or NotTried where nobody answers."""


def interview(answers: Answers, tries: Tries, person: Person) -> tuple[Answers, Gathered]:
    """Ask and try until nothing is open."""
    found, earlier = Gathered(), dict[Ask, object]()
    while (step := next_step(answers, found)) is not None:
        try:
            if isinstance(step, Try):
                result = tries.result(step, implied(answers, found), found)
                found = found.but(step, result)
            else:
                answers = _answered(step, answers, found, earlier, person)
        except (WrongAnswer, NotTried) as error:
            held = {key: answers.get(key) for key in error.again if key is not Ask.CODE}
            earlier |= {key: value for key, value in held.items() if value is not None}
            asked = NEEDS[step] if isinstance(step, Try) else (step.key,)
            again = () if isinstance(step, Try) else asked
            answers, found = reopened(answers, found, error.again or again)
            keys = error.again or asked
            waits = isinstance(step, Try) and next_step(answers, found) is step
            person.is_wrong(error, keys, waits=waits)
    return implied(answers, found), found


def _answered(
    question: Question,
    answers: Answers,
    found: Gathered,
    earlier: dict[Ask, object],
    person: Person,
) -> Answers:
    kept = question.key in earlier
    text = person.answer(question, answers, found, kept=kept)
    if kept and not text.strip():
        value = earlier[question.key]
    else:
        value = question.read(text, answers, found)
    if question.key is Ask.SERVICE and isinstance(value, tuple):
        service, us = value  # a whole link says both
        return answers.but({Ask.SERVICE: service, Ask.US: answers.us if us is None else us})
    return answers.but({question.key: value})
