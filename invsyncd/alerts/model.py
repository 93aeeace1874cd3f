"""The values of alerts: what is seen, what was told, what is to be told. Plain and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NOT_READY = "not ready"
HELD = "held"


@dataclass(frozen=True, slots=True)
class Standing:
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
    standings: Mapping[str, Standing]
    held: tuple[tuple[int, str], ...] | None


@dataclass(frozen=True, slots=True)
class Told:
    """The last alarm of one reason: when (Unix seconds), and whether its all-clear is owed."""

    at: float
    open: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """What was told, kept over restarts. `held` has the items that were told as held."""

    told: Mapping[str, Told] = field(default_factory=dict)
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
