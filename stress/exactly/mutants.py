"""Breaks each law on purpose, in the real code, with the history that must show the mistake.

A check that cannot fail proves nothing: every scenario here is green on the code as it is and red
with its mutant, through the very same check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from invsyncd.core import diff, fold
from invsyncd.core.diff import Diff
from invsyncd.core.merge import Case, MergeRules, Verdict
from invsyncd.core.model import Attempt, Change, Level, LevelWrite, Reading
from invsyncd.mirror import poll
from invsyncd.mirror.commit import Batch
from invsyncd.mirror.lookback import Progress
from invsyncd.mirror.poll import Poller
from invsyncd.shopify import target
from invsyncd.shopify.polling import Page
from invsyncd.shopify.source import Direct, ShopifySource
from invsyncd.shopify.target import SetOutcome, ShopifyTarget
from invsyncd.store.attempts import Attempts
from stress.exactly.history import Act, Pass, Plain, Setting, Trouble, Wait
from stress.exactly.play import Play

Scenario = Callable[[Play], Awaitable[None]]
Patch = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Mutant:
    """What is broken, and a scenario that notices."""

    breaks: Patch
    scenario: Scenario
    setting: Setting = field(default_factory=lambda: Setting(items=1))


def before_the_first_write(play: Play, act: Act) -> AbstractContextManager[object]:
    """Let something happen between our reading and our write."""
    original, done = ShopifyTarget.set_levels, False

    async def set_levels(self: ShopifyTarget, attempt: Attempt) -> SetOutcome:
        nonlocal done
        if not done:
            done = play.tallies[act.item].act(act)
        return await original(self, attempt)

    return patch.object(ShopifyTarget, "set_levels", set_levels)


async def a_sale_before_our_write(play: Play) -> None:
    with before_the_first_write(play, Act("till", 0, 3, 1)):
        await play.do(Act("till", 0, 0, 1))
        await play.do(Pass())


async def a_larger_sale_before_our_write(play: Play) -> None:
    with before_the_first_write(play, Act("till", 0, 3, 3)):
        await play.do(Act("till", 0, 0, 1))
        await play.do(Pass())


async def a_lost_answer_then_a_sale(play: Play) -> None:
    await play.do(Trouble("shopify", "lost", 4, "SetQuantities"))
    await play.do(Act("online", 0, 0, 2))
    await play.do(Pass())
    for place in (1, 2, 3):
        await play.do(Act("till", 0, place, 1))
    await play.do(Pass())


async def sales_while_a_poll_turns_its_pages(play: Play) -> None:
    await play.do(Act("online", 0, 0, 1))
    await play.do(Act("online", 1, 0, 1))
    await play.do(Wait(5))
    play.world.made.shopify_faults.latency_s = 2
    loop = asyncio.get_running_loop()
    tallies = play.tallies
    loop.call_later(3.0, tallies[0].act, Act("online", 0, 0, 1))
    loop.call_later(3.5, tallies[1].act, Act("online", 1, 0, 1))
    await play.do(Pass())
    play.world.made.shopify_faults.latency_s = 0


async def a_replica_that_is_late(play: Play) -> None:
    # So many that what the replica shows is no till sale: small falls and rises even out again.
    for act in (Act("online", 0, 0, 14), Act("till", 0, 2, 2)):
        await play.do(act)
        await play.do(Wait(8))
        await play.do(Pass())
        await play.do(Pass())
        await play.do(Plain("restart"))  # the next poll looks back over the whole overlap
        await play.do(Pass())


async def two_orders_at_once(play: Play) -> None:
    await play.do(Act("online", 0, 0, 3))
    await play.do(Act("online", 0, 1, 2))
    await play.do(Pass())


async def a_sale_right_after_our_write(play: Play) -> None:
    await play.do(Act("online", 0, 0, 1))
    await play.do(Pass())
    await play.do(Act("till", 0, 1, 2))
    await play.do(Pass())


async def a_level_that_an_answer_leaves_out(play: Play) -> None:
    original = ShopifySource.read_items

    async def read_items(self: ShopifySource, items: Sequence[int]) -> Direct[Reading]:
        found = await original(self, items)
        return Direct([*found.rows[:1], *found.rows[2:]], found.aside)

    late_sale = before_the_first_write(play, Act("till", 0, 3, 3))
    with patch.object(ShopifySource, "read_items", read_items), late_sale:
        await play.do(Act("receive", 0, 0, 90))
        await play.do(Pass())
    for place in play.tallies[0].levels:
        play.world.made.shop.touch("ITEM-0", place)


def no_compare_and_set() -> AbstractContextManager[object]:
    original = target._row

    def row(write: LevelWrite) -> dict[str, object]:
        return {**original(write), "changeFromQuantity": None}

    return patch.object(target, "_row", row)


def a_new_key_for_every_repetition() -> AbstractContextManager[object]:
    original, sent = ShopifyTarget.set_levels, 0

    async def set_levels(self: ShopifyTarget, attempt: Attempt) -> SetOutcome:
        nonlocal sent
        sent += 1
        return await original(self, replace(attempt, key=f"{attempt.key}-{sent}"))

    return patch.object(ShopifyTarget, "set_levels", set_levels)


def a_watermark_of_the_last_page() -> AbstractContextManager[object]:
    original = Progress.saw

    def saw(self: Progress, page: Page) -> None:
        original(self, page)
        stamps = [reading.updated_at for reading in page.readings]
        self.mark = max([self.mark or 0, page.server_time or 0, *stamps])

    return patch.object(Progress, "saw", saw)


def no_fence() -> AbstractContextManager[object]:
    def never(_reading: Reading, _known: Level) -> bool:
        return False

    stack = ExitStack()
    stack.enter_context(patch.object(diff, "may_be_past", never))
    stack.enter_context(patch.object(poll, "may_be_past", never))
    return stack


def known_before_it_was_confirmed() -> AbstractContextManager[object]:
    original = Attempts.add

    async def add(self: Attempts, tx: Any, attempts: Sequence[Attempt]) -> None:
        await original(self, tx, attempts)
        for attempt in attempts:
            await self.confirm(tx, attempt.rows, 0)

    return patch.object(Attempts, "add", add)


def the_last_writer_wins() -> AbstractContextManager[object]:
    def merge(_pool: int, changes: Sequence[Change], _rules: MergeRules, _mirrored: int) -> Verdict:
        return Verdict(changes[-1].after, Case.ONE)

    return patch.object(fold, "merge", merge)


def attempts_that_are_not_kept() -> AbstractContextManager[object]:
    async def add(_self: Attempts, _tx: Any, _attempts: Sequence[Attempt]) -> None:
        return None

    return patch.object(Attempts, "add", add)


def a_time_window_for_echoes() -> AbstractContextManager[object]:
    original = diff.diff

    def windowed(known: Mapping[int, Level], found: Sequence[Reading], **more: Any) -> Diff:
        said = original(known, found, **more)
        late = tuple(c for c in said.changes if c.updated_at > known[c.location].confirmed_at + 20)
        return replace(said, changes=late)

    return patch.object(fold, "diff", windowed)


def missing_is_zero() -> AbstractContextManager[object]:
    original = Poller.direct

    async def direct(
        self: Poller, items: Collection[int], unanswered: Collection[LevelWrite] = ()
    ) -> Batch:
        batch = await original(self, items, unanswered)
        # With a stamp of its own: without one Shopify would be asked, and would say that it is not.
        zero: dict[str, Any] = {"active": True, "available": 0, "committed": 0, "on_hand": 0}
        zeroed = {
            item: [r if r.active else replace(r, **zero, updated_at=r.answered_at) for r in found]
            for item, found in batch.readings.items()
        }
        return replace(batch, readings=zeroed)

    return patch.object(Poller, "direct", direct)


LATE = Setting(items=1, replica_s=20)
PAGES = Setting(items=2, page_rows=1, overlap_s=0)

MUTANTS: dict[str, Mutant] = {
    "no compare-and-set": Mutant(no_compare_and_set, a_larger_sale_before_our_write),
    "a key that is not kept": Mutant(a_new_key_for_every_repetition, a_lost_answer_then_a_sale),
    "a watermark too far": Mutant(
        a_watermark_of_the_last_page, sales_while_a_poll_turns_its_pages, PAGES
    ),
    "no fence": Mutant(no_fence, a_replica_that_is_late, LATE),
    "known before it was confirmed": Mutant(known_before_it_was_confirmed, a_sale_before_our_write),
    "the last writer wins": Mutant(the_last_writer_wins, two_orders_at_once),
    "attempts that are not kept": Mutant(attempts_that_are_not_kept, a_lost_answer_then_a_sale),
    "a time window for echoes": Mutant(a_time_window_for_echoes, a_sale_right_after_our_write),
    "missing is zero": Mutant(missing_is_zero, a_level_that_an_answer_leaves_out),
}
