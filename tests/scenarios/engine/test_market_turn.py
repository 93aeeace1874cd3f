"""The reading before each write, while buyers buy between the two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from invsyncd.sandbox.tiktok.records import Row
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world


def just_before_the_next_write(w: World, act: Callable[[], None]) -> None:
    """Let something happen when a write has been let through and was not yet carried out."""
    market = w.made.market
    carry_out = market.apply

    def apply(product_id: str, rows: Sequence[Row]) -> None:
        market.apply = carry_out  # type: ignore[method-assign]
        act()
        carry_out(product_id, rows)

    market.apply = apply  # type: ignore[method-assign]


@virtual
async def test_units_sold_between_a_reading_and_its_write_are_found_and_taken_off_sale(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.sell_till("TEE", "Berlin", 1)
        just_before_the_next_write(w, lambda: w.made.market.sell("TEE", MAIN, 4))
        await w.once()
        assert w.shown("TEE") == 5  # 10 − 1 − 4, although our write had put 9 there


@virtual
async def test_many_writes_in_a_row_are_each_read_for_when_it_is_their_turn(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        skus = [f"ITEM-{n}" for n in range(12)]
        for sku in skus:
            w.made.add(sku, 10)
        await w.settle()
        market, before = w.made.market, len(w.made.market.updates)
        for sku in skus:
            w.made.shop.sell_till(sku, "Berlin", 1)
        await w.settle()
        written = market.updates[before:]
        assert len(written) == 12
        # They waited for one another: one reading for all would be too old for the last.
        assert written[-1].time - written[0].time > 1
        for update in written:
            [row] = update.rows
            read = [r.time for r in market.readings if r.sku_id == row.sku_id]
            assert update.time - max(at for at in read if at <= update.time) < 0.5


@virtual
async def test_an_edit_that_puts_sold_units_back_on_sale_does_not_hide_the_order(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.sell("TEE", MAIN, 4)
        w.made.market.edit("TEE", MAIN, 10)  # a person puts the sold units back on sale
        await w.passing(900)
        await w.once()
        assert w.shown("TEE") == 6
