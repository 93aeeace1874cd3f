"""The shortest histories of the defects that the state machine found."""

from __future__ import annotations

import pytest

from stress.exactly.history import PARTIAL, Act, History, Pass, Setting, Trouble
from stress.exactly.stage import play_through

UNSENT = (
    # Six rounds came back stale; the seventh attempt was planned, never sent, then "repeated".
    Setting(places=2, items=1, first=0, lag_s=10, replica_s=20),
    [Pass(((41, Act("till", 0, 1, 3)),)), Act("till", 0, 0, 3)],
)
UNFENCED = (
    # A repeated attempt was confirmed without a time: an older direct read passed for a change.
    Setting(items=3, first=5, replica_s=20),
    [
        Pass(((6, Act("till", 1, 0, 3)),)),
        Trouble("shopify", "500-before", 4, "SetQuantities"),
        Pass(((32, Act("till", 1, 0, 1)),)),
        Pass(),
    ],
)
HALF = (
    # Of a repeated attempt one row is stale, and the answer says that the others were written.
    Setting(server=PARTIAL, places=3, items=1),
    [
        Act("till", 0, 0, 2),
        Trouble("shopify", "429", 4, "SetQuantities"),
        Pass(),
        Act("till", 0, 1, 1),
    ],
)
TWICE = (
    # In the third round it was forgotten that the first had written this level: that write was
    # then merged as a change of the shop's.
    Setting(server=PARTIAL, in_flight_s=5, page_rows=2, dice=346763279, lossy=False),
    [
        Pass(((39, Act("online", 1, 3, 1)), (59, Act("online", 1, 0, 1)))),
        Pass(
            (
                (4, Act("receive", 0, 3, 4)),
                (35, Act("online", 1, 3, 2)),
                (106, Act("online", 2, 3, 4)),
                (118, Act("till", 1, 0, 1)),
            )
        ),
    ],
)


FOUND = {"unsent": UNSENT, "unfenced": UNFENCED, "half": HALF, "twice": TWICE}


@pytest.mark.parametrize(("setting", "history"), FOUND.values(), ids=FOUND)
def test_what_was_found_stays_mended(setting: Setting, history: History) -> None:
    play_through(setting, history, oracle=False)
