"""The benchmarks run, at sizes that say nothing about speed, and name what they promise."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from benchmarks.__main__ import group
from benchmarks.common import Several
from benchmarks.load import STOCK, Change, shown_at
from benchmarks.mirror import traces
from invsyncd.config.shopify import PollSettings


@pytest.fixture(autouse=True)
def _logging_again() -> Iterator[None]:
    """The commands silence the log of their process."""
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("command", "figures"),
    [
        ("latency --changes 3 --items 2", ["p99", "ratio", "both", "of the processor"]),
        (
            "latency --changes 2 --items 2 --locations 1,9 --interval-s 30",
            ["1 locations", "9 locations"],
        ),
        (
            "load --per-s 2 --minutes 0.1 --lone 2 --interval-s 15",
            ["alone", "2/s", "worst", "429s", "CPU"],
        ),
        (
            "rest --shops 2x1,3x9 --hours 0.01 --interval-s 60",
            ["2 × 1", "3 × 9", "points an hour", "bulk operations", "first change"],
        ),
        (
            "mirror --changes 6 --only burst --interval-s 30",
            ["burst at 30 s", "Mechanic's points ÷ ours", "CPU"],
        ),
        ("burst --changes 5 --polls-after 1", ["points per mirrored change", "THROTTLED", "CPU"]),
        ("burst --changes 5 --polls-after 1 --locations 9", ["at 9 locations"]),
        ("market --listings 3 --warehouses 2", ["update_inventory", "all written after"]),
        (
            "rush --listings 4 --writes-per-s 0 --seconds 20 --locations 1",
            ["the shop takes", "in 120 s", "after a restart", "4 in", "429s"],
        ),
        (
            "pages --items 60 --lines 100 --requests 2",
            ["the page /", "middle of a SKU", "the filter owed", "suggestions", "median", "worst"],
        ),
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


def test_the_interval_of_every_command_is_that_of_the_product() -> None:
    usual = PollSettings().interval_s
    asked = [
        option.default
        for command in group.commands.values()
        for option in command.params
        if option.name == "interval_s"
    ]
    assert len(asked) >= 7
    assert set(asked) == {usual}


def test_the_quiet_shop_is_compared_at_two_and_at_five_seconds() -> None:
    burst, flash, quiet = traces(6, seed=1)
    assert (quiet.name, quiet.intervals_s) == ("quiet: 64 changes in 1 h", (2.0, 5.0))
    assert burst.intervals_s == (2.0,)
    assert 2.0 in flash.intervals_s


def test_all_locations_means_one_four_nine_and_twenty() -> None:
    assert Several().convert("all", None, None) == (1, 4, 9, 20)
    assert Several(least=2).convert("all", None, None) == (4, 9, 20)
    assert Several().convert("20,1", None, None) == (20, 1)
    for wrong in ("0", "21", "four"):
        with pytest.raises(click.BadParameter):
            Several().convert(wrong, None, None)


def test_two_changes_that_cancel_out_need_no_update_and_a_later_one_stands_for_an_earlier() -> None:
    def change(at: float, pool: int) -> Change:
        return Change(at, 1, "L", pool)

    alone = [change(0, STOCK - 1)]
    assert shown_at(alone, [(3.0, STOCK - 1)]) == 3.0
    cancelled = [change(0, STOCK - 1), change(5, STOCK)]
    assert shown_at(cancelled, []) == 5
    overtaken = [change(0, STOCK - 1), change(5, STOCK - 2)]
    assert shown_at(overtaken, [(7.0, STOCK - 2), (90.0, STOCK - 1)]) == 7.0
