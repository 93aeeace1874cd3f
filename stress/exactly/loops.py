"""Virtual time that also shuffles the order of tasks, and calls a hook at each SQL statement.

asyncio runs what is ready first in, first out, and a program may rely on that without knowing.
`ExactLoop` permutes runs of task steps that are ready together. Callbacks of transports and futures
stay where they are, because their order is part of asyncio's own contract. The hook is called at
every statement that is handed to SQLite, so that something may happen right there.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable

from tests.support.virtual import VirtualLoop

_STEPS = ("TaskStepMethWrapper", "TaskWakeupMethWrapper")  # of asyncio's C tasks


def _is_step_of_a_task(handle: asyncio.Handle) -> bool:
    callback = getattr(handle, "_callback", None)
    bound_to = getattr(callback, "__self__", None)
    return isinstance(bound_to, asyncio.Task) or type(callback).__name__ in _STEPS


class ExactLoop(VirtualLoop):
    """`seed` None keeps asyncio's own order."""

    def __init__(self, seed: int | None = None) -> None:
        self.bell: Callable[[], None] | None = None
        self.shuffled = 0
        self._dice = None if seed is None else random.Random(seed)
        super().__init__()

    def begin(self) -> None:
        """Ring, then count as the base does."""
        if self.bell is not None:
            self.bell()
        super().begin()

    def _run_once(self) -> None:
        if self._dice is not None:
            self._shuffle(self._ready, self._dice)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]

    def _shuffle(self, ready: deque[asyncio.Handle], dice: random.Random) -> None:
        first, count = 0, len(ready)
        while first < count:
            last = first
            while last < count and _is_step_of_a_task(ready[last]):
                last += 1
            if last - first > 1:
                self.shuffled += 1
                steps = [ready[n] for n in range(first, last)]
                dice.shuffle(steps)
                for n, step in enumerate(steps, first):
                    ready[n] = step
            first = max(last, first + 1)
