"""Counts and lists over all items, for people."""

from __future__ import annotations

import pytest

from invsyncd.core.model import Item, ItemState
from invsyncd.store import Store

SKUS = ("GRÜN-M", "grün-l", "STRASSE", "ROT", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("grün", ["GRÜN-M", "grün-l"]),
        ("GRÜN", ["GRÜN-M", "grün-l"]),
        ("straße", ["STRASSE"]),
        ("rot", ["ROT"]),
        ("blau", []),
    ],
)
async def test_a_sku_is_found_in_upper_and_lower_case_of_any_alphabet(
    store: Store, text: str, found: list[str]
) -> None:
    async with store.transaction() as tx:
        states = [ItemState(Item(n, sku), {}) for n, sku in enumerate(SKUS, start=1)]
        await store.levels.save_states(tx, states)
    assert await store.census.like(text, 9) == found
