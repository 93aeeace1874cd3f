"""Breaks laws on purpose, in the real code; the months must notice each mistake."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from invsyncd.core.model import Attempt
from invsyncd.listings import stock
from invsyncd.shopify.target import SetOutcome, ShopifyTarget
from invsyncd.status.health import Health
from stress.exactly.mutants import (
    a_new_key_for_every_repetition,
    attempts_that_are_not_kept,
    known_before_it_was_confirmed,
    no_compare_and_set,
    the_last_writer_wins,
)

Patch = Callable[[], AbstractContextManager[object]]


def a_hold_that_is_not_kept() -> AbstractContextManager[object]:
    """Units sold on TikTok are put back on sale until the connector brings the order."""

    def sold(*_: Any, **__: Any) -> int:
        return 0

    return patch.object(stock, "sold", sold)


def a_row_that_is_written_twice() -> AbstractContextManager[object]:
    """After each write the same rows are written once more, one unit lower."""
    original = ShopifyTarget.set_levels

    async def set_levels(self: ShopifyTarget, attempt: Attempt) -> SetOutcome:
        outcome = await original(self, attempt)
        rows = tuple(replace(row, before=row.after, after=row.after - 1) for row in attempt.rows)
        await original(self, replace(attempt, key=f"{attempt.key}-again", rows=rows))
        return outcome

    return patch.object(ShopifyTarget, "set_levels", set_levels)


def ready_whatever_happens() -> AbstractContextManager[object]:
    """/readyz says yes."""
    return patch.object(Health, "document", lambda _self: (True, {"notes": []}))


MUTANTS: dict[str, Patch] = {
    "no compare-and-set": no_compare_and_set,
    "a key that is not kept": a_new_key_for_every_repetition,
    "known before it was confirmed": known_before_it_was_confirmed,
    "the last writer wins": the_last_writer_wins,
    "attempts that are not kept": attempts_that_are_not_kept,
    "a hold that is not kept": a_hold_that_is_not_kept,
    "a row that is written twice": a_row_that_is_written_twice,
    "ready whatever happens": ready_whatever_happens,
}
