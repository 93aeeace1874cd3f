"""What all commands share: the product's default interval, numbers of locations, processor time.

Processor seconds are those of this process: in virtual time the sandbox's servers run in it too, so
the figure is an upper bound of what the daemon takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from invsyncd.config.shopify import PollSettings

INTERVAL_S: float = PollSettings.model_fields["interval_s"].default
LOCATIONS = (1, 4, 9, 20)


class Several(click.ParamType[tuple[int, ...]]):
    """Numbers with commas, or "all" for those that every figure is made for."""

    name = "numbers"

    def __init__(self, every: tuple[int, ...] = LOCATIONS, least: int = 1) -> None:
        self._every = tuple(one for one in every if one >= least)
        self._least = least

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """The numbers, in the order given."""
        if isinstance(value, tuple):
            return value
        if value == "all":
            return self._every
        try:
            found = tuple(int(one) for one in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers, such as 1,4", param, ctx)
        if not all(self._least <= one <= max(LOCATIONS) for one in found):
            self.fail(f"Choose from {self._least} to {max(LOCATIONS)}", param, ctx)
        return found


def locations_option(least: int = 1, default: str = "4") -> Callable[[Any], Any]:
    """The option --locations of a command."""
    every = Several(least=least)
    return click.option(
        "--locations",
        type=every,
        default=default,
        show_default=True,
        help=f'Numbers of locations with commas, or "all": {every.convert("all", None, None)}.',
    )


interval_option = click.option(
    "--interval-s", type=float, default=INTERVAL_S, show_default=True, help="poll.interval_s"
)


class Stopwatch:
    """Real and processor seconds since it was made."""

    def __init__(self) -> None:
        self._real, self._cpu = time.monotonic(), time.process_time()

    @property
    def cpu_s(self) -> float:
        """Processor seconds of this process."""
        return time.process_time() - self._cpu

    def line(self, how: str = "simulated") -> str:
        """What to print below a table."""
        took_s = time.monotonic() - self._real
        return (
            f"({how}; it took {took_s:.0f} s, {self.cpu_s:.1f} s of the processor, "
            "the sandbox's servers included)"
        )
