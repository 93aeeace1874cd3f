"""The report of one pass: what it read and did, for people, programs and the health checks.

After a pass over Shopify, `remember()` passes the report on to health, metrics and log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from invsyncd.core.journal import Outcome
from invsyncd.core.merge import Case
from invsyncd.core.model import Target
from invsyncd.errors import InvsyncError, Unauthorised
from invsyncd.metrics import Metrics
from invsyncd.status.health import Health
from invsyncd.store import Store
from invsyncd.text import distinct_names

log = logging.getLogger(__name__)


@dataclass(slots=True)
class PassReport:
    """The report, filled while a pass runs. `as_json` is what `once --json` prints."""

    pass_id: str
    changes: list[dict[str, Any]] = field(default_factory=list)
    writes: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    paused: dict[Target, str] = field(default_factory=dict)
    """Why a target is not written, by target; only targets that a guard has paused."""
    on_write: Callable[[dict[str, Any]], None] = lambda _: None
    """Called with each write when its outcome is known."""
    failures: list[tuple[Target, InvsyncError]] = field(default_factory=list)
    was_read: bool = False
    """Whether Shopify was read and the pass committed, whatever became of its writes."""

    def failed(self, target: Target, error: InvsyncError) -> None:
        """Add what went wrong on one side."""
        self.failures.append((target, error))

    def failures_of(self, target: Target) -> list[InvsyncError]:
        """What went wrong on one side. The other side is not judged by this (law 7)."""
        return [error for side, error in self.failures if side is target]

    def is_paused(self, target: Target, reason: str) -> None:
        """Record the guard's answer. An empty reason means that the target may be written."""
        if reason:
            self.paused[target] = reason

    def is_dead(self, target: Target) -> bool:
        """Whether this side does not accept our credentials."""
        return any(isinstance(error, Unauthorised) for error in self.failures_of(target))

    @property
    def errors(self) -> list[str]:
        """Everything that went wrong, as sentences."""
        return [str(error) for _, error in self.failures]

    def wrote(
        self,
        target: Target,
        sku: str,
        key: dict[str, Any],
        before: int | None,
        after: int,
        *,
        reason: str,
        outcome: str,
    ) -> None:
        """Add one write with its outcome. A write that a dry run plans may have to wait."""
        if outcome == Outcome.PLANNED and target in self.paused:
            outcome = Outcome.PAUSED
        write = {
            "target": target.value,
            "sku": sku,
            "key": key,
            "from": before,
            "to": after,
            "reason": reason,
            "outcome": str(outcome),
        }
        self.writes.append(write)
        self.on_write(write)

    @property
    def was_stopped(self) -> bool:
        """Whether a write was refused, or waits for a paused target."""
        refused = any(Outcome.of(w["outcome"]) is Outcome.REFUSED for w in self.writes)
        return refused or bool(self.paused)

    @property
    def needs_a_person(self) -> bool:
        """Whether something was refused, is held or is paused: exit code 3 of `once`."""
        return self.was_stopped or bool(self.held)

    def as_json(self) -> dict[str, Any]:
        """The report for programs. The key `paused` is left out if no target is paused."""
        document: dict[str, Any] = {
            "pass": self.pass_id,
            "changes": self.changes,
            "writes": self.writes,
            "held": self.held,
            "errors": self.errors,
        }
        if self.paused:
            document["paused"] = {target.value: why for target, why in self.paused.items()}
        return document


async def remember(
    report: PassReport, store: Store, health: Health, metrics: Metrics, now: float
) -> None:
    """Record a pass that ended at `now` (Unix seconds), and what is owed after it."""
    failures = report.failures_of(Target.SHOPIFY)
    known = [k for k in await store.locations.all() if k.location.active]
    health.read_at = {k.location.id: k.read_at for k in known}
    health.location_names = distinct_names({k.location.id: k.location.name for k in known})
    owed = await store.owed.levels()
    health.undelivered(Target.SHOPIFY, owed.keys, owed.count)
    health.last_pass = {
        "id": report.pass_id,
        "at": int(now),
        "changes": len(report.changes),
        "writes": len(report.writes),
        "errors": [str(error) for error in failures],
    }
    metrics.passes.labels("failed" if failures else "ok").inc()
    metrics.changes.inc(len(report.changes))
    contradictions = {c["item"] for c in report.changes if c["case"] == Case.CONFLICT}
    metrics.contradictions.inc(len(contradictions))
    metrics.held.set(len(await store.census.held()))
    if report.changes or report.writes:
        log.info(
            "pass=%s changes=%d writes=%d errors=%d",
            report.pass_id,
            len(report.changes),
            len(report.writes),
            len(failures),
        )
