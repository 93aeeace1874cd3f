"""What is left of what each API allows, for `status`: points of Shopify, paces of TikTok."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invsyncd.core.model import Target
from invsyncd.shopify.client import ShopifyClient
from invsyncd.tiktok.shop import TikTokShop


def budgets(shopify: ShopifyClient, tiktok: TikTokShop | None) -> Mapping[str, Any]:
    """By target. Shopify: points and points per second, as they are believed to be now.

    TikTok, where it is enabled: calls per second of each endpoint that was called, by the name of
    its operation. It publishes no limits; these are what was found out so far.
    """
    points = shopify.stats
    found: dict[str, Any] = {
        Target.SHOPIFY.value: {
            "left": round(points.available, 1),
            "capacity": points.maximum,
            "restore_per_s": points.restore_rate,
            "others_per_s": round(points.others_per_s, 1),
        }
    }
    if tiktok is not None:
        paces = {op: round(per_s, 2) for op, per_s in sorted(tiktok.paces.items())}
        found[Target.TIKTOK.value] = {"calls_per_s": paces}
    return found
