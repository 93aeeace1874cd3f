"""Virtual time: asyncio's own loop with real sockets and real threads, but a clock that jumps.

The clock stands still while anything is under way (bytes on a loopback socket, a statement in
SQLite's thread) and jumps to the next timer when nothing is. An hour of intervals, retries and
time-outs passes in milliseconds, and always in the same order.
"""

from __future__ import annotations

import asyncio
import functools
import queue
import selectors
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import aiosqlite.core

T = TypeVar("T")

EPOCH = 1_795_300_000  # where every virtual world begins, in Unix seconds
GRACE_S = 0.0003  # real seconds in which bytes on loopback may still arrive
DEADLOCK_S = 10  # real seconds without anything, after which nothing will come any more


class _Selector(selectors.DefaultSelector):
    """Asks for events without waiting; when there are none and nothing is under way, time jumps."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        while self.loop.under_way:
            if events := super().select(0.5):
                return events
        if events := super().select(GRACE_S):
            return events
        if timeout is None:
            if events := super().select(DEADLOCK_S):
                return events  # the machine was too busy to carry a window update in time
            raise RuntimeError("deadlock: nothing is scheduled and nothing is under way")
        self.loop.jump(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose `time()` is virtual seconds since its start."""

    def __init__(self) -> None:
        self._now = 0.0
        self._under_way = 0
        self._lock = threading.Lock()
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    @property
    def under_way(self) -> int:
        """Work in threads that will report to this loop."""
        return self._under_way

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def begin(self) -> None:
        """Something was handed to a thread."""
        with self._lock:
            self._under_way += 1

    def end(self, _: object = None) -> None:
        """It has reported."""
        with self._lock:
            self._under_way -= 1

    def run_in_executor(  # type: ignore[override]  # the stub of the base is an overload
        self, executor: Any, func: Any, *args: Any
    ) -> Any:
        """Count what runs in a pool."""
        self.begin()
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self.end)
        return future


class _CountingQueue(queue.SimpleQueue[Any]):
    """aiosqlite's work queue; each statement is under way until its future is done."""

    def put_nowait(self, item: Any) -> None:
        future = item[0]
        loop = None if future is None else future.get_loop()
        if isinstance(loop, VirtualLoop):
            loop.begin()
            future.add_done_callback(loop.end)
        super().put_nowait(item)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        self.put_nowait(item)


setattr(aiosqlite.core, "SimpleQueue", _CountingQueue)  # noqa: B010 (a name it does not export)


def clock() -> float:
    """Unix seconds of the running virtual world."""
    return EPOCH + asyncio.get_running_loop().time()


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in a virtual world of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, None]])


def virtual(test: F) -> F:
    """Mark an async test as one that runs in virtual time."""

    @functools.wraps(test)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        run(functools.partial(test, *args, **kwargs))

    return cast("F", wrapper)
