"""Two days with every kind of fault; the months are `python -m stress.months`."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from stress.months.run import Outcome, months
from stress.months.schedule import FAULTS, ONLY_LONG, SHORT_BEGIN

ROOT = Path(__file__).resolve().parents[3]
SEED, DAYS = 3, 2.0


@cache
def two_days() -> Outcome:
    return months(SEED, DAYS)


@pytest.mark.timeout(300)
def test_days_with_every_kind_of_fault_lose_nothing_and_rest_in_silence() -> None:
    found = two_days()
    assert [str(violation) for violation in found.violations] == []
    assert {kind for kind in FAULTS if kind not in ONLY_LONG} <= set(found.faults)
    assert found.counts["kills"] > 0
    assert found.counts["sales"] > 50
    assert found.counts["seconds at rest"] > 6 * 3600
    assert found.counts["seconds unready"] > 0


@pytest.mark.timeout(300)
def test_the_same_seed_writes_the_same_journal_byte_for_byte(tmp_path: Path) -> None:
    """In another process, where sets and hashes have another order; half a day of the two."""
    again = tmp_path / "journal"
    command = [sys.executable, "-m", "stress.months", "run", "--dump", str(again)]
    command += ["--seed", str(SEED), "--days", str(DAYS), "--until", "0.6"]
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    until = int((SHORT_BEGIN + timedelta(hours=12)).timestamp())
    one, other = (_before(text, until) for text in (two_days().journal, again.read_text()))
    assert one == other
    assert len(one) > 20


def _before(journal: str, until: int) -> list[str]:
    return [row for row in journal.splitlines() if int(row.split(", ", 2)[1]) < until]
