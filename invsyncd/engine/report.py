"""What one pass saw and did, as told to people, programs and the health checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from invsyncd.errors import InvsyncError, Unauthorised
from invsyncd.sync.model import Target


@dataclass(slots=True)
class PassReport:
    """Filled while a pass runs; `as_json` is what `once --json` prints."""

    pass_id: str
    changes: list[dict[str, Any]] = field(default_factory=list)
    writes: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    listener: Callable[[dict[str, Any]], None] | None = None
    """Told of each write when its outcome is known."""
    failures: list[tuple[Target, InvsyncError]] = field(default_factory=list)

    def failed(self, target: Target, error: InvsyncError) -> None:
        """Add what went wrong on one side."""
        self.failures.append((target, error))

    def is_dead(self, target: Target) -> bool:
        """Whether this side does not take our credentials."""
        return any(
            side is target and isinstance(error, Unauthorised) for side, error in self.failures
        )

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
        """Add one write with its outcome."""
        write = {
            "target": target.value,
            "sku": sku,
            "key": key,
            "from": before,
            "to": after,
            "reason": reason,
            "outcome": outcome,
        }
        self.writes.append(write)
        if self.listener is not None:
            self.listener(write)

    @property
    def needs_a_person(self) -> bool:
        """Whether something was refused or is held: exit code 3."""
        return bool(self.held) or any(w["outcome"].startswith("refused") for w in self.writes)

    def as_json(self) -> dict[str, Any]:
        """The document of the contract."""
        return {
            "pass": self.pass_id,
            "changes": self.changes,
            "writes": self.writes,
            "held": self.held,
            "errors": self.errors,
        }
