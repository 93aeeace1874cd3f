"""A few kills of the campaign `python -m stress.crash kills --kills 200 --seed 1`."""

from __future__ import annotations

import pytest

from stress.crash.kills import kill_often


@pytest.mark.timeout(150)
async def test_kill_9_under_load_loses_nothing_and_counts_nothing_twice() -> None:
    figures = await kill_often(kills=12, seed=1)
    assert figures.violations == []
    assert figures.kills == 12
    assert figures.sales > 0
    assert figures.mutations > 0
