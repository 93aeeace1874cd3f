"""Shopify refuses something, and only what hangs on the refusal stops.

Kind: one answer is taken for the state of everything. A missing write scope says nothing of
reading, one odd answer says nothing of the token, and a refusal that carries a result says
nothing was done only where nothing was.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from invsyncd.core.model import Target
from invsyncd.sandbox.faults import Kind
from tests.support.virtual import virtual
from tests.support.world import jobs_running, world

READING = ("read_inventory", "read_locations", "read_products")


@virtual
@pytest.mark.parametrize("sales", [1, 3])
async def test_without_a_write_scope_shopify_is_read_and_tiktok_is_written(
    tmp_path: Path, sales: int
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.scopes = READING
        async with jobs_running(w):
            for number in range(sales):
                w.made.shop.sell_online("TEE", "Berlin", 1)
                await asyncio.sleep(60)
                assert w.shown("TEE") == 9 - number
        assert w.running is not None
        troubles = "; ".join(x.output for x in w.running.health.checks() if not x.ok)
        assert "write_inventory" in troubles


ODD = (Kind.UNAUTHORISED, Kind.UNPAID, Kind.FORBIDDEN, Kind.LOCKED, Kind.DENIED)


@virtual
@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("match", ["query Poll", "ListLevels", "ReadLevels", ""])
async def test_one_odd_answer_is_no_dead_credential(tmp_path: Path, kind: Kind, match: str) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        async with jobs_running(w):
            await asyncio.sleep(20)
            w.made.shopify_faults.add(kind, match=match)
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await asyncio.sleep(45)
            assert (w.levels("TEE"), w.shown("TEE")) == ([9, 9, 9, 9], 9)
            assert w.running is not None
            assert w.running.health.targets[Target.SHOPIFY].dead is False


@virtual
@pytest.mark.parametrize("kind", ODD)
async def test_a_shop_that_goes_on_refusing_is_said_to_be_dead(tmp_path: Path, kind: Kind) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        async with jobs_running(w):
            w.made.shopify_faults.add(kind, times=10_000)
            await asyncio.sleep(60)
            assert w.running is not None
            assert w.running.health.targets[Target.SHOPIFY].dead


@virtual
@pytest.mark.parametrize("times", [1, 2, 6])
async def test_a_write_that_was_carried_out_and_answered_by_a_refusal_is_counted_once(
    tmp_path: Path, times: int
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        w.made.shopify_faults.add(Kind.CONFLICT_AFTER, times=times, match="SetQuantities")
        await w.settle(3)
        w.made.shop.sell_online("TEE", "Hamburg", 2)
        await w.settle(6)
        assert (w.levels("TEE"), w.shown("TEE")) == ([7, 7, 7, 7], 7)
