"""Gives bundles the states of their components, and finds the bundles that a change reaches.

Reads the store; `core/plan.py` decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from invsyncd.core.model import ItemState
from invsyncd.core.plan import OfferPlan
from invsyncd.store import Store


async def with_parts(
    store: Store,
    plan: OfferPlan | None,
    states: Mapping[int, ItemState],
    aside: Collection[int] | None = None,
) -> dict[int, ItemState]:
    """The states, each bundle's with those of its components, where components decide at all.

    A component among `states` is taken from there. `aside` are the items that cannot be read; by
    default the stored ones.
    """
    found = dict(states)
    if plan is None:
        return found
    bundles = [x for x in states.values() if plan.counts_parts(x.item) and x.item.components]
    if not bundles:
        return found
    if aside is None:
        aside = {one.item for one in await store.unreadable.all()}
    taken = {made.item for x in bundles for made in x.item.components}
    known = {**await store.levels.states(taken - states.keys()), **states}
    for x in bundles:
        items = [made.item for made in x.item.components if made.item not in aside]
        parts = {item: known[item] for item in items if item in known}
        found[x.item.id] = replace(x, parts=parts)
    return found


async def with_bundles(
    store: Store,
    plan: OfferPlan,
    states: Mapping[int, ItemState],
    moved: Collection[int],
    aside: Collection[int] | None = None,
) -> dict[int, ItemState]:
    """The states, and those of the bundles that take any of these items or of `moved`.

    Each bundle has the states of its components.
    """
    reached = await store.components.bundles_with({*states, *moved}) - states.keys()
    return await with_parts(store, plan, {**await store.levels.states(reached), **states}, aside)
