"""What is due by a clock that nobody sets."""

from __future__ import annotations

from invsyncd.core.clocks import Every, LoopSeconds


def at(seconds: float) -> LoopSeconds:
    return LoopSeconds(seconds)


def test_what_was_never_begun_is_due_at_once() -> None:
    assert Every(60).is_due(at(0))
    assert Every(60).is_due(at(-5))


def test_what_was_begun_is_due_again_after_its_interval_and_not_before() -> None:
    every = Every(60)
    every.begun(at(100))
    assert [every.is_due(at(now)) for now in (100, 159.9, 160, 1000)] == [False, False, True, True]


def test_what_is_wanted_at_once_waits_for_nothing() -> None:
    every = Every(60)
    every.begun(at(100))
    every.at_once()
    assert every.is_due(at(101))
