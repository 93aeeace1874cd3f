"""The queue of requests: the most urgent first, and nobody waits for ever."""

from hypothesis import given
from hypothesis import strategies as st

from invsyncd.net.admission import PATIENCE_S, RequestQueue, Urgency


def served(queue: RequestQueue) -> list[Urgency]:
    """Everybody who waits, in the order of their turns."""
    order = []
    while (ticket := queue.first) is not None:
        queue.leave(ticket)
        order.append(ticket.urgency)
    return order


def test_those_who_came_together_go_by_urgency() -> None:
    queue = RequestQueue()
    for urgency in reversed(Urgency):
        queue.join(urgency, 0)
    assert served(queue) == list(Urgency)


def test_the_equally_urgent_go_as_they_came() -> None:
    queue = RequestQueue()
    tickets = [queue.join(Urgency.POLL, 0) for _ in range(5)]
    for ticket in tickets:
        assert queue.first is ticket
        queue.leave(ticket)


def test_a_write_passes_a_scan_until_the_scan_has_waited_for_its_patience() -> None:
    queue = RequestQueue()
    scan = queue.join(Urgency.SCAN, 0)
    write = queue.join(Urgency.WRITE, PATIENCE_S[Urgency.SCAN] - 0.1)
    assert queue.first is write
    queue.leave(write)
    queue.join(Urgency.WRITE, PATIENCE_S[Urgency.SCAN] + 0.1)
    assert queue.first is scan


@given(
    st.lists(st.tuples(st.sampled_from(Urgency), st.floats(0, 3)), min_size=1, max_size=60),
    st.integers(1, 5),
)
def test_nobody_is_passed_by_what_came_more_than_its_patience_later(
    arrivals: list[tuple[Urgency, float]], served_at_each: int
) -> None:
    """The bound on starving: after its patience a request waits only for what came before."""
    queue, now, came, order = RequestQueue(), 0.0, dict[int, float](), []
    for number, (urgency, passed_s) in enumerate(arrivals):
        now += passed_s
        came[queue.join(urgency, now).number] = now
        if number % served_at_each == 0 and queue.first is not None:
            order.append(queue.first)
            queue.leave(queue.first)
    while queue.first is not None:
        order.append(queue.first)
        queue.leave(queue.first)
    assert len(order) == len(arrivals)
    for place, passing in enumerate(order):
        for passed in (one for one in order[place + 1 :] if one.number < passing.number):
            later_s = came[passing.number] - came[passed.number]
            assert later_s <= PATIENCE_S[passed.urgency] - PATIENCE_S[passing.urgency] + 1e-9
