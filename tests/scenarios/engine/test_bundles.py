"""With `tiktok.bundles = "components"` a bundle shows the least that its components allow.

Kind: a number that follows from other items' stock. What moves there moves the bundle in the same
pass; what is not known there never raises it, and is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invsyncd.core.journal import EntryKind
from invsyncd.explain.gather import explain_name
from invsyncd.planning.whatif import what_if
from tests.support.virtual import clock, virtual
from tests.support.world import ALL, MAIN, World, jobs_running, world

PARTS = {"bundles": "components", "listing_interval_s": 15, "full_discovery_interval_s": 15}
QUICK = {"catalogue_interval_s": 15}


def kit(w: World, *, listed: int = 0, **parts: int) -> None:
    """A bundle KIT of so many units of other SKUs; its own levels say 500 everywhere."""
    shop = w.made.shop
    shop.add_item("KIT", stock={shop.location(name): 500 for name in ALL})
    shop.bundle("KIT", dict(parts.items()))
    w.made.market.add_listing("KIT", stock={w.made.warehouse: listed})


def tee_and_mug(w: World, tee: int = 10, mug: int = 9) -> None:
    w.made.add("TEE", tee)
    w.made.add("MUG", mug)


async def explained(w: World, sku: str = "KIT") -> str:
    assert w.running is not None
    rules = await w.running.rulebook.rules()
    document = await explain_name(w.running.store, rules, sku, int(clock()))
    return str(document)


@virtual
async def test_a_bundle_shows_the_least_of_its_components_each_pool_counted_once(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=PARTS) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        await w.settle()
        assert w.shown("KIT") == 4, "9 mugs at 2 each"
        assert w.levels("KIT") == [500] * 4
        assert w.made.shop.writes == []


@virtual
async def test_without_the_option_a_bundle_shows_its_own_levels_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        await w.settle()
        assert w.shown("KIT") == 500


def _till(w: World) -> None:
    w.made.shop.sell_till("MUG", "Vienna", 5)


def _order(w: World) -> None:
    w.made.shop.sell_online("MUG", "Berlin", 5)


def _count(w: World) -> None:
    w.made.shop.count("MUG", "Hamburg", 4)


@virtual
@pytest.mark.parametrize("event", [_till, _order, _count])
async def test_what_moves_a_component_moves_the_bundle_in_the_same_pass(
    tmp_path: Path, event: Callable[[World], None]
) -> None:
    """No search of listings and no audit is due meanwhile, which would find it too."""
    async with world(tmp_path, tiktok={"bundles": "components"}) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        await w.settle()
        event(w)
        await w.once()
        assert (w.shown("MUG"), w.shown("KIT")) == (4, 2)


@virtual
async def test_a_component_that_is_oversold_leaves_no_bundle(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=PARTS) as w:
        tee_and_mug(w, mug=1)
        kit(w, listed=7, TEE=1, MUG=1)
        await w.settle()
        w.made.shop.sell_till("MUG", "Berlin", 3)
        await w.settle()
        assert (w.levels("MUG"), w.shown("KIT")) == ([-2] * 4, 0)


def _untracked(w: World) -> None:
    w.made.shop.set_tracked("MUG", tracked=False)


def _keeps_selling(w: World) -> None:
    w.made.shop.set_policy("MUG", "CONTINUE")


@virtual
@pytest.mark.parametrize("event", [_untracked, _keeps_selling])
async def test_a_component_that_is_never_sold_out_does_not_limit(
    tmp_path: Path, event: Callable[[World], None]
) -> None:
    async with world(tmp_path, tiktok=PARTS, poll=QUICK) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        await w.settle()
        event(w)
        await w.settle(6)
        assert w.shown("KIT") == 10
        assert "limits nothing" in await explained(w)


@virtual
async def test_a_bundle_of_what_is_never_sold_out_is_unlimited(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=PARTS) as w:
        tee_and_mug(w)
        w.made.shop.set_policy("MUG", "CONTINUE")
        kit(w, MUG=2)
        await w.settle()
        assert w.shown("KIT") == 999_999
        assert "no component limits it" in await explained(w)


@virtual
async def test_the_bundles_own_tracking_does_not_make_it_unlimited(tmp_path: Path) -> None:
    """Kind: 999,999 of what is made of nine."""
    async with world(tmp_path, tiktok=PARTS) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        w.made.shop.set_tracked("KIT", tracked=False)
        w.made.shop.set_policy("KIT", "CONTINUE")
        await w.settle()
        assert w.shown("KIT") == 4


def _more_needed(w: World) -> None:
    w.made.shop.bundle("KIT", {"TEE": 1, "MUG": 3})


def _something_else(w: World) -> None:
    w.made.add("CAP", 3)
    w.made.shop.bundle("KIT", {"CAP": 1})


def _fewer_parts(w: World) -> None:
    w.made.shop.bundle("KIT", {"TEE": 3})


@virtual
@pytest.mark.parametrize("event", [_more_needed, _something_else, _fewer_parts])
async def test_a_bundle_that_is_made_of_something_else_is_counted_anew(
    tmp_path: Path, event: Callable[[World], None]
) -> None:
    async with world(tmp_path, tiktok=PARTS, poll=QUICK) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        await w.settle()
        event(w)
        await w.settle(6)
        assert w.shown("KIT") == 3


@virtual
async def test_an_item_that_becomes_a_bundle_follows_its_components(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=PARTS, poll=QUICK) as w:
        tee_and_mug(w)
        w.made.add("KIT", 50)
        await w.settle()
        assert w.shown("KIT") == 50
        w.made.shop.bundle("KIT", {"TEE": 2})
        await w.settle(6)
        assert w.shown("KIT") == 5


@virtual
async def test_the_option_takes_effect_on_a_state_that_knows_no_components(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        await w.settle()
        assert w.shown("KIT") == 500
        await w.stop()
        w.configured["tiktok"] = PARTS
        await w.settle()
        assert w.shown("KIT") == 4
        await w.stop()
        w.configured["tiktok"] = {}
        await w.settle()
        assert w.shown("KIT") == 500


@virtual
@pytest.mark.parametrize("tracked", [True, False])
async def test_what_the_bundle_sold_on_tiktok_is_held_back(tmp_path: Path, tracked: bool) -> None:
    """Whatever its own tracking says: it is no unlimited listing."""
    async with world(tmp_path, tiktok=PARTS) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        w.made.shop.set_tracked("KIT", tracked=tracked)
        await w.settle()
        w.made.market.sell("KIT", MAIN)
        w.made.shop.sell_till("TEE", "Berlin", 7)
        await w.settle()
        assert w.shown("KIT") == 2, "3 tees, and one kit is sold"


@virtual
async def test_a_bundle_without_any_component_is_left_as_it_is_and_said(tmp_path: Path) -> None:
    """Kind: Shopify says that it is a bundle, and not of what (an app puts it together)."""
    async with world(tmp_path, tiktok=PARTS) as w:
        shop = w.made.shop
        stock = {shop.location(name): 500 for name in ALL}
        shop.add_item("KIT", stock=stock, bundle=True)
        w.made.market.add_listing("KIT", stock={w.made.warehouse: 7})
        await w.settle(30)
        assert w.shown("KIT") == 7
        assert "names none of its components" in await explained(w)


@virtual
async def test_a_bundle_never_rises_by_what_a_held_component_might_have(tmp_path: Path) -> None:
    """Kind: one component is in doubt. What the others allow is still the most there can be."""
    async with world(tmp_path, tiktok=PARTS, mirror={"on_conflict": "hold"}) as w:
        tee_and_mug(w, mug=30)
        kit(w, TEE=1, MUG=1)
        await w.settle()
        w.made.shop.count("MUG", "Berlin", 90)
        w.made.shop.count("MUG", "Vienna", 60)
        await w.settle()
        assert w.shown("KIT") == 10
        w.made.shop.count("TEE", "Berlin", 70)
        await w.settle()
        assert w.shown("KIT") == 10
        w.made.shop.count("TEE", "Berlin", 3)
        await w.settle()
        assert w.shown("KIT") == 3
        assert "it is held" in await explained(w)


@virtual
@pytest.mark.parametrize("why", ["no component", "held"])
async def test_a_bundle_that_nobody_can_count_is_reported_within_five_minutes(
    tmp_path: Path, why: str
) -> None:
    """Law 9. Nobody knows that too much is offered, so the daemon stays ready."""
    async with world(tmp_path, tiktok=PARTS, mirror={"on_conflict": "hold"}) as w:
        tee_and_mug(w)
        if why == "held":
            kit(w, listed=4, TEE=1, MUG=2)
        else:
            stock = dict.fromkeys(w.made.shop.locations, 500)
            w.made.shop.add_item("KIT", stock=stock, bundle=True)
            w.made.market.add_listing("KIT", stock={w.made.warehouse: 4})
        async with jobs_running(w) as app:
            await asyncio.sleep(60)
            w.made.shop.count("MUG", "Berlin", 90)
            w.made.shop.count("MUG", "Vienna", 60)
            await asyncio.sleep(320)
            [one] = [x for x in app.health.numbers if x.sku == "KIT"]
            assert (one.shown, one.should, one.is_over) == (4, None, False)
            assert ("it is held" if why == "held" else "names none") in one.because
            said = str(app.health.document())
            assert "KIT at Main warehouse shows 4 and nobody knows what it should show" in said
            lines = await app.store.journal.read(sku="KIT", limit=1_000)
            assert len([x for x in lines if x["kind"] == EntryKind.DIFFERS]) == 1


@virtual
async def test_a_component_that_cannot_be_read_never_raises_the_bundle(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=PARTS) as w:
        tee_and_mug(w, tee=5)
        kit(w, TEE=1, MUG=1)
        await w.settle()
        assert w.shown("KIT") == 5
        w.made.shopify.behaviours.spoil = _spoilt(w, "MUG")
        w.made.shop.sell_online("MUG", "Berlin", 1)
        w.made.shop.count("TEE", "Berlin", 50)
        await w.settle()
        assert w.shown("KIT") == 5, "8 mugs are left, and nobody could read that"
        assert "cannot be read" in await explained(w)
        w.made.shop.count("TEE", "Berlin", 2)
        await w.settle()
        assert w.shown("KIT") == 2
        w.made.shop.count("TEE", "Berlin", 50)
        w.made.shopify.behaviours.spoil = None
        await w.settle()
        assert w.shown("KIT") == 8


def _spoilt(w: World, sku: str) -> Callable[[dict[str, Any]], None]:
    """Every level of an item loses its quantities, wherever an answer shows it."""
    item = w.made.shop.item(sku)

    def spoil(row: dict[str, Any]) -> None:
        if str(row.get("id", "")).endswith(f"inventory_item_id={item}"):
            row["quantities"] = None
        elif row.get("id") == f"gid://shopify/InventoryItem/{item}":
            for edge in (row.get("inventoryLevels") or {}).get("edges", ()):
                edge["node"]["quantities"] = None
            if row.get("inventoryLevel"):
                row["inventoryLevel"]["quantities"] = None

    return spoil


@virtual
@pytest.mark.parametrize("odd", [0, None, "2"])
async def test_a_list_of_components_that_cannot_be_read_leaves_the_last_good_one(
    tmp_path: Path, odd: object
) -> None:
    """Law 10: the other bundle of the answer goes on."""
    async with world(tmp_path, tiktok=PARTS, poll=QUICK) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        w.made.shop.add_item("PAIR", stock=dict.fromkeys(w.made.shop.locations, 0))
        w.made.shop.bundle("PAIR", {"TEE": 2})
        w.made.market.add_listing("PAIR", stock={w.made.warehouse: 0})
        await w.settle()
        gid = f"gid://shopify/InventoryItem/{w.made.shop.item('KIT')}"

        def spoil(row: dict[str, Any]) -> None:
            if row.get("id") == gid:
                for edge in (row.get("variants") or {}).get("edges", ()):
                    for part in edge["node"].get("productVariantComponents", {}).get("edges", ()):
                        part["node"]["quantity"] = odd

        w.made.shopify.behaviours.spoil = spoil
        w.made.shop.bundle("PAIR", {"TEE": 5})
        w.made.shop.sell_till("MUG", "Berlin", 3)
        await w.settle(6)
        assert (w.shown("KIT"), w.shown("PAIR")) == (3, 2)
        assert w.running is not None
        found = await w.running.store.unreadable.all()
        assert [(x.item, "quantity" in x.why) for x in found] == [(w.made.shop.item("KIT"), True)]


@virtual
async def test_a_bundle_shows_0_once_a_component_was_deleted(tmp_path: Path) -> None:
    """Kind: what Shopify's list lacks is not what the bundle does without."""
    async with world(tmp_path, tiktok=PARTS, poll=QUICK) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        await w.settle()
        w.made.shop.delete("MUG")
        await w.settle(8)
        assert w.shown("KIT") == 0
        assert "was deleted" in await explained(w)
        await w.settle(8)
        assert w.shown("KIT") == 0, "and it stays so"
        w.made.shop.bundle("KIT", {"TEE": 2})
        await w.settle(8)
        assert w.shown("KIT") == 5


@virtual
async def test_two_bundles_that_share_a_component_both_follow_it_after_a_restart(
    tmp_path: Path,
) -> None:
    """The second one is stocked nowhere itself, as most bundles are: no poll ever shows it."""
    async with world(tmp_path, tiktok=PARTS, poll=QUICK) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        w.made.shop.add_item("PAIR", stock={})
        w.made.shop.bundle("PAIR", {"TEE": 2})
        w.made.market.add_listing("PAIR", stock={w.made.warehouse: 0})
        await w.settle(6)
        assert (w.shown("KIT"), w.shown("PAIR")) == (4, 5)
        await w.stop()
        w.made.shop.sell_till("TEE", "Berlin", 7)
        await w.settle(1)
        assert (w.shown("KIT"), w.shown("PAIR")) == (3, 1)


@virtual
async def test_explain_shows_every_component_and_plan_what_the_option_would_change(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=PARTS) as w:
        tee_and_mug(w)
        kit(w, TEE=1, MUG=2)
        await w.settle()
        text = await explained(w)
        assert '9 of "MUG", 2 each, allow 4' in text
        assert "'needed': 2, 'stock': 9, 'allows': 4" in text
        assert w.running is not None
        new = w.running.settings.model_copy(
            update={"tiktok": w.running.settings.tiktok.model_copy(update={"bundles": "own"})}
        )
        found = await what_if(
            w.running.store,
            w.running.settings,
            new,
            int(clock()),
            name="new.toml",
            on_page=lambda _: None,
        )
        shifts = {x.sku: (x.before, x.after) for x in found.compared.shifts}
        assert shifts == {"KIT": (4, 500)}
