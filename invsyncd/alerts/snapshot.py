"""Reads the health and the state database, and words each reason for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from invsyncd.alerts.decide import Situation, Snapshot
from invsyncd.config import Settings
from invsyncd.core.model import Target
from invsyncd.errors import StateError
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.status.health import ADVICE, AHEAD_S, Check, Health
from invsyncd.store import Store
from invsyncd.text import SHOPS

WRITER = "writer"
CREDENTIALS = {
    Target.SHOPIFY: "Try: invsyncd check; the app may have been uninstalled or its secret changed",
    Target.TIKTOK: f"Try: {ADVICE}",
}


async def look(settings: Settings, store: Store, health: Health, at: float) -> Snapshot:
    """What is known now, at `at` (Unix seconds). Never raises for a database that fails."""
    standings = dict(_credentials(settings, health))
    checks = health.checks()
    standings.update(_writer(health, checks))
    held: tuple[tuple[int, str], ...] | None = None
    try:
        held = tuple(await store.census.held())
        for target in health.targets:
            standings[f"paused {target.value}"] = await _paused(settings, store, target)
        if settings.tiktok.enabled:
            standings.update(await _refresh_token(store, at))
    except StateError:
        pass  # the health names it; what was told of the rest stands
    reasons = tuple(
        check.output for check in checks if not check.ok and not _told_elsewhere(check, standings)
    )
    return Snapshot(at, all(check.ok for check in checks), reasons, standings, held)


def _credentials(settings: Settings, health: Health) -> Iterator[tuple[str, Situation]]:
    written = [t for t in health.targets if t is not Target.SHOPIFY or settings.mirror.enabled]
    for target, state in health.targets.items():
        topic, name = f"credentials {target.value}", SHOPS[target]
        if state.dead:
            others = "".join(f" {SHOPS[t]} goes on." for t in written if t is not target)
            text = f"{state.trouble}\nIt is tried again every 1 to 10 minutes.{others}"
            title = f"{name} does not take our credentials"
            yield topic, Situation(True, title, f"{text}\n{CREDENTIALS[target]}")
        elif state.authorised:
            yield topic, Situation(False, f"{name} takes our credentials again")


def _writer(health: Health, checks: list[Check]) -> Iterator[tuple[str, Situation]]:
    """Somebody else who keeps changing what we wrote: the health says who and where."""
    found = [check.output for check in checks if check.other_writer and check.output]
    if found:
        yield WRITER, Situation(True, "somebody else writes the same stock", "\n".join(found))
    elif health.baseline:
        yield WRITER, Situation(False, "nobody else writes the same stock any more")


async def _paused(settings: Settings, store: Store, target: Target) -> Situation:
    """From the database: the health does not know it before the first round after a start."""
    reason = await CircuitBreaker(settings, store, target).reason()
    if not reason:
        return Situation(False, f"{SHOPS[target]} is written again")
    text = f"{reason}\nNothing is written there until somebody has looked."
    advice = f"Try: invsyncd resume {target.value}"
    return Situation(True, f"{SHOPS[target]} is paused", f"{text}\n{advice}")


async def _refresh_token(store: Store, at: float) -> Iterator[tuple[str, Situation]]:
    ends_at = int((await store.meta.tokens()).get("refresh_expires_at", "0"))
    if not ends_at:
        return iter(())
    if ends_at - at > AHEAD_S:
        standing = Situation(False, "TikTok's authorisation was renewed")
    else:
        day = datetime.fromtimestamp(ends_at, UTC).date().isoformat()
        text = f"It ends on {day}.\n{CREDENTIALS[Target.TIKTOK]}"
        standing = Situation(True, "TikTok's authorisation ends soon", text)
    return iter([("refresh token", standing)])


def _told_elsewhere(check: Check, standings: dict[str, Situation]) -> bool:
    """Whether this follows from something that has a message of its own."""
    side = "shopify" if check.name == "baseline" else check.name.partition(":")[0]
    causes = [f"credentials {side}"]
    if check.name in (f"{side}:paused", f"{side}:undelivered_age"):
        causes.append(f"paused {side}")
    if check.other_writer:
        causes.append(WRITER)
    return any(topic in standings and standings[topic].bad for topic in causes)
