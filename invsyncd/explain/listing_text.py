"""A journal line about a TikTok listing, told as one sentence. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from invsyncd.core.journal import EntryKind

LISTING_TEXTS: Mapping[EntryKind, Callable[[Mapping[str, Any]], str]] = {
    EntryKind.PARKED: lambda x: f"TikTok listing {x['sku_id']} is left alone: {x['because']}",
    EntryKind.WOKEN: lambda x: f"TikTok listing {x['sku_id']} is written again; {x['because']}",
    EntryKind.MISSING: lambda x: f"TikTok listing {x['sku_id']} cannot be written: {x['because']}",
    EntryKind.LOST: lambda x: f"TikTok listing {x['sku_id']} is lost: {x['because']}",
    EntryKind.FOUND: lambda x: f"TikTok listing {x['sku_id']} is back; {x['because']}",
    EntryKind.REMATCHED: lambda x: (
        f"TikTok listing {x['sku_id']} sells Shopify item {x['now']} now, not {x['before']}"
    ),
    EntryKind.SHARED: lambda x: f"{x['listings']} TikTok listings sell it; each shows its quantity",
}
"""One renderer a kind."""
