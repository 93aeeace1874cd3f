"""The operations that are interrupted: how each folder begins, and what must be true afterwards."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from invsyncd.errors import StateError
from invsyncd.store import BASELINE, prepare
from invsyncd.store.schema import APPLICATION_ID, STEPS, VERSION
from stress.crash.state import memory
from stress.disk.cuts import crashes
from stress.disk.record import recorded
from stress.disk.victims import COMMITS, COPY, SAID, STATE

KNOWN = """
    INSERT INTO meta VALUES ('baseline', '1');
    INSERT INTO location VALUES (1, 'Berlin', 1, 0, 100, 100), (2, 'Hamburg', 1, 0, 100, 100);
    INSERT INTO listing (product_id, sku_id, seller_sku, item, status, parked, seen_at)
        VALUES ('p1', 's1', 'TEE-M', 1, 'ACTIVATE', '', 100);
    INSERT INTO offer (product_id, sku_id, warehouse, shown, wanted) VALUES ('p1', 's1', 'α', 5, 4);
"""
ROWS = 400
OLD = 2  # a version whose tables KNOWN fits


@dataclass(frozen=True, slots=True)
class Story:
    """`begin` fills the folder; `wrong` says what is wrong with one that a crash left."""

    name: str
    victim: str
    begin: Callable[[Path], None]
    wrong: Callable[[Path], str]


def _filled(folder: Path, version: int) -> None:
    """A database of this version that knows something, and has pages enough to be torn."""
    with closing(sqlite3.connect(folder / STATE)) as db:
        db.create_function("casefold", 1, str.casefold, deterministic=True)
        for step in STEPS[:version]:
            db.executescript(step)
        db.executescript(KNOWN)
        with db:
            db.executemany(
                "INSERT INTO journal (at, pass_id, kind, sku, numbers) VALUES (?, 'p', 'k', ?, ?)",
                ((n, f"SKU-{n}", "x" * 100) for n in range(ROWS)),
            )
        db.executescript(f"PRAGMA user_version={version}; PRAGMA application_id={APPLICATION_ID}")
        db.execute("PRAGMA journal_mode=WAL")


def _ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def _unsound(path: Path) -> str:
    """Why this database cannot be gone on with; nothing when it can."""
    try:
        prepare(path)
    except StateError as error:
        return f"refused: {error}"
    verdict, stamp = _ask(path, "PRAGMA integrity_check"), _ask(path, "PRAGMA user_version")
    return "" if (verdict, stamp) == ([("ok",)], [(VERSION,)]) else f"{verdict} {stamp}"


def _known(path: Path) -> str:
    rows = _ask(path, "SELECT count(*), min(length(numbers)) FROM journal")
    offers = _ask(path, "SELECT product_id, warehouse, wanted FROM offer")
    same = (rows, offers) == ([(ROWS, 100)], [("p1", "α", 4)])
    return "" if same else f"{rows} {offers}"


def commits_last(folder: Path) -> str:
    """What was confirmed is there; the one after it is whole or not there at all."""
    if wrong := _unsound(folder / STATE):
        return wrong
    said = len((folder / SAID).read_bytes()) if (folder / SAID).exists() else 0
    found = _ask(
        folder / STATE,
        "SELECT substr(key, 1, instr(key, '-') - 1) n, count(*) FROM meta"
        " WHERE key LIKE '%-__' GROUP BY n",
    )
    whole = {int(str(name)): count for name, count in found}
    expected = {n: 1 + 40 * (n % 3) for n in range(len(whole))}
    if whole != expected or not said <= len(whole) <= said + 1:
        return f"{said} were confirmed, found {whole}"
    return "" if len(whole) <= COMMITS else "more than there were"


def begins(folder: Path) -> str:
    """A first start that was interrupted is begun again, and never taken for lost state."""
    return _unsound(folder / STATE)


def migrates(folder: Path) -> str:
    """It ends at today's version with all that it knew, and the copy beside it is safe."""
    if wrong := _unsound(folder / STATE) or _known(folder / STATE):
        return wrong
    copy = folder / f"{STATE}.v{OLD}.bak"
    return _unsafe(copy) if copy.exists() else "no copy of the old version"


def copies(folder: Path) -> str:
    """There is no copy, or one that is whole and does not claim to know."""
    if wrong := _unsound(folder / STATE) or _known(folder / STATE):
        return wrong
    return _unsafe(folder / COPY) if (folder / COPY).exists() else ""


def _unsafe(copy: Path) -> str:
    """Why nobody should start from this copy."""
    try:
        facts = _ask(copy, "SELECT key FROM meta")
        shown = _ask(copy, "SELECT count(*) FROM offer WHERE shown IS NOT NULL")
        wrong = _known(copy)
    except sqlite3.DatabaseError as error:
        return f"the copy: {error}"
    claims = (BASELINE,) in facts or shown != [(0,)]
    return "the copy claims to know" if claims else (wrong and f"the copy: {wrong}")


STORIES = (
    Story("a first start", "prepare", lambda folder: None, begins),
    Story("a transaction", "commit", lambda folder: _filled(folder, VERSION), commits_last),
    Story("a migration", "prepare", lambda folder: _filled(folder, OLD), migrates),
    Story("a backup", "backup", lambda folder: _filled(folder, VERSION), copies),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One story, interrupted everywhere."""

    operations: int
    kills: int
    cuts: int
    wrong: list[str]


def interrupted(story: Story, *, seed: int, cuts: int, every: int = 1) -> Found:
    """Live the story once, then look at what is left by a crash before each operation."""
    kills = torn = 0
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="invsyncd-disk-", dir=memory()) as home:
        lived = Path(home) / "lived"
        lived.mkdir()
        story.begin(lived)
        begin = {path.name: path.read_bytes() for path in lived.iterdir()}
        ops = recorded(lived, story.victim, str(lived))
        for left in crashes(begin, ops, seed=seed, cuts=cuts, every=every):
            kills += left.how == "kill"
            torn += left.how != "kill"
            with tempfile.TemporaryDirectory(dir=home) as folder:
                left.unpack(Path(folder))
                if said := story.wrong(Path(folder)):
                    wrong.append(f"{left.how} before operation {left.at} of {len(ops)}: {said}")
    return Found(len(ops), kills, torn, wrong)
