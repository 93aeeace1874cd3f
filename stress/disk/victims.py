"""The process that is interrupted: `python -m stress.disk.victims STORY FOLDER`."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from invsyncd.store import Store, copy_to, prepare

COMMITS = 12
STATE, COPY, SAID = "state.db", "copy.db", "said"


async def commit(folder: Path) -> None:
    """Commit one thing after another, and say each that is confirmed."""
    async with Store.open(folder / STATE) as store:
        with (folder / SAID).open("ab", buffering=0) as said:
            for number in range(COMMITS):
                async with store.transaction() as tx:
                    # Some transactions are larger than others, as passes are.
                    for part in range(1 + 40 * (number % 3)):
                        await tx.execute(
                            "INSERT INTO meta VALUES (?, ?)", (f"{number}-{part:02}", "x" * 500)
                        )
                said.write(b".")
                os.fsync(said.fileno())


def main() -> None:
    """Live one story."""
    story, folder = sys.argv[1], Path(sys.argv[2])
    match story:
        case "commit":
            asyncio.run(commit(folder))
        case "prepare":
            prepare(folder / STATE)
        case "backup":
            with closing(sqlite3.connect(folder / STATE)) as database:
                copy_to(database, folder / COPY)
        case _:
            raise SystemExit(f"no such story: {story}")


if __name__ == "__main__":
    main()
