"""Runs the jobs: one task each, round after round, until stopped.

The scheduler knows no interval. A round says itself when the next one is due, and an event may end
the rest before it. Jobs meet only in the store and by such events; none waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from invsyncd.net.tasks import first_failure
from invsyncd.status.watchdog import Watchdog, running_job


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is done in rounds. `run` does one and returns the seconds until the next one.

    `wake` ends a rest early. A stop cancels a round that is `droppable`; any other may finish.
    `first_s` is the rest before the first round, which `wake` ends too.
    """

    name: str
    run: Callable[[], Awaitable[float]]
    wake: asyncio.Event | None = None
    droppable: bool = False
    first_s: float = 0.0


class Scheduler:
    """Runs jobs until `stop` is called. `watchdog` hears when each will be heard of again."""

    def __init__(self, jobs: Sequence[Job], watchdog: Watchdog) -> None:
        self._jobs = jobs
        self._watchdog = watchdog
        self._stop = asyncio.Event()
        self._droppable: list[asyncio.Task[None]] = []

    def stop(self) -> None:
        """End every rest and every droppable round now; the other rounds may finish."""
        self._stop.set()
        for task in self._droppable:
            task.cancel()

    async def run(self) -> None:
        """All jobs, until stopped. A bug in one ends all: the process must be restarted."""
        try:
            async with asyncio.TaskGroup() as group:
                for job in self._jobs:
                    task = group.create_task(self._rounds(job), name=job.name)
                    if job.droppable:
                        self._droppable.append(task)
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None

    async def _rounds(self, job: Job) -> None:
        """Run under the job's name: whatever is answered in here is the progress of this job."""
        running_job.set(job.name)
        rest_s = job.first_s
        try:
            while not self._stop.is_set():
                if rest_s > 0:
                    self._watchdog.expect(job.name, rest_s)
                    await self._rest(job, rest_s)
                    if self._stop.is_set():
                        break
                if job.wake is not None:
                    job.wake.clear()
                self._watchdog.expect(job.name)
                rest_s = await job.run()
                await asyncio.sleep(0)  # a job without a rest must not keep the others from theirs
        finally:
            self._watchdog.ended(job.name)

    async def _rest(self, job: Job, seconds: float) -> None:
        """Sleep, but not past a stop or a wake-up."""
        until = [self._stop, *([job.wake] if job.wake is not None else [])]
        if any(event.is_set() for event in until):
            return
        waits = [asyncio.ensure_future(event.wait()) for event in until]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
