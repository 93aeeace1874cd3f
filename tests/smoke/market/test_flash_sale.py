"""Units offered on TikTok against units in stock, at every moment of a sale.

Excess cannot be nil: what is sold on Shopify stays on TikTok's shelf until a poll has seen it and
a write has taken it down. What lasts longer must have another cause, and there are two that no
reading before the write can rule out: TikTok sells between the reading and the write, a call apart,
and TikTok puts the units of a cancelled order back by itself, which the next audit sees.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from stress.market.buyers import Buyer, Channel, Sale
from stress.market.contenders import daemon, plain
from stress.market.fair import Outcome
from tests.support import virtual

GATE = Sale(seed=1, buyers=150, items=3, stock=80, duration_s=600, lag_s_max=600, order_hold_s=900)


def both(sale: Sale, crowd: list[Buyer], folder: Path) -> tuple[Outcome, Outcome]:
    ours = virtual.run(partial(daemon, sale, folder, crowd))
    return ours, virtual.run(partial(plain, sale, crowd))


def test_a_sale_of_4_during_the_hold_and_a_shopify_sale_of_1_never_raise_tiktok_above_what_is_left(
    tmp_path: Path,
) -> None:
    sale = Sale(seed=0, buyers=2, items=1, stock=10, order_hold_s=900, audit_s=300)
    crowd = [
        Buyer(20.0, Channel.TIKTOK, "ITEM-1", 4, lag_s=800.0),
        Buyer(43.0, Channel.ONLINE, "ITEM-1", 1),
    ]
    ours, theirs = both(sale, crowd, tmp_path)
    assert ours.truth.left == theirs.truth.left == {"ITEM-1": 5}
    assert (ours.truth.raised, theirs.truth.raised) == (0, 4)
    assert (ours.truth.worst, theirs.truth.worst) == (1, 4)  # 1: until the next poll
    assert (ours.lasting, theirs.lasting) == ({"ITEM-1": 0}, {"ITEM-1": 4})
    assert (ours.follows_the_rule, theirs.follows_the_rule) == (True, True)


@pytest.mark.parametrize("percent", [80, 100])
def test_through_a_flash_sale_the_daemon_offers_less_that_is_gone_than_the_plain_rule(
    tmp_path: Path, percent: int
) -> None:
    sale = replace(GATE, percent=percent)
    ours, theirs = both(sale, sale.crowd(), tmp_path)
    assert ours.truth.worst <= theirs.truth.worst
    assert ours.truth.unit_seconds < theirs.truth.unit_seconds
    assert ours.truth.oversold_on_tiktok <= theirs.truth.oversold_on_tiktok
    assert all(ours.lasting[sku] <= ours.overwritten[sku] + ours.returned[sku] for sku in sale.skus)
    assert ours.follows_the_rule
