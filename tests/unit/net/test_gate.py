"""The gate in virtual time: order, slots, and no needless wake-ups."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invsyncd.net.admission import PATIENCE_S, Gate, Urgency
from invsyncd.net.rate_limit import Bucket, Claim
from tests.support import virtual
from tests.support.virtual import virtual as in_virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


class Through:
    """Requests through one gate and one bucket; `log` has (name, second) as they were let in."""

    def __init__(self, bucket: Bucket, *, at_once: int = 8, kept: int = 0) -> None:
        self.gate = Gate(at_once=at_once, kept=kept)
        self.bucket = bucket
        self.log: list[tuple[str, float]] = []
        self.busy_max = self._busy = 0

    async def go(
        self, name: str, cost: float, urgency: Urgency = Urgency.POLL, *, takes_s: float = 0.1
    ) -> None:
        claim = Claim(cost)
        async with self.gate.admit(partial(self.bucket.reserve, claim), urgency):
            self.log.append((name, now()))
            self._busy += 1
            self.busy_max = max(self.busy_max, self._busy)
            try:
                await asyncio.sleep(takes_s)
            finally:
                self._busy -= 1
                self.bucket.settle(claim, cost, None, now())

    @property
    def order(self) -> list[str]:
        return [name for name, _ in self.log]


def empty(rate: float = 100) -> Bucket:
    bucket = Bucket(maximum=2000, restore_rate=rate)
    claim = Claim(2000)
    assert bucket.reserve(claim, now()) == 0
    bucket.settle(claim, 2000, None, now())
    return bucket


@in_virtual_time
async def test_a_lone_request_goes_at_once() -> None:
    through = Through(Bucket())
    await through.go("sale", 10, Urgency.WRITE, takes_s=0)
    assert (through.log, through.gate.checks) == ([("sale", 0)], 1)


@in_virtual_time
async def test_the_most_urgent_of_those_who_wait_goes_first() -> None:
    through = Through(empty())
    async with asyncio.TaskGroup() as group:
        for urgency in (Urgency.SCAN, Urgency.POLL, Urgency.WRITE):
            group.create_task(through.go(urgency.value, 50, urgency))
    assert through.order == ["write", "poll", "scan"]


@in_virtual_time
async def test_a_write_that_comes_while_a_scan_gathers_points_passes_it() -> None:
    through = Through(empty())
    async with asyncio.TaskGroup() as group:
        group.create_task(through.go("scan", 500, Urgency.SCAN))
        await asyncio.sleep(1)
        group.create_task(through.go("write", 10, Urgency.WRITE))
    assert through.order == ["write", "scan"]
    assert [at for _, at in through.log] == pytest.approx([1, 5.1])


@in_virtual_time
async def test_a_cheap_request_that_is_no_more_urgent_does_not_pass_a_dear_one() -> None:
    through = Through(empty())
    async with asyncio.TaskGroup() as group:
        group.create_task(through.go("dear", 500))
        await asyncio.sleep(1)
        group.create_task(through.go("cheap", 10))
    assert through.order == ["dear", "cheap"]


@in_virtual_time
async def test_under_an_endless_storm_of_writes_a_scan_goes_after_its_patience() -> None:
    """Twice as many points are asked for as come back."""
    through = Through(empty())
    scan = asyncio.create_task(through.go("scan", 36, Urgency.SCAN))
    async with asyncio.TaskGroup() as group:
        for _ in range(3000):
            group.create_task(through.go("write", 10, Urgency.WRITE))
            await asyncio.sleep(0.05)
            if scan.done():
                break
    before = through.order.index("scan")
    # All that came within its patience, and not one write more.
    assert before == pytest.approx(PATIENCE_S[Urgency.SCAN] / 0.05, abs=2)


@in_virtual_time
async def test_no_more_are_on_the_wire_than_allowed_and_one_slot_is_for_writes() -> None:
    through = Through(Bucket(), at_once=4, kept=1)
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(through.go("page", 10, Urgency.SCAN, takes_s=5))
        await asyncio.sleep(1)
        pages = through.busy_max
        group.create_task(through.go("sale", 10, Urgency.WRITE, takes_s=0))
        await asyncio.sleep(0.01)
        last, at = through.log[-1]
        assert last == "sale"
        assert at == pytest.approx(1)
    assert (pages, through.busy_max) == (3, 4)


@in_virtual_time
async def test_who_gives_up_waiting_takes_nothing_and_holds_up_nobody() -> None:
    through = Through(empty())
    async with asyncio.TaskGroup() as group:
        impatient = group.create_task(through.go("impatient", 1000))
        group.create_task(through.go("next", 100))
        await asyncio.sleep(0.5)
        impatient.cancel()
    assert through.order == ["next"]
    assert through.log[0][1] == pytest.approx(1)


@in_virtual_time
async def test_a_limit_that_raises_turns_away_its_own_request_only() -> None:
    def never(_: float) -> float:
        raise ValueError("too late")

    through = Through(empty())
    async with asyncio.TaskGroup() as group:
        group.create_task(through.go("other", 100))
        with pytest.raises(ValueError, match="too late"):
            await through.gate.admit(never, Urgency.WRITE).__aenter__()
    assert through.order == ["other"]


scripts = st.lists(
    st.tuples(
        st.floats(0, 2),  # seconds after the one before
        st.integers(1, 150),  # points
        st.sampled_from(Urgency),
        st.floats(0, 3),  # seconds on the wire
        st.booleans(),  # gives up after a second
    ),
    min_size=1,
    max_size=30,
)


def played(script: list[tuple[float, int, Urgency, float, bool]], rate: float) -> Through:
    async def main() -> Through:
        through = Through(Bucket(maximum=100, restore_rate=rate), at_once=3, kept=1)

        async def one(cost: int, urgency: Urgency, takes_s: float, gives_up: bool) -> None:
            try:
                async with asyncio.timeout(1 if gives_up else None):
                    await through.go(urgency.value, cost, urgency, takes_s=takes_s)
            except TimeoutError:
                pass

        async with asyncio.TaskGroup() as group:
            for passed_s, cost, urgency, takes_s, gives_up in script:
                await asyncio.sleep(passed_s)
                group.create_task(one(cost, urgency, takes_s, gives_up))
        return through

    run: Callable[[], Through] = partial(virtual.run, main)
    return run()


@settings(deadline=None, max_examples=60)
@given(scripts, st.sampled_from([1.0, 100.0]))
def test_everybody_is_let_in_at_last_and_nobody_spins(
    script: list[tuple[float, int, Urgency, float, bool]], rate: float
) -> None:
    through = played(script, rate)
    staying = sum(not gives_up for *_, gives_up in script)
    assert staying <= len(through.log) <= len(script)
    assert through.busy_max <= 3
    # Each look has a cause: a request that came, went or ended, or a time that was told.
    assert through.gate.checks <= 6 * len(script)
