"""One check of the health, and how checks are told: a cause once, what follows under it. Pure.

A shop that does not answer makes every location old, writes late and the baseline incomplete. Told
one by one, these hide their cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from invsyncd.core.model import Target
from invsyncd.status.target_health import UNTRIED, TargetHealth
from invsyncd.text import SHOPS, listed

_POLL_AGE = "shopify:poll_age:"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the health document. `under` names the checks that would be its cause."""

    name: str
    ok: bool
    output: str = ""
    observed: float | None = None
    unit: str = ""
    warns: bool = False
    other_writer: bool = False
    """Whether the check reports another program that writes what we write."""
    under: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoldedCheck:
    """One cause as people are told it, with the checks that follow from it."""

    check: Check
    says: str
    follows: tuple[Check, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether the daemon is not ready because of it."""
        return not self.check.ok or any(not check.ok for check in self.follows)

    @property
    def whole(self) -> str:
        """The sentence with everything that follows from the cause."""
        return (
            f"{self.says}. From this follows: {follows_text(self.follows)}"
            if self.follows
            else self.says
        )


def trouble_of(side: str) -> tuple[str, ...]:
    """The names of the checks that say that a side does not work."""
    return f"{side}:authorised", f"{side}:rounds"


def fold_checks(
    checks: Sequence[Check], targets: Mapping[Target, TargetHealth]
) -> list[FoldedCheck]:
    """The checks that have something to say, causes first; what follows stands under its cause."""
    causes = {x.name: x for x in checks if x.output and not x.output.endswith(UNTRIED)}
    under: dict[str, list[Check]] = {}
    found: list[Check] = []
    for check in (x for x in checks if x.output):
        cause = next((name for name in check.under if name in causes), None)
        if cause is None:
            found.append(check)
        else:
            under.setdefault(cause, []).append(check)
    every = [
        FoldedCheck(x, _says(x, under.get(x.name), targets), tuple(under.get(x.name, ())))
        for x in found
    ]
    return sorted(every, key=lambda one: (not one.follows, not one.fails))


def follows_text(follows: Sequence[Check]) -> str:
    """Everything that follows from one cause, in a line; the locations together."""
    polls = [x for x in follows if x.name.startswith(_POLL_AGE)]
    words = [x.output for x in follows if x not in polls]
    if len(polls) > 1:
        names = listed([f'"{x.name.removeprefix(_POLL_AGE)}"' for x in polls])
        age = max(x.observed or 0.0 for x in polls)
        words.insert(0, f"the locations {names} were last read {age:.0f} s ago")
    else:
        words = [x.output for x in polls] + words
    return "; ".join(words)


def _says(
    check: Check, follows: Sequence[Check] | None, targets: Mapping[Target, TargetHealth]
) -> str:
    """The cause in one sentence; with since when, where a whole side does not work."""
    side, _, what = check.name.partition(":")
    if not follows or what not in ("authorised", "rounds"):
        return check.output
    health = targets[Target(side)]
    since = ""
    if health.failing_since is not None:
        since = f" since {datetime.fromtimestamp(health.failing_since, UTC):%H:%M} UTC"
    if health.dead:
        return f"{SHOPS[side]} has refused our credentials{since}: {health.trouble}"
    end = "Nothing is lost; it is tried again by itself"
    return f"{SHOPS[side]} has not worked{since}: {health.trouble}. {end}"
