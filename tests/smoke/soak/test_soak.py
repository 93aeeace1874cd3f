"""A short soak: its machinery works, and nothing is wrong at its end."""

from __future__ import annotations

from pathlib import Path

from stress.soak.soak import soak


async def test_a_moment_of_the_soak_samples_the_process_and_every_number_is_right(
    tmp_path: Path,
) -> None:
    soaked = await soak(tmp_path, minutes=0.05, speed=50, items=3, seed=1, every_s=0.25, share=0.0)
    assert soaked.wrong == []
    assert soaked.changes
    assert soaked.writes
    assert soaked.updates
    last = soaked.samples[-1]
    assert min(last.rss, last.fds, last.threads, last.wal, last.database, last.journal) > 0
