"""drift: what moved on TikTok without us, and whether another program is writing there.

TikTok names no author of a quantity, so a person's edit, a buyer's order and another app all look
the same: the number moved. What tells them apart is what they do over time.

A rise that gives nothing back is nobody's sale. One is an edit, and corrected; several within the
hour are somebody who puts his own number back each time.

A fall is harder, because it is held as a sale, and the hold lowers what we want to exactly what
the other program wrote: the fight is over before it shows, and begins again when the hold ends.
But a sale *subtracts* and a writer *assigns*. A sale lands wherever we stood minus some units, and
further sales follow; a writer lands on its own number, once, and stays there until we write again.
So a row of answers counts when each of our last writes was answered first by the same number, and
nothing moved in between. True sales can do that too, and what they do does not count:
  - they stop at 0, because nothing is left to sell: a row that lands on 0 tells nothing;
  - single units are sold after each rise to the same height (10 → 9, again and again): a row from
    one and the same height counts only where more than one unit went each time;
  - what sells steadily, read at steady times, falls by the same number now and then. But buyers
    who took n units in a time t do not then stay away: the row counts only where, after each fall,
    nothing moved for at least 3 t. At a steady rate that has a chance of e^(−3 n), so for n = 2 a
    chance of 1 in 400 each time, and a row needs it twice, on top of the same number three times.
To be wrong about it costs a warning: the holds stay, and what is written does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

TIMES = 3  # so many moves name another writer
WITHIN_S = 3600  # so close together; and so soon after our write an answer to it comes
QUIET = 3  # after an answer nothing moves for so many times as long as the answer took
KEPT = 12  # moves of one offer that are remembered: enough to look past sales in between
KEPT_S = 21 * 86_400  # three holds of the longest kind that can be set


@dataclass(frozen=True, slots=True)
class StockMove:
    """A reading of one offer that showed another quantity than the one that we had written.

    `stood` is what it showed before, in units, `found` what it shows; `explained` says that a sale
    or a cancelled order accounts for all of it. `wrote_at` is when we had written, 0 where this
    was not the first move since.
    """

    at: int
    stood: int
    found: int
    explained: bool
    wrote_at: int = 0


@dataclass(frozen=True, slots=True)
class OtherWriter:
    """Another writer of one offer; taken to be at work until the Unix second `until`."""

    why: str
    until: int


def move(
    at: int, expected: Sequence[int], found: int, units: int, wrote_at: int = 0
) -> StockMove | None:
    """The move that a reading shows, or None where it shows what we expected.

    `expected` are the quantities that may stand there: confirmed, and on the wire. `units` is what
    was held because of it (see `hold.sold`).
    """
    if not expected or found in expected:
        return None
    stood = next((value for value in expected if value - found == units), max(expected))
    return StockMove(at, stood, found, explained=stood - found == units, wrote_at=wrote_at)


def other_writer(
    moves: Sequence[StockMove], now: int, *, hold_s: int, within_s: int = WITHIN_S
) -> OtherWriter | None:
    """Name another writer of one offer, given its moves from the oldest to the newest.

    `hold_s` is how long a fall is held: for so long another writer can be content with what we
    show. None where nobody else is at work at `now`.
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
    """Whether our writes were each answered by one and the same number; see the reasons above."""
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
    """Whether nothing moved from this answer to our next write for long enough."""
    return following.wrote_at - answer.at >= QUIET * (answer.at - answer.wrote_at)
