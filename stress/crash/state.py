"""The state that a crash leaves, and the test whether two such states are the same."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from stress.crash.scenarios import Truth

TABLES: tuple[str, ...] = (
    "location",
    "item",
    "level",
    "attempt",
    "attempt_row",
    "listing",
    "offer",
    "hold",
)
TABLES += ("token", "meta")  # all but the journal: nothing is decided by it


@dataclass(frozen=True)
class State:
    """The world at one moment: both shops, the files, and the seconds since its beginning."""

    truth: Truth
    files: dict[str, bytes]
    at: float
    crashes: int = 0

    def copied(self) -> State:
        """An independent copy."""
        return replace(self, truth=self.truth.copied())

    def unpack(self, folder: Path) -> None:
        """Put the files where invsyncd looks for them."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def shops(truth: Truth) -> tuple[object, ...]:
    """Everything of the shops that a future may depend on, but no counters of requests."""
    shop, market, grants = truth.made.shop, truth.made.market, truth.made.tiktok.grants
    levels = [level for item in shop.items for level in shop.ledger.of_item(item)]
    return (
        tuple(
            (
                one.item,
                one.location,
                one.available,
                one.committed,
                one.on_hand,
                one.updated_at,
                one.active,
            )
            for one in levels
        ),
        tuple((one.policy, one.product.product_type) for one in shop.variants.values()),
        tuple(
            (key, one.first_at, one.applied)
            for key, one in truth.made.shopify._idempotency._entries.items()
        ),
        tuple(
            (sku.id, place, stock.available, stock.committed)
            for sku in market.skus.values()
            for place, stock in sku.stock.items()
        ),
        tuple(grants._access_until.items()),
        tuple(grants._refresh_until.items()),
        tuple((one.kind, one.times) for one in truth.made.shopify_faults._live),
        tuple((one.kind, one.times) for one in truth.made.tiktok_faults._live),
        tuple(truth.between),
        tuple(truth.counted),
        tuple(truth.down),
        tuple(truth.pools.items()),
    )


def database(files: dict[str, bytes]) -> tuple[object, ...]:
    """What the database says once its log is recovered, whatever its pages look like."""
    if "state.db" not in files:
        return tuple(files.items())
    with tempfile.TemporaryDirectory(dir=memory()) as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        with closing(sqlite3.connect(Path(folder) / "state.db")) as db:
            questions = (f"SELECT * FROM {table} ORDER BY 1, 2" for table in TABLES)  # noqa: S608
            rows = tuple(tuple(db.execute(question)) for question in questions)
    return (tuple(sorted(files)), *rows)


def digest(state: State) -> str:
    """Equal for states with the same future."""
    text = repr((round(state.at, 6), shops(state.truth), database(state.files)))
    return hashlib.sha256(text.encode()).hexdigest()


def memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
