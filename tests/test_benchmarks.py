"""The benchmarks run, at sizes that say nothing about speed, and name what they promise."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import group


@pytest.fixture(autouse=True)
def _logging_again() -> Iterator[None]:
    """The commands silence the log of their process."""
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("command", "figures"),
    [
        ("latency --changes 3 --items 2", ["p99", "ratio", "both"]),
        ("burst --changes 5 --polls-after 1", ["points per mirrored change", "THROTTLED"]),
        ("market --listings 3 --warehouses 2", ["update_inventory", "all written after"]),
        ("merge --days 30", ["usual trade", "oversold", "last writer wins", "the table before"]),
        (
            "growth --items 20 --changes 4 --listings 2 --samples 2 --idle-s 0 --factors 1",
            ["p95", "seconds ÷ (points ÷ rate)", "first baseline", "full scan", "start"],
        ),
    ],
)
def test_each_command_ends_well_and_prints_its_figures(command: str, figures: list[str]) -> None:
    done = CliRunner().invoke(group, command.split(), catch_exceptions=False)
    assert done.exit_code == 0
    assert [name for name in figures if name not in done.output] == []
