"""A maximum that TikTok's answers taught is shown where people look, with what raises it.

Kind: what was learnt once lowers numbers for good, and only an old line of the journal says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.planning.maximum import maximum_json
from invsyncd.web.document import facts
from invsyncd.web.page import status_page
from tests.support import virtual
from tests.support.world import MAIN, World, world

RARE: dict[str, Any] = {"audit_interval_s": 900}


def limit(w: World, units: int, *, refuses: bool) -> None:
    """TikTok refuses a higher number, or takes it and shows this one."""
    if refuses:
        w.made.tiktok.doubts.max_quantity = units
    else:
        w.made.tiktok.doubts.cuts_at = units


async def shown(w: World) -> tuple[dict[str, Any] | None, str]:
    """The learnt maximum in the status document, and the page."""
    assert w.running is not None
    document = await facts(w.running.store, w.running.health, "shop", virtual.clock())
    assert document["max_quantity"] == await maximum_json(w.running.store)
    return document["max_quantity"], status_page(document)


async def time_goes_by(w: World) -> None:
    for _ in range(4):
        await w.passing(1_000)
        await w.settle(2)


@virtual.virtual
@pytest.mark.parametrize("refuses", [True, False])
async def test_a_learnt_maximum_is_shown_until_it_ends_as_it_says(
    tmp_path: Path, refuses: bool
) -> None:
    async with world(tmp_path, tiktok=RARE) as w:
        limit(w, 99_999, refuses=refuses)
        w.made.add("GIFT", 0, tracked=False)
        w.made.add("TEE", 10)
        await time_goes_by(w)
        found, page = await shown(w)
        assert found is not None
        assert (found["units"], "Seller Center" in found["try"]) == (99_999, True)
        assert "at most 99,999 of a listing" in page
        await w.stop()
        await w.settle()
        assert (await shown(w))[0] == found, "also after a restart"
        limit(w, 999_999, refuses=refuses)
        w.made.market.edit("GIFT", MAIN, 120_000)
        await time_goes_by(w)
        assert (w.shown("GIFT"), w.shown("TEE")) == (999_999, 10)
        found, page = await shown(w)
        assert (found, "of a listing" in page) == (None, False)


@virtual.virtual
async def test_without_a_learnt_maximum_nothing_is_said(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=RARE) as w:
        w.made.add("TEE", 10)
        await w.settle()
        found, page = await shown(w)
        assert (found, "of a listing" in page) == (None, False)
