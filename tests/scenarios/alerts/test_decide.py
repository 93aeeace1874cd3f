"""Which messages people get, and when: decided from values, by a clock that the test holds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from invsyncd.alerts.decide import (
    HELD,
    NOT_READY,
    QUIET_S,
    Memory,
    Message,
    Situation,
    Snapshot,
    mark_sent,
    messages_due,
    observe,
)

START = 1_795_300_000.0
MINUTE_S = 60.0
STALE_AFTER_S = 300.0
BAD = Situation(True, "TikTok is paused", "12 of 20 listings would show 0")
GOOD = Situation(False, "TikTok is written again")


@dataclass
class People:
    """Somebody who is told, and takes every message while `there`."""

    memory: Memory = field(default_factory=Memory)
    there: bool = True
    now: float = START
    heard: list[tuple[float, Message]] = field(default_factory=list)

    def look(
        self,
        after_s: float = 0,
        *,
        paused: Situation | None = None,
        reasons: tuple[str, ...] = (),
        ready: bool | None = None,
        held: tuple[tuple[int, str], ...] | None = (),
    ) -> list[Message]:
        """Time passes, and this is seen; returns what is due."""
        self.now += after_s
        situations = {} if paused is None else {"paused": paused}
        is_ready = not reasons if ready is None else ready
        snapshot = Snapshot(self.now, is_ready, reasons, situations, held)
        self.memory = observe(self.memory, snapshot)
        messages = messages_due(self.memory, snapshot, STALE_AFTER_S)
        for message in messages if self.there else ():
            self.memory = mark_sent(self.memory, message, self.now)
            self.heard.append((self.now, message))
        return list(messages)


@pytest.fixture
def people() -> People:
    return People()


def items(*numbers: int) -> tuple[tuple[int, str], ...]:
    return tuple((number, f"SKU-{number}") for number in numbers)


def test_at_rest_nobody_is_told_anything(people: People) -> None:
    assert people.look(paused=GOOD) == []
    assert people.look(86_400, paused=GOOD) == []


def test_an_alarm_is_told_once_and_its_all_clear_once(people: People) -> None:
    (alarm,) = people.look(paused=BAD)
    assert (alarm.alarm, alarm.title, alarm.text) == (True, BAD.title, BAD.text)
    assert people.look(7 * 86_400, paused=BAD) == []
    (clear,) = people.look(1, paused=GOOD)
    assert (clear.alarm, clear.title) == (False, GOOD.title)
    assert people.look(1, paused=GOOD) == []


def test_what_is_not_known_changes_nothing(people: People) -> None:
    """As right after a restart: neither an all-clear, nor the alarm once more."""
    people.look(paused=BAD)
    assert people.look(10, paused=None) == []
    assert people.look(10, paused=BAD) == []


@pytest.mark.parametrize("period_s", [1, 7, 61, 599, 1801])
def test_a_reason_that_flaps_gives_one_alarm_and_one_all_clear_an_hour(
    people: People, period_s: float
) -> None:
    for turn in range(int(5 * QUIET_S / period_s)):
        people.look(period_s, paused=GOOD if turn % 2 else BAD)
    kinds = [message.alarm for _, message in people.heard]
    assert kinds == [turn % 2 == 0 for turn in range(len(kinds))]
    alarms = [at for at, message in people.heard if message.alarm]
    assert all(later - sooner >= QUIET_S for sooner, later in itertools.pairwise(alarms))
    assert len(alarms) >= 4


def test_an_alarm_that_was_silenced_is_told_when_the_hour_is_over_and_it_still_lasts(
    people: People,
) -> None:
    people.look(paused=BAD)
    people.look(10, paused=GOOD)
    assert people.look(10, paused=BAD) == []
    assert [message.alarm for message in people.look(QUIET_S, paused=BAD)] == [True]


def test_a_message_that_nobody_took_is_due_again(people: People) -> None:
    people.there = False
    assert len(people.look(paused=BAD)) == 1
    assert len(people.look(5, paused=BAD)) == 1
    people.there = True
    people.look(5, paused=BAD)
    assert people.look(5, paused=BAD) == []
    assert len(people.heard) == 1


def test_what_came_to_nothing_before_anybody_could_be_told_is_not_told(people: People) -> None:
    people.there = False
    people.look(paused=BAD)
    people.there = True
    assert people.look(5, paused=GOOD) == []


def test_a_clock_that_was_set_back_silences_nothing(people: People) -> None:
    people.look(paused=BAD)
    people.look(10, paused=GOOD)
    assert len(people.look(-10 * 86_400, paused=BAD)) == 1


def test_being_not_ready_is_told_after_stale_after_s_and_no_sooner(people: People) -> None:
    reasons = ('location "Berlin" was last read 90 s ago', "tiktok: no answer within 30 s")
    assert people.look(reasons=reasons) == []
    assert people.look(STALE_AFTER_S, reasons=reasons) == []
    (message,) = people.look(1, reasons=reasons)
    assert (message.topic, message.alarm) == (NOT_READY, True)
    assert message.title == "not ready for 5 minutes"
    assert message.text.splitlines() == list(reasons)
    (clear,) = people.look(1)
    assert (clear.topic, clear.alarm, clear.title) == (NOT_READY, False, "ready again")


def test_short_times_of_not_being_ready_do_not_add_up(people: People) -> None:
    for _ in range(20):
        assert people.look(1, reasons=("late",)) == []
        assert people.look(STALE_AFTER_S - 2, reasons=("late",)) == []
        assert people.look(1) == []


def test_it_counts_on_over_restarts_since_when_it_is_not_ready(people: People) -> None:
    """A daemon that dies every minute is not ready for longer than a minute."""
    people.look(reasons=("the first baseline is not complete",))
    again = People(memory=people.memory, now=people.now)
    assert len(again.look(STALE_AFTER_S + 1, reasons=("the first baseline is not complete",))) == 1


def test_not_being_ready_for_what_has_its_own_alarm_is_not_told_twice(people: People) -> None:
    people.look(paused=BAD, ready=False)
    assert people.look(86_400, paused=BAD, ready=False) == []


def test_newly_held_items_are_one_message_with_a_count_and_how_to_resolve_them(
    people: People,
) -> None:
    (message,) = people.look(held=items(*range(1, 8)))
    assert (message.topic, message.title) == (HELD, "7 items are held")
    commands = [line for line in message.text.splitlines() if line.startswith("invsyncd resolve")]
    assert commands == [f"invsyncd resolve SKU-{n} --use lowest" for n in range(1, 6)]
    assert "and 2 more" in message.text
    assert people.look(86_400, held=items(*range(1, 8))) == []


def test_only_items_that_were_not_told_before_are_told(people: People) -> None:
    people.look(held=items(1, 2))
    (message,) = people.look(QUIET_S, held=items(1, 2, 3))
    assert message.title == "1 item is held"
    assert "SKU-3" in message.text
    assert "SKU-1" not in message.text


def test_items_held_within_the_hour_come_in_one_message_at_its_end(people: People) -> None:
    people.look(held=items(1))
    for number in range(2, 6):
        assert people.look(60, held=items(*range(1, number + 1))) == []
    (message,) = people.look(QUIET_S, held=items(1, 2, 3, 4, 5))
    assert message.title == "4 items are held"


def test_an_item_that_is_held_again_is_news_and_the_last_one_to_go_is_the_all_clear(
    people: People,
) -> None:
    people.look(held=items(1, 2))
    assert people.look(10, held=items(2)) == []
    (clear,) = people.look(10, held=())
    assert (clear.topic, clear.alarm) == (HELD, False)
    (message,) = people.look(QUIET_S, held=items(1))
    assert "SKU-1" in message.text


def test_while_the_database_does_not_answer_nothing_is_said_of_held_items(people: People) -> None:
    people.look(held=items(1))
    assert people.look(10, held=None) == []
    assert people.look(QUIET_S, held=items(1)) == []


def test_a_sku_cannot_become_a_command_of_the_shell_that_it_is_pasted_into(people: People) -> None:
    (message,) = people.look(held=((1, "TEE; reboot"),))
    assert "invsyncd resolve 'TEE; reboot' --use lowest" in message.text
