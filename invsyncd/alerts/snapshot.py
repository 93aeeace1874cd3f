"""Takes the snapshot that alerts are decided from: the health and the database, in plain words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from invsyncd.alerts.decide import Situation, Snapshot
from invsyncd.config import Settings
from invsyncd.core.guard import Pause
from invsyncd.core.model import Target
from invsyncd.errors import InvsyncError, StateError
from invsyncd.planning.breaker import pause_ends, pause_of
from invsyncd.planning.rulebook import Rulebook
from invsyncd.status.checks import Check, fold_checks
from invsyncd.status.expiry import ADVICE, AHEAD_S
from invsyncd.status.health import Health, number_text
from invsyncd.status.listings import held_choices
from invsyncd.store import Store
from invsyncd.text import SHOPS, act_path, explain_path

NAMED_MAX = 50  # held items whose choices are worked out for a message
OTHER_WRITER = "writer"
CREDENTIALS = {
    Target.SHOPIFY: "Try: invsyncd check; the app may have been uninstalled or its secret changed",
    Target.TIKTOK: f"Try: {ADVICE}",
}


async def take_snapshot(settings: Settings, store: Store, health: Health, at: float) -> Snapshot:
    """What is known at `at` (Unix seconds). A database that fails raises nothing here."""
    situations = dict(_credentials(settings, health))
    checks = health.checks()
    situations.update(_other_writer(health, checks))
    situations.update(_listings(health))
    held: tuple[tuple[int, str], ...] | None = None
    ways: Mapping[int, tuple[str, ...]] = {}
    try:
        held = tuple(await store.census.held())
        ways = await _ways(settings, store, held[:NAMED_MAX])
        for target in health.targets:
            situations[f"paused {target.value}"] = await _paused(settings, store, target)
        if settings.tiktok.enabled:
            situations.update(await _refresh_token(store, at))
    except StateError:
        pass  # the health reports it; topics that cannot be read stay as they are
    others = [check for check in checks if not _has_own_message(check, situations)]
    reasons = tuple(one.whole for one in fold_checks(others, health.targets) if one.fails)
    ready = all(check.ok for check in checks)
    numbers = _numbers(health, held or (), at)
    return Snapshot(at, ready, reasons, situations, held, numbers, ways)


async def _ways(
    settings: Settings, store: Store, held: Sequence[tuple[int, str]]
) -> dict[int, tuple[str, ...]]:
    """What each choice would give for these held items, and the page that ends the hold."""
    if not held:
        return {}
    try:
        gives = await held_choices(store, Rulebook(settings, store), [item for item, _ in held])
    except InvsyncError:
        gives = {}
    found = {}
    for item, sku in held:
        act = act_path("resolve", sku=sku) if settings.server.actions else explain_path(sku)
        found[item] = tuple(x for x in (gives.get(item, ""), _linked(settings, act)) if x)
    return found


def _linked(settings: Settings, path: str) -> str:
    """The whole address of a page; empty where it is not known how people reach the server."""
    return f"{settings.server.public_url}{path}" if settings.server.public_url else ""


def _numbers(
    health: Health, held: Collection[tuple[int, str]], at: float
) -> tuple[tuple[str, str], ...] | None:
    """The numbers that are not right, without those that another message explains."""
    if not health.baseline:
        return None
    items = {item for item, _ in held}
    return tuple(
        (one.name, number_text(one, at - health.numbers_since.get(one.name, at)))
        for one in health.numbers
        if not one.whole_target and one.item not in items
    )


def _credentials(settings: Settings, health: Health) -> Iterator[tuple[str, Situation]]:
    written = [t for t in health.targets if t is not Target.SHOPIFY or settings.mirror.enabled]
    for target, state in health.targets.items():
        topic, name = f"credentials {target.value}", SHOPS[target]
        if state.dead:
            others = "".join(f" {SHOPS[t]} goes on." for t in written if t is not target)
            text = f"{state.trouble}\nIt is tried again every 1 to 10 minutes.{others}"
            title = f"{name} does not accept our credentials"
            yield topic, Situation(True, title, f"{text}\n{CREDENTIALS[target]}")
        elif state.authorised:
            yield topic, Situation(False, f"{name} accepts our credentials again")


def _other_writer(health: Health, checks: list[Check]) -> Iterator[tuple[str, Situation]]:
    """Another writer, who keeps changing what we wrote: the health says who and where."""
    found = [check.output for check in checks if check.other_writer and check.output]
    if found:
        yield OTHER_WRITER, Situation(True, "somebody else writes the same stock", "\n".join(found))
    elif health.baseline:
        yield OTHER_WRITER, Situation(False, "nobody else writes the same stock any more")


def _listings(health: Health) -> Iterator[tuple[str, Situation]]:
    """Listings and levels that were lost or set aside, which no other topic tells."""
    titles = {
        "shopify:lost": ("Shopify levels are not mirrored any more", "no mirrored level is lost"),
        "tiktok:lost": ("TikTok listings are not written any more", "no TikTok listing is lost"),
        "tiktok:set_aside": ("TikTok's answers are odd", "TikTok's answers can be read again"),
    }
    notes = {**health.listing_notes, "shopify:lost": "; ".join(health.lost_levels)}
    for name, (bad, good) in titles.items():
        if text := notes.get(name):
            yield name, Situation(True, bad, text)
        elif health.baseline:
            yield name, Situation(False, good)


async def _paused(settings: Settings, store: Store, target: Target) -> Situation:
    """Whether a target is paused: from the database, as the health learns it in the first round."""
    pause = await pause_of(store, target)
    if pause is None:
        return Situation(False, f"{SHOPS[target]} is written again")
    reason = pause.reason[:1].upper() + pause.reason[1:] if pause.by_hand else pause.reason
    text = f"{reason}\nNothing is written there until somebody decides."
    ways = pause_ends(target, pause)
    lines = [text, ways, *_pause_links(settings, target, pause)]
    return Situation(True, f"{SHOPS[target]} is paused", "\n".join(lines))


def _pause_links(settings: Settings, target: Target, pause: Pause) -> list[str]:
    """The pages with the ways out of a pause, the safe one first."""
    if not settings.server.actions:
        page = _linked(settings, "/")
        return [page] if page else []
    resume = act_path("resume", target=target.value)
    undo = [act_path("undo", **{"pass": name}) for name in pause.passes]
    return [link for path in (*undo, resume) if (link := _linked(settings, path))]


async def _refresh_token(store: Store, at: float) -> Iterator[tuple[str, Situation]]:
    ends_at = int((await store.meta.tokens()).get("refresh_expires_at", "0"))
    if not ends_at:
        return iter(())
    if ends_at - at > AHEAD_S:
        situation = Situation(False, "TikTok's authorisation was renewed")
    else:
        day = datetime.fromtimestamp(ends_at, UTC).date().isoformat()
        text = f"It ends on {day}.\n{CREDENTIALS[Target.TIKTOK]}"
        situation = Situation(True, "TikTok's authorisation ends soon", text)
    return iter([("refresh token", situation)])


def _has_own_message(check: Check, situations: dict[str, Situation]) -> bool:
    """Whether the check fails because of something that has a message of its own."""
    side = "shopify" if check.name == "baseline" else check.name.partition(":")[0]
    if check.name == f"{side}:numbers":
        return True  # each number has its message, or its cause has
    causes = [f"credentials {side}"]
    if check.name in (f"{side}:paused", f"{side}:undelivered_age"):
        causes.append(f"paused {side}")
    if check.other_writer:
        causes.append(OTHER_WRITER)
    return any(topic in situations and situations[topic].bad for topic in causes)
