"""trying: how long a refused or unanswered listing waits for its next try (law 11).

Nothing waits longer than 15 minutes. What is owed downwards, which is offered above what exists,
waits at most 1 minute. The waits of one listing grow as long as it fails.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from invsyncd.core.model import Listing

AGAIN_S: Final = 60.0  # a refused listing waits so long for its next try, at least
AGAIN_S_MAX: Final = 900.0  # and so long at most, however often it was refused
FALL_AGAIN_S_MAX: Final = 60.0  # so long at most, where it shows more than it should
CALLS_MIN: Final = 15  # so many calls a round has at any pace
ROUND_S: Final = 2.0  # otherwise so many as are sent in this time
RETRIED_MAX: Final = 5  # so many listings that failed before go ahead of what never failed


def wait_s(failures: int, first_s: float = AGAIN_S) -> float:
    """The seconds to wait after a failure; `failures` is how many came before it."""
    return min(max(first_s, AGAIN_S * 2.0 ** min(failures, 10)), AGAIN_S_MAX)


def waits_over(waited_s: float, wait_s: float, *, falls: bool) -> bool:
    """Whether a listing that has waited so long may be tried. `falls`: it is owed a decrease."""
    return waited_s >= (min(wait_s, FALL_AGAIN_S_MAX) if falls else wait_s)


def calls_in_round(per_s: float) -> int:
    """How many calls fit into one round at this pace. `per_s` is 0 where no call was made yet.

    After a round the guard, the audit and the holds have their turn, and new decreases come first
    again. A fast shop would stand idle at the end of many short rounds.
    """
    return max(CALLS_MIN, int(per_s * ROUND_S))


def in_turn(
    fresh: Sequence[Listing],
    failed: Sequence[Listing],
    falling: Collection[tuple[str, str]],
    room: int,
) -> list[Listing]:
    """The order in which listings are written; about `room` of them fit into one round.

    Decreases come before increases, but one increase has a place among the first: a new listing
    must not show 0 as long as a rush lasts. A few of those that `failed` before get a place among
    the first, and the rest comes last: refusals must neither starve nor hold up what never failed.
    """
    falls = [x for x in fresh if x.key in falling]
    rises = [x for x in fresh if x.key not in falling]
    before = max(room - RETRIED_MAX - 1, 0)
    return [
        *falls[:before],
        *rises[:1],
        *failed[:RETRIED_MAX],
        *falls[before:],
        *rises[1:],
        *failed[RETRIED_MAX:],
    ]
