"""Plays many more histories than the gate: `python -m stress.exactly machine --runs N --seed S`.

Run n plays the history with seed S + n. A failure prints that seed and the shortest history that
still fails; `--seed X --runs 1` plays it again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter

from stress.exactly.history import History, Setting, Step, drawn, told
from stress.exactly.play import Play
from stress.exactly.stage import Coincidence, play_through


def failure(setting: Setting, history: History, torn: bool) -> str:
    """What is wrong in the end, or empty."""
    try:
        play_through(setting, history, torn=torn)
    except Coincidence:
        return ""
    except Exception as error:  # noqa: BLE001  (a shrinker wants every failure)
        return f"{type(error).__name__}: {error}"
    return ""


def shortest(setting: Setting, history: History, torn: bool) -> History:
    """Leave out whatever the failure does not need."""
    size = len(history) // 2
    while size:
        start = 0
        while start < len(history):
            shorter = history[:start] + history[start + size :]
            if failure(setting, shorter, torn):
                history = shorter
            else:
                start += size
        size //= 2
    return history


def main() -> int:
    """Play, count, and say what failed."""
    asked = argparse.ArgumentParser(prog="python -m stress.exactly")
    asked.add_argument("what", choices=["machine"])
    asked.add_argument("--runs", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--steps", type=int, default=40, help="at most so many in a history")
    asked.add_argument("--torn", action="store_true", help="imports may be torn by a failed pass")
    asked.add_argument("--late", action="store_true", help="late replicas in every world")
    asked.add_argument("--failures", type=int, default=1, help="stop after so many")
    given = asked.parse_args()
    logging.disable(logging.CRITICAL)
    began, failed = time.monotonic(), 0
    sums: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for seed in range(given.seed, given.seed + given.runs):
        setting, history = drawn(seed, given.steps)
        if given.late:
            setting = setting.with_late_replicas()
        try:
            play = play_through(setting, history, torn=given.torn)
        except Coincidence:
            sums["undecidable"] += 1
        except Exception as error:  # noqa: BLE001  (whatever it is, it is a finding)
            failed += 1
            print(f"seed {seed}: {type(error).__name__}: {error}", flush=True)
            history = shortest(setting, history, given.torn)
            print(failure(setting, history, given.torn))
            print(told(setting, history), flush=True)
        else:
            sums += _counts(play, history)
            faults += Counter(play.world.made.shopify_faults.fired)
            faults += Counter(play.world.made.tiktok_faults.fired)
        if failed >= given.failures:
            break
    print(_listed(sums))
    print(f"{faults.total():,} faults: {_listed(faults)}")
    print(f"{failed} violations; {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())


def _counts(play: Play, history: list[Step]) -> Counter[str]:
    return Counter(
        runs=1,
        steps=len(history),
        passes=play.passes,
        kills=play.kills,
        acts=sum(tally.done for tally in play.tallies),
        acts_inside_a_pass=play.inside,
        shuffled=play.setting.shuffle is not None,
        with_late_replicas=play.setting.replica_share < 1,
    )


if __name__ == "__main__":
    sys.exit(main())
