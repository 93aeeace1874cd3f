"""What is held, each with the one command that ends it: for `status`, `check` and /api/status."""

from __future__ import annotations

from typing import Any

from invsyncd.store import Store
from invsyncd.text import ends_hold


async def held_json(store: Store) -> list[dict[str, Any]]:
    """Every held item."""
    return [
        {"sku": sku, "item": item, "resolve": ends_hold(sku)}
        for item, sku in await store.census.held()
    ]
