"""Cuts work into pages, and makes placeholders for a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

PAGE = 250
T = TypeVar("T")


def pages(values: Iterable[T], size: int = PAGE) -> Iterator[list[T]]:
    """Yield the values in lists of at most `size`."""
    source = iter(values)
    while page := list(islice(source, size)):
        yield page


def marks(count: int, width: int = 1) -> str:
    """Placeholders for `count` rows of `width` values: "(?,?),(?,?)", or "?,?" for width 1."""
    one = "?" if width == 1 else "(" + ",".join("?" * width) + ")"
    return ",".join([one] * count)
