"""Decides which messages people get now, from what is seen and what was sent before. Pure.

People hear of transitions only. An alarm and its all-clear belong together. After an all-clear the
same reason gives no new alarm for an hour, however often it comes and goes. A message counts as
sent only when a service has taken it. So a message that could not be sent is due again, in its
newest form, and an alarm whose reason has ended before that is never sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from invsyncd.text import ends_hold

QUIET_S = 3600.0
SKUS_MAX = 5  # so many are named in a message


def seen(memory: Memory, now: Snapshot) -> Memory:
    """Remember since when it is not ready, and forget items that are held no more."""
    since, held = None, memory.held
    if now.reasons:  # a moment that lies ahead is from before the clock was set back
        since = min(memory.not_ready_since or now.at, now.at)
    if now.held is not None:
        held &= {item for item, _ in now.held}
    return replace(memory, not_ready_since=since, held=held)


def due(memory: Memory, now: Snapshot, stale_after_s: float) -> tuple[Message, ...]:
    """What is to be told, at most one message per reason; `memory` has seen `now`."""
    standings = {**now.standings, **_not_ready(memory, now, stale_after_s)}
    return (*_transitions(memory, now, standings), *_newly_held(memory, now))


def told(memory: Memory, message: Message, at: float) -> Memory:
    """Somebody took the message, at this moment (Unix seconds)."""
    before = memory.told.get(message.topic)
    alarmed_at = at if message.alarm or before is None else before.at
    topics = {**memory.told, message.topic: Announced(alarmed_at, message.alarm)}
    return replace(memory, told=topics, held=memory.held | message.held)


def _transitions(
    memory: Memory, now: Snapshot, standings: dict[str, Situation]
) -> Iterator[Message]:
    for topic, standing in standings.items():
        last = memory.told.get(topic)
        is_open = last is not None and last.open
        if standing.bad and not is_open and _quiet_is_over(last, now.at):
            yield Message(topic, alarm=True, title=standing.title, text=standing.text)
        if not standing.bad and is_open:
            yield Message(topic, alarm=False, title=standing.title, text=standing.text)


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
    last = memory.told.get(HELD)
    new = [(item, sku) for item, sku in now.held if item not in memory.held]
    if new and _quiet_is_over(last, now.at):
        ids = frozenset(item for item, _ in new)
        yield Message(HELD, alarm=True, title=_count(len(new)), text=_how_to_resolve(new), held=ids)
    if not now.held and last is not None and last.open:
        yield Message(HELD, alarm=False, title="no item is held any more", text="")


def _how_to_resolve(new: list[tuple[int, str]]) -> str:
    lines = ["Nothing is written for them until somebody says which number is right:"]
    # Quoted: people paste it into a shell, and a SKU may hold anything.
    lines += [ends_hold(sku) for _, sku in new[:SKUS_MAX]]
    if len(new) > SKUS_MAX:
        lines.append(f"and {len(new) - SKUS_MAX} more")
    lines.append("Try: invsyncd explain SKU shows the numbers")
    return "\n".join(lines)


def _count(items: int) -> str:
    return "1 item is held" if items == 1 else f"{items} items are held"


def _quiet_is_over(last: Announced | None, at: float) -> bool:
    """Also when the clock was set back: then the moment of the last alarm lies ahead."""
    return last is None or not 0 <= at - last.at < QUIET_S


def _for(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


NOT_READY = "not ready"
HELD = "held"


@dataclass(frozen=True, slots=True)
class Situation:
    """How one reason stands: an alarm's words where it is bad, the all-clear's where it is not."""

    bad: bool
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known at one moment; what is not known changes nothing that was told.

    `standings` has the reasons that are told at once; one that is absent is not known. `reasons`
    says why it is not ready, without what a bad standing says already. `held` is (item id, SKU),
    None while it is not known. `at` is in Unix seconds.
    """

    at: float
    ready: bool
    reasons: tuple[str, ...]
    standings: Mapping[str, Situation]
    held: tuple[tuple[int, str], ...] | None


@dataclass(frozen=True, slots=True)
class Announced:
    """The last alarm of one reason: when (Unix seconds), and whether its all-clear is owed."""

    at: float
    open: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """What was told, kept over restarts. `held` has the items that were told as held."""

    told: Mapping[str, Announced] = field(default_factory=dict)
    not_ready_since: float | None = None
    held: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Message:
    """One message to people; `held` has the items that it tells of, besides those told before."""

    topic: str
    alarm: bool
    title: str
    text: str
    held: frozenset[int] = frozenset()
