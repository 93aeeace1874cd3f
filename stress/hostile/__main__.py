"""Plays many hostile answers: `python -m stress.hostile run --inputs N --seed S`.

The gate plays only a small share of them.

Input n is drawn with seed S + n; a violation prints that seed, and `--seed X --inputs 1` plays it
again.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack

from stress.hostile.operations import OPERATIONS, Operation, record
from stress.hostile.parsers import changed, judged
from stress.hostile.worlds import OPS, begun
from tests.support import virtual

INPUTS_A_WORLD = 50


async def parsers(inputs: int, seed: int, only: str) -> tuple[dict[str, Counter[str]], list[str]]:
    """Draw, play and judge; the outcomes by operation, and every violation."""
    records = await record()
    table: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[str] = []
    operations = [one for one in OPERATIONS if only in one.name]
    for number in range(seed, seed + inputs):
        dice = random.Random(number)
        operation: Operation = operations[number % len(operations)]
        raw = changed(records, operation, dice)
        verdict = await judged(records, operation, raw)
        table[operation.name][verdict.outcome] += 1
        if verdict.violation:
            how = "; ".join(raw.how)
            wrong.append(f"seed {number}: {operation.name}: {how}: {verdict.violation}")
    return table, wrong


async def worlds(inputs: int, seed: int, only: str) -> tuple[dict[str, Counter[str]], list[str]]:
    """Whole passes: the outcomes by operation, and every violation."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[str] = []
    ops = [(side, op) for side, op in OPS if only in f"{side} {op}"]
    number, end = seed, seed + inputs
    while number < end:
        async with AsyncExitStack() as stack:
            stage, first = await begun(stack), number
            while number < end and not stage.spoilt and number < first + INPUTS_A_WORLD:
                found = await stage.play(*ops[number % len(ops)], random.Random(number))
                table[found.name][found.outcome] += 1
                if found.violation:
                    wrong.append(
                        f"seed {first} to {number}: {found.name}: {found.how}: {found.violation}"
                    )
                number += 1
    return table, wrong


def main() -> int:
    """Play, print a table, and say what was wrong."""
    asked = argparse.ArgumentParser(prog="python -m stress.hostile")
    asked.add_argument("what", choices=["run", "passes"])
    asked.add_argument("--inputs", type=int, default=2000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--only", default="", help="operations whose name holds this")
    given = asked.parse_args()
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    play = parsers if given.what == "run" else worlds
    table, wrong = virtual.run(lambda: play(given.inputs, given.seed, given.only))
    for name, outcomes in sorted(table.items()):
        told = ", ".join(f"{what} {count}" for what, count in outcomes.most_common())
        print(f"{name:34} {outcomes.total():7} {told}")
    for line in wrong[:200]:
        print(line[:600])
    print(f"violations {len(wrong)}, seconds {time.monotonic() - began:.0f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
