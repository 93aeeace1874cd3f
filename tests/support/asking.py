"""Asks in a world: `explain` and its verdicts, the journal, and what `/readyz` names."""

from __future__ import annotations

from typing import Any

from invsyncd.explain.gather import explain_name
from tests.support import virtual
from tests.support.world import World

Json = dict[str, Any]


async def document(w: World, name: str = "TEE") -> Json:
    """What `/api/explain/NAME` of the running invsyncd answers."""
    parts = w.running or await w.start()
    rules = await parts.rulebook.rules()
    found = await explain_name(parts.store, rules, name, int(virtual.clock()), parts.health)
    assert found is not None, f"nothing is known of {name}"
    return found


async def verdicts(w: World, name: str = "TEE") -> dict[str, str]:
    """Every verdict's sentence by its cause, the most urgent first."""
    found = (await document(w, name))["verdicts"]
    return {verdict["cause"]: verdict["says"] for verdict in found}


async def first(w: World, name: str = "TEE") -> tuple[str, str, str | None]:
    """Cause, sentence and command of the first verdict."""
    verdict = (await document(w, name))["verdicts"][0]
    return verdict["cause"], verdict["says"], verdict["try"]


def holds(says: str, *pieces: str) -> bool:
    """Whether a sentence has all of these pieces, in this order."""
    at = 0
    for piece in pieces:
        at = says.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


async def lines(w: World, *kinds: str) -> list[dict[str, Any]]:
    """The journal's lines of these kinds, the oldest first."""
    assert w.running is not None
    rows = await w.running.store.journal.read(limit=1000)
    return [row for row in rows if row["kind"] in kinds]


def notes(w: World) -> str:
    """Everything that `/readyz` and `status` name."""
    assert w.running is not None
    return "; ".join(w.running.health.status()["reasons"])
