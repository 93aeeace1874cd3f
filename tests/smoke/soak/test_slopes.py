"""The slopes that the soak prints."""

from __future__ import annotations

import random

import pytest

from stress.soak.slopes import trend

SECONDS = [5.0 * n for n in range(100)]


def test_a_line_has_its_slope_and_no_error() -> None:
    found = trend(SECONDS, [3.0 + 0.5 * x for x in SECONDS])
    assert found.slope == pytest.approx(0.5)
    assert found.error == pytest.approx(0.0, abs=1e-9)
    assert found.grows(0.49)
    assert not found.grows(0.51)


def test_what_fills_up_during_the_warm_up_does_not_grow() -> None:
    found = trend(SECONDS, [min(x, 100.0) for x in SECONDS])
    assert (found.first, found.last, found.most) == (100.0, 100.0, 100.0)
    assert found.slope == pytest.approx(0.0)


def test_noise_does_not_grow_and_a_leak_under_the_same_noise_does() -> None:
    dice = random.Random(1)
    noise = [dice.gauss(100.0, 5.0) for _ in SECONDS]
    assert not trend(SECONDS, noise).grows(0.0)
    assert trend(SECONDS, [y + 0.1 * x for x, y in zip(SECONDS, noise, strict=True)]).grows(0.0)


def test_too_few_samples_are_no_trend() -> None:
    with pytest.raises(ValueError, match="sample longer"):
        trend(SECONDS[:8], SECONDS[:8])
