"""What became of an act that somebody asked for on the page, as far as it is known by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Target
from invsyncd.explain.journal_text import entry_summary
from invsyncd.planning.breaker import pause_of
from invsyncd.store import Store
from invsyncd.text import SHOPS, plain, plural
from invsyncd.web.actions.session import Asked

LINES_MAX = 1000
SAID_MAX = 12
_KINDS = {
    "resolve": (EntryKind.RESOLVED,),
    "undo": (EntryKind.UNDO,),
    "scan": (EntryKind.SCAN,),
    "resume": (EntryKind.RESUMED,),
    "pause": (EntryKind.PAUSED,),
}


@dataclass(frozen=True, slots=True)
class ActProgress:
    """How far an act is: whether it waits for a pass, what the journal says, what is still owed."""

    waits: bool
    done: int
    refused: int
    says: tuple[tuple[str, str], ...]
    """SKU and sentence of the newest lines."""
    left: tuple[str, ...]
    """What still keeps each target from being right."""
    writing: bool
    """Whether a target is owed something and not paused."""


async def progress_of(store: Store, asked: Asked, targets: Sequence[Target]) -> ActProgress:
    """What is known of the act now."""
    open_ones = await store.requests.open()
    waits = any(x.id == asked.request and x.kind == asked.kind for x in open_ones)
    lines = [
        line
        for line in await store.journal.lately(_KINDS[asked.kind], asked.at, LINES_MAX)
        if _is_of(line, asked)
    ]
    names = await store.locations.names()
    refused = [line for line in lines if "refused" in line]
    told = [*refused, *(line for line in lines if "refused" not in line)][:SAID_MAX]
    left = [await _left(store, target) for target in targets]
    return ActProgress(
        waits,
        len(lines) - len(refused),
        len(refused),
        tuple((str(line["sku"] or ""), _says(line, names)) for line in told),
        tuple(text for text, _ in left if text),
        any(writing for _, writing in left),
    )


def _says(line: Mapping[str, Any], names: Mapping[int, str]) -> str:
    """What a line says; of an undo only what is not on the page already."""
    if line["kind"] == EntryKind.UNDO and "refused" not in line:
        return f"{plain(line['pool_before'])} → {plain(line['pool'])}"
    return entry_summary(line, names)


def _is_of(line: Mapping[str, Any], asked: Asked) -> bool:
    if asked.kind == "resolve":
        return bool(line["sku"] == asked.subject)
    if asked.kind == "undo":
        return bool(line.get("of") == asked.subject)
    return asked.kind == "scan" or line.get("target") == asked.subject


async def _left(store: Store, target: Target) -> tuple[str, bool]:
    """What is still owed to the target in words, empty for nothing; and whether it is written."""
    owed = await (store.owed.levels() if target is Target.SHOPIFY else store.owed.listings())
    paused = await pause_of(store, target)
    what = "level" if target is Target.SHOPIFY else "listing"
    words = []
    if owed.count:
        words.append(f"{plural(owed.count, what)} not yet written")
    if paused is not None:
        words.append("paused")
    text = f"{SHOPS[target]}: {', '.join(words)}" if words else ""
    return text, bool(owed.count) and paused is None
