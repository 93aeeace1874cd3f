"""The highest quantity that TikTok takes, as its answers taught it, for people and programs."""

from __future__ import annotations

from typing import Any

from invsyncd.core.offer_rule import TIKTOK_MAX
from invsyncd.planning.rulebook import MAX_QUANTITY
from invsyncd.store import Store


async def maximum_json(store: Store) -> dict[str, Any] | None:
    """A learnt maximum with what ends it; None without one."""
    units = int(await store.meta.get(MAX_QUANTITY) or TIKTOK_MAX)
    if units >= TIKTOK_MAX:
        return None
    return {
        "units": units,
        "says": (
            f"TikTok takes at most {units:,} of a listing: it refused more, or showed less than was"
            " written"
        ),
        "try": (
            "if TikTok takes more by now, set a listing that has more stock to more than that in"
            " Seller Center: once TikTok shows it, the maximum is forgotten for all listings"
        ),
    }
