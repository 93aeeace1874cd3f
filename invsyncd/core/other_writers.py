"""Recognises another program that writes the same TikTok quantities, from how they moved.

TikTok names no author of a quantity: a person's edit, a buyer's order and another app all look the
same. Only their behaviour over time tells them apart.

A rise that gives back no held units is not a sale. One such rise is an edit, and is corrected.
Several within an hour come from somebody who puts their own number back each time.

A fall is harder. It is held as a sale, and the hold lowers what we want to exactly what the other
program wrote. So the conflict disappears, and begins again when the hold ends. But a sale
subtracts, while a writer assigns: a sale takes units from whatever we showed, and more sales
follow; a writer sets its own number once and leaves it until we write again. So moves count as
answers of a writer if each of our last writes was first answered by the same number, and nothing
moved in between. True sales can do that too. Three rules leave them out:
  - Sales stop at 0, because nothing is left to sell. Answers of 0 do not count.
  - Single units are sold after each rise to the same height (10 → 9, again and again). Answers
    from one height count only if more than one unit went each time.
  - A steady seller, read at steady times, falls by the same number now and then. But buyers who
    took n units in a time t do not then stay away. Answers count only if nothing moved for at
    least 3 t after each fall. At a steady rate that has a chance of e^(−3 n): for n = 2 it is 1 in
    400 each time. It is needed twice, on top of the same number three times.
A wrong guess costs a warning: the holds stay, and what is written does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

TIMES = 3  # moves that it takes to name another writer
WITHIN_S = 3600  # the moves lie within this time; an answer comes this soon after our write
QUIET = 3  # nothing moves after an answer for this many times as long as the answer took
KEPT = 12  # remembered moves of one offer: enough to see past sales in between
KEPT_S = 21 * 86_400  # three times the longest hold that can be set


@dataclass(frozen=True, slots=True)
class StockMove:
    """A reading of one offer that showed another quantity than the one that we had written.

    `stood` is the quantity before, in units, and `found` the one that was read. `explained` says
    that a sale or a cancelled order accounts for all of the difference. `wrote_at` is when we had
    written; 0 if this was not the first move since then.
    """

    at: int
    stood: int
    found: int
    explained: bool
    wrote_at: int = 0


@dataclass(frozen=True, slots=True)
class OtherWriter:
    """Another writer of one offer, presumed active until the Unix second `until`."""

    why: str
    until: int


def move(
    at: int, expected: Sequence[int], found: int, units: int, wrote_at: int = 0
) -> StockMove | None:
    """The move that a reading shows, or None if the reading shows what we expected.

    `expected` are the possible quantities: the confirmed one, and one on the wire. `units` is what
    was held because of the reading (see `sold()` in offer_rule.py).
    """
    if not expected or found in expected:
        return None
    stood = next((value for value in expected if value - found == units), max(expected))
    return StockMove(at, stood, found, explained=stood - found == units, wrote_at=wrote_at)


def other_writer(
    moves: Sequence[StockMove], now: int, *, hold_s: int, within_s: int = WITHIN_S
) -> OtherWriter | None:
    """The other writer of one offer, from its moves, oldest first; None if there is none at `now`.

    `hold_s` is how long a fall is held. During a hold we show the other writer's number, so it has
    no reason to write.
    """
    drift = [x for x in moves if not x.explained][-TIMES:]
    if len(drift) == TIMES and drift[-1].at - drift[0].at <= within_s:
        until = drift[-1].at + within_s
        if until > now:
            what = ", ".join(f"{x.stood} became {x.found}" for x in drift)
            return OtherWriter(
                f"moved {TIMES} times within {within_s // 60} minutes: {what}", until
            )
    answers = list(moves[-TIMES:])
    if len(answers) == TIMES and _assigned(answers, within_s):
        until = answers[-1].at + within_s + hold_s
        if until > now:
            stood = ", ".join(str(x.stood) for x in answers)
            found = answers[-1].found
            return OtherWriter(f"was set to {found} each time after we had written {stood}", until)
    return None


def _assigned(answers: Sequence[StockMove], within_s: int) -> bool:
    """Whether each of our writes was answered by the same number, as the module describes."""
    if any(not x.wrote_at or x.at - x.wrote_at > within_s for x in answers):
        return False
    if len({x.found for x in answers}) > 1 or answers[0].found == 0:
        return False
    falls = any(x.found < x.stood for x in answers)
    if falls and any(not _stayed(x, following) for x, following in pairwise(answers)):
        return False
    several_heights = len({x.stood for x in answers}) > 1
    return several_heights or all(abs(x.stood - x.found) > 1 for x in answers)


def _stayed(answer: StockMove, following: StockMove) -> bool:
    """Whether nothing moved for long enough between this answer and our next write."""
    return following.wrote_at - answer.at >= QUIET * (answer.at - answer.wrote_at)
