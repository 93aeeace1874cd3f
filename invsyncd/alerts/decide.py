"""Decides which messages people get now: plain functions over frozen values.

Only transitions are reported: a reason that begins to hold, and its end. An alarm and its all-clear
belong together. After an alarm, the same reason gives no other alarm for an hour, however often
the reason comes and goes.

A message counts as sent only after a service took it. So a message that could not be sent is
made anew, in its newest form, and an alarm whose reason ended meanwhile is never sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from invsyncd.text import ends_hold

QUIET_S = 3600.0
SKUS_MAX = 5  # how many held SKUs a message names
NOT_READY = "not ready"
HELD = "held"
NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class Situation:
    """How one reason stands. The words are those of the alarm if `bad`, else of the all-clear."""

    bad: bool
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known at one moment. What is not known neither raises nor ends an alarm.

    `situations` has the reasons that are reported at once, by topic; an absent one is not known.
    `reasons` says why the daemon is not ready, without what a bad situation says already. `held`
    is (item id, SKU), None while the held items are not known. `numbers` is (name, sentence) of
    each number that is not what it should be, None while they are not known. `ways` has what each
    choice would give for a held item, and the page that ends its hold, by its id. `at` is in Unix
    seconds.
    """

    at: float
    ready: bool
    reasons: tuple[str, ...]
    situations: Mapping[str, Situation]
    held: tuple[tuple[int, str], ...] | None
    numbers: tuple[tuple[str, str], ...] | None = None
    ways: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Announced:
    """The last alarm of one reason: its Unix second, and whether its all-clear is still owed."""

    at: float
    open: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """What was reported, kept over restarts.

    `held` has the item ids that were reported as held, `numbers` the names of reported numbers.
    """

    announced: Mapping[str, Announced] = field(default_factory=dict)
    not_ready_since: float | None = None
    held: frozenset[int] = frozenset()
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Message:
    """One message to people; `held` and `numbers` have what it reports for the first time."""

    topic: str
    alarm: bool
    title: str
    text: str
    held: frozenset[int] = frozenset()
    numbers: frozenset[str] = frozenset()


def observe(memory: Memory, now: Snapshot) -> Memory:
    """Remember since when the daemon is not ready, and forget what is held or wrong no longer."""
    since, held, numbers = None, memory.held, memory.numbers
    if now.reasons:  # a moment in the future is from before the clock was set back
        since = min(memory.not_ready_since or now.at, now.at)
    if now.held is not None:
        held &= {item for item, _ in now.held}
    if now.numbers is not None:
        numbers &= {name for name, _ in now.numbers}
    return replace(memory, not_ready_since=since, held=held, numbers=numbers)


def messages_due(memory: Memory, now: Snapshot, stale_after_s: float) -> tuple[Message, ...]:
    """The messages to send now, at most one per reason; call `observe()` with `now` before."""
    situations = {**now.situations, **_not_ready(memory, now, stale_after_s)}
    return (
        *_transitions(memory, now, situations),
        *_newly_held(memory, now),
        *_newly_wrong(memory, now),
    )


def mark_sent(memory: Memory, message: Message, at: float) -> Memory:
    """Remember that a service took the message at `at` (Unix seconds)."""
    before = memory.announced.get(message.topic)
    alarmed_at = at if message.alarm or before is None else before.at
    topics = {**memory.announced, message.topic: Announced(alarmed_at, message.alarm)}
    held, numbers = memory.held | message.held, memory.numbers | message.numbers
    return replace(memory, announced=topics, held=held, numbers=numbers)


def _transitions(
    memory: Memory, now: Snapshot, situations: dict[str, Situation]
) -> Iterator[Message]:
    for topic, situation in situations.items():
        last = memory.announced.get(topic)
        is_open = last is not None and last.open
        if situation.bad and not is_open and _quiet_is_over(last, now.at):
            yield Message(topic, alarm=True, title=situation.title, text=situation.text)
        if not situation.bad and is_open:
            yield Message(topic, alarm=False, title=situation.title, text=situation.text)


def _not_ready(memory: Memory, now: Snapshot, stale_after_s: float) -> dict[str, Situation]:
    if now.ready:
        return {NOT_READY: Situation(False, "ready again")}
    since = memory.not_ready_since
    if since is None or now.at - since <= stale_after_s:
        return {}
    title = f"not ready for {_for(now.at - since)}"
    return {NOT_READY: Situation(True, title, "\n".join(now.reasons))}


def _newly_held(memory: Memory, now: Snapshot) -> Iterator[Message]:
    if now.held is None:
        return
    last = memory.announced.get(HELD)
    new = [(item, sku) for item, sku in now.held if item not in memory.held]
    if new and _quiet_is_over(last, now.at):
        ids = frozenset(item for item, _ in new)
        yield Message(
            HELD, alarm=True, title=_count(len(new)), text=_how_to_resolve(new, now.ways), held=ids
        )
    if not now.held and last is not None and last.open:
        yield Message(HELD, alarm=False, title="no item is held any more", text="")


def _newly_wrong(memory: Memory, now: Snapshot) -> Iterator[Message]:
    if now.numbers is None:
        return
    last = memory.announced.get(NUMBERS)
    new = [(name, text) for name, text in now.numbers if name not in memory.numbers]
    if new and _quiet_is_over(last, now.at):
        lines = [text for _, text in new[:SKUS_MAX]]
        if len(new) > SKUS_MAX:
            lines.append(f"and {len(new) - SKUS_MAX} more")
        lines.append("Try: invsyncd status names each number with what ends it")
        title = "1 number is not right" if len(new) == 1 else f"{len(new)} numbers are not right"
        names = frozenset(name for name, _ in new)
        yield Message(NUMBERS, alarm=True, title=title, text="\n".join(lines), numbers=names)
    if not now.numbers and last is not None and last.open:
        yield Message(NUMBERS, alarm=False, title="every number is right again", text="")


def _how_to_resolve(new: list[tuple[int, str]], ways: Mapping[int, tuple[str, ...]]) -> str:
    lines = ["Nothing is written for them until somebody says which number is right:"]
    for item, sku in new[:SKUS_MAX]:
        # The command is quoted: people paste it into a shell, and a SKU may hold anything.
        lines += [ends_hold(sku), *ways.get(item, ())]
    if len(new) > SKUS_MAX:
        lines.append(f"and {len(new) - SKUS_MAX} more")
    lines.append("Try: invsyncd explain SKU shows the numbers")
    return "\n".join(lines)


def _count(items: int) -> str:
    return "1 item is held" if items == 1 else f"{items} items are held"


def _quiet_is_over(last: Announced | None, at: float) -> bool:
    """Whether another alarm may come; also if the clock was set back behind the last alarm."""
    return last is None or not 0 <= at - last.at < QUIET_S


def _for(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
