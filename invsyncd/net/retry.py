"""Retries: the only file that uses the library backoff.

Only Unavailable is repeated: it alone says that the same request may be sent again. What must stay
the same from try to try, such as an idempotency key, belongs to the caller's closure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

# The maintained fork, python-backoff. The ban keeps other files from importing the library.
import backoff  # noqa: TID251

from invsyncd.errors import Unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """The limits of retrying: the number of tries, and seconds in all, with waits and requests.

    `jitter` turns the longest wait, in seconds, into the actual wait. By default that is any number
    up to the longest (full jitter), so that clients that failed together do not return together.
    """

    attempts: int = 4
    total_s: float = 60.0
    first_s: float = 0.5
    wait_s_max: float = 20.0
    jitter: Callable[[float], float] = backoff.full_jitter


async def retried(
    call: Callable[[], Awaitable[T]],
    *,
    patience: Patience | None = None,
    may_repeat: Callable[[Unavailable], bool] | None = None,
) -> T:
    """Await `call()` until it returns, repeating it on Unavailable within `patience`.

    Waits grow exponentially with jitter, and are never shorter than what the other side asked for.
    If that does not fit into the time left, the error is raised at once, so that the caller can do
    something else meanwhile. `may_repeat` may refuse a repetition. Raises what `call` raised last.
    """
    limits = patience or Patience()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.total_s

    def time_left() -> float:
        return deadline - loop.time()

    async def is_final(failure: Exception) -> bool:
        if not isinstance(failure, Unavailable) or (
            may_repeat is not None and not may_repeat(failure)
        ):
            return True
        return (failure.retry_after_s or 0.0) >= time_left()

    # No max_time: backoff would measure it by its own clock, and shorten a wait that was asked
    # for. backoff calls every callable among the generator's arguments; hence the lambda.
    @backoff.on_exception(
        _waits,
        Unavailable,
        max_tries=limits.attempts,
        jitter=None,
        giveup=is_final,
        logger=None,
        limits=limits,
        time_left=lambda: time_left,
    )
    async def once() -> T:
        return await call()

    return await once()


def _waits(
    limits: Patience, time_left: Callable[[], float]
) -> Generator[float, Unavailable | None, None]:
    failure = yield 0.0
    longest_s = limits.first_s
    while True:
        asked_s = (failure.retry_after_s if failure is not None else None) or 0.0
        wait_s = limits.jitter(min(longest_s, limits.wait_s_max))
        failure = yield max(asked_s, min(wait_s, time_left()), 0.0)
        longest_s *= 2
