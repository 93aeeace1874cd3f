"""Shopify changes what it serves, or what a query may cost, while everything runs.

Kind: nobody here changed anything, and the API is another one than yesterday.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.virtual import virtual
from tests.support.world import World, world


def _notes(w: World) -> list[str]:
    assert w.running is not None
    return [str(note) for note in w.running.health.document()[1]["notes"]]


@virtual
@pytest.mark.parametrize("cost_max", [40, 20, 12])
async def test_a_query_that_became_too_dear_is_asked_in_smaller_pages(
    tmp_path: Path, cost_max: int
) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 15}) as w:
        for number in range(30):
            w.made.add(f"TEE-{number}", 10)
        await w.settle()
        w.made.shopify.behaviours.cost_max = cost_max
        for number in range(30):
            w.made.shop.sell_online(f"TEE-{number}", "Berlin", 1)
        await w.settle(6)
        assert all(w.levels(f"TEE-{number}") == [9] * 4 for number in range(30))
        assert all(w.shown(f"TEE-{number}") == 9 for number in range(30))
        assert (await w.once()).errors == []


@virtual
async def test_a_first_baseline_is_taken_where_queries_may_cost_little(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.shopify.behaviours.cost_max = 20
        for number in range(30):
            w.made.add(f"TEE-{number}", 10)
        await w.settle(6)
        assert all(w.shown(f"TEE-{number}") == 10 for number in range(30))


@virtual
async def test_another_version_than_the_one_asked_for_is_noted_and_counted(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        assert _notes(w) == []
        w.made.shopify.behaviours.served_version = "2027-01"
        await w.once()
        [note] = _notes(w)
        assert "2026-10 is requested, but Shopify answers with 2027-01" in note
        assert w.running is not None
        assert w.running.health.document()[0], "the numbers are right: it is worth a note only"
        assert "invsyncd_shopify_api_outdated 1.0" in w.running.metrics.text().decode()


@virtual
async def test_what_shopify_calls_deprecated_is_noted(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.shopify.behaviours.deprecated = "https://shopify.dev/changelog/levels"
        await w.settle()
        [note] = _notes(w)
        assert "https://shopify.dev/changelog/levels" in note
        assert "install a newer invsyncd" in note
