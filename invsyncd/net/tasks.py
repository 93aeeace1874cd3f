"""Runs several calls at once, and raises one error instead of a group of errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from invsyncd.errors import InvsyncError

T = TypeVar("T")


async def run_together(calls: Sequence[Callable[[], Awaitable[T]]], *, at_once: int = 8) -> list[T]:
    """Await all calls, at most `at_once` at a time; return the results in the order of the calls.

    The first failure cancels the rest and is raised. If several fail, an error that is not ours
    comes first: it is a bug, and must not hide behind a time-out.
    """
    results: dict[int, T] = {}
    waiting = iter(enumerate(calls))

    async def worker() -> None:
        for index, call in waiting:
            results[index] = await call()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(calls))):
                group.create_task(worker())
    except BaseExceptionGroup as failures:
        raise first_failure(failures) from None
    return [results[index] for index in range(len(calls))]


def first_failure(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one to raise in place of the group: a bug before any error of ours."""
    ours = [one for one in failures.exceptions if isinstance(one, InvsyncError)]
    bugs = [one for one in failures.exceptions if not isinstance(one, InvsyncError)]
    return (bugs or ours)[0]
