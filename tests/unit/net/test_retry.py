"""Retries: what is tried again, how often, and how long the waits are."""

import asyncio

import pytest

from invsyncd.errors import InvalidResponse, InvsyncError, Refused, Unauthorised, Unavailable
from invsyncd.net.admission import Gate
from invsyncd.net.retry import Patience, retried
from invsyncd.net.tasks import run_together

AT_ONCE = Patience(attempts=3, jitter=lambda longest_s: 0.0)


class Calls:
    """A call that fails as the script says and then returns 7; it counts."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.made = list(failures), 0

    async def __call__(self) -> int:
        self.made += 1
        if self.failures:
            raise self.failures.pop(0)
        return 7


async def test_what_was_not_reached_is_tried_again() -> None:
    call = Calls(Unavailable("a"), Unavailable("b"))
    assert await retried(call, patience=AT_ONCE) == 7
    assert call.made == 3


async def test_the_last_failure_is_raised_when_the_tries_are_used_up() -> None:
    call = Calls(Unavailable("a"), Unavailable("b"), Unavailable("c"))
    with pytest.raises(Unavailable, match="c"):
        await retried(call, patience=AT_ONCE)
    assert call.made == 3


@pytest.mark.parametrize(
    "failure", [Refused("no"), InvalidResponse("?"), Unauthorised("who"), ValueError("bug")]
)
async def test_nothing_else_is_tried_again(failure: Exception) -> None:
    call = Calls(failure)
    with pytest.raises(type(failure)):
        await retried(call, patience=AT_ONCE)
    assert call.made == 1


async def test_a_failure_may_be_told_not_to_be_repeated() -> None:
    call = Calls(Unavailable("a"))
    with pytest.raises(Unavailable):
        await retried(call, patience=AT_ONCE, may_repeat=lambda failure: False)
    assert call.made == 1


async def test_waits_grow_and_are_never_shorter_than_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    failures = [Unavailable("x", retry_after_s=asked) for asked in (None, None, None, 9, None)]
    patience = Patience(
        attempts=6, first_s=1, wait_s_max=5, total_s=1000, jitter=lambda longest_s: longest_s
    )
    await retried(Calls(*failures), patience=patience)
    assert waits == [1, 2, 4, 9, 5]


async def test_a_wait_that_does_not_fit_is_not_begun() -> None:
    call = Calls(Unavailable("later", retry_after_s=3600))
    with pytest.raises(Unavailable) as caught:
        await retried(call, patience=Patience(total_s=60))
    assert (call.made, caught.value.retry_after_s) == (1, 3600)


async def test_the_gate_lets_in_first_come_first_served_and_only_so_many() -> None:
    gate, order, inside = Gate(at_once=2), list[int](), list[int]()
    most = 0

    async def visit(number: int) -> None:
        nonlocal most
        async with gate.admit(lambda now: 0.0):
            order.append(number)
            inside.append(number)
            most = max(most, len(inside))
            await asyncio.sleep(0)
            inside.remove(number)

    async with asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(visit(number))
    assert order == list(range(10))
    assert most == 2


async def test_the_gate_asks_again_until_it_may() -> None:
    asked = iter([0.001, 0.001, 0.0])
    async with Gate(at_once=1).admit(lambda now: next(asked)):
        assert next(asked, None) is None


async def test_calls_made_together_keep_their_order() -> None:
    async def call(number: int) -> int:
        await asyncio.sleep(0.001 * (5 - number))
        return number

    calls = [lambda n=n: call(n) for n in range(5)]
    assert await run_together(calls, at_once=3) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("failures", "raised"),
    [
        ([Unavailable("a"), Unavailable("a")], Unavailable),
        ([Unavailable("a"), ValueError("bug")], ValueError),
    ],
)
async def test_of_several_failures_one_is_raised_and_a_bug_first(
    failures: list[Exception], raised: type[Exception]
) -> None:
    ready = asyncio.Barrier(len(failures))

    async def fail(failure: Exception) -> None:
        await ready.wait()
        raise failure

    calls = [lambda one=one: fail(one) for one in failures]
    with pytest.raises(raised):
        await run_together(calls)


def test_every_error_of_ours_can_give_advice() -> None:
    assert InvsyncError("x", advice="do y").advice == "do y"
