"""How long a listing waits for its next try, and whose turn comes first (law 11)."""

from __future__ import annotations

import pytest

from invsyncd.core.model import Listing
from invsyncd.core.trying import AGAIN_S_MAX, calls_in_round, in_turn, wait_s, waits_over


@pytest.mark.parametrize(("failures", "waits"), list(enumerate([60, 120, 240, 480, 900, 900])))
def test_waits_grow_to_15_minutes_and_no_further(failures: int, waits: int) -> None:
    assert wait_s(failures) == waits
    assert wait_s(10**9) == AGAIN_S_MAX == 900


@pytest.mark.parametrize("wait", [0, 60, 480, 900])
def test_a_decrease_waits_one_minute_at_most(wait: int) -> None:
    assert waits_over(60, wait, falls=True)
    assert waits_over(wait, wait, falls=False)
    assert not waits_over(min(wait, 60) - 1, wait, falls=True)


def test_refusals_neither_starve_nor_hold_up_what_never_failed() -> None:
    fresh = [Listing("p", f"fresh-{n}", "") for n in range(30)]
    failed = [Listing("p", f"failed-{n}", "") for n in range(30)]
    falling = {x.key for x in (*fresh[10:], *failed)}
    order = [x.sku_id for x in in_turn(fresh, failed, falling, 15)]
    assert len(set(order)) == 60
    falls = [f"fresh-{n}" for n in range(10, 30)]
    assert order[:15] == [*falls[:9], "fresh-0", *(f"failed-{n}" for n in range(5))]
    assert order[15:35] == [*falls[9:], *(f"fresh-{n}" for n in range(1, 10))]


@pytest.mark.parametrize(("per_s", "calls"), [(0, 15), (1, 15), (7.5, 15), (10, 20), (15, 30)])
def test_a_round_has_15_calls_or_as_many_as_are_sent_in_two_seconds(
    per_s: float, calls: int
) -> None:
    assert calls_in_round(per_s) == calls
