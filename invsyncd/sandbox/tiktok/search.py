"""Search Products: filters, pages and the cap of 10,000 results.

Source: POST /product/202502/products/search, its endpoint page and TikTok's OpenAPI file.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping

from invsyncd.sandbox.tiktok.catalogue import Json, ids, summary
from invsyncd.sandbox.tiktok.doubts import Doubts
from invsyncd.sandbox.tiktok.envelope import refuse
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.records import PRODUCT_STATUSES, Product

# Filters for which the marketplace has no data. They are refused, never silently ignored.
UNMODELLED = ("audit_status", "listing_platforms", "listing_quality_tiers", "sns_filter")
# Three bytes that make base64 write + and /, because page tokens must survive the query string.
_TOKEN_MARK = b"\xfb\xff\xfe"


def search_products(
    market: Marketplace, query: Mapping[str, str], body: object, doubts: Doubts
) -> Json:
    """Answer one page of at most 100 products."""
    size = query.get("page_size", "")
    if not size.isdecimal() or not 1 <= int(size) <= 100:
        raise refuse("bad_param")
    start = _offset(query.get("page_token", ""))
    wanted = _filter(body)
    found = [product for product in market.products.values() if wanted(product)]
    end = start + int(size)
    beyond = end > doubts.max_results or doubts.cap_at_first_page
    if len(found) > doubts.max_results and beyond:
        raise refuse("too_many_results")
    page: Json = {
        "total_count": len(found),
        "products": [summary(product) for product in found[start:end]],
    }
    token = _page_token(end) if end < len(found) else doubts.last_page_token
    if token is not None:
        page["next_page_token"] = token
    return page


def _page_token(offset: int) -> str:
    return base64.b64encode(_TOKEN_MARK + f"offset={offset}\n".encode()).decode()


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        text = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        raise refuse("bad_param") from None
    match = re.fullmatch(re.escape(_TOKEN_MARK) + rb"offset=(\d+)\n", text)
    if match is None:
        raise refuse("bad_param")
    return int(match[1])


def _filter(body: object) -> Callable[[Product], bool]:
    """Read the filters of a search. A product must pass all of them."""
    if not isinstance(body, dict) or any(body.get(name) for name in UNMODELLED):
        raise refuse("bad_param")
    status = body.get("status") or "ALL"
    if status not in (*PRODUCT_STATUSES, "ALL"):
        raise refuse("bad_param")
    seller_skus = ids(body, "seller_skus", 10, "too_many_seller_skus")
    sku_ids = ids(body, "sku_ids", 10, "too_many_sku_ids")
    created = _span(body, "create_time", "bad_create_time")
    updated = _span(body, "update_time", "bad_update_time")

    def wanted(product: Product) -> bool:
        return (
            status in ("ALL", product.status)
            and created[0] <= product.create_time <= created[1]
            and updated[0] <= product.update_time <= updated[1]
            and (not sku_ids or any(sku.id in sku_ids for sku in product.skus))
            and (not seller_skus or any(sku.seller_sku in seller_skus for sku in product.skus))
        )

    return wanted


def _span(body: Mapping[str, object], name: str, invalid: str) -> tuple[float, float]:
    """Read a pair of inclusive bounds in Unix seconds. An absent bound does not limit."""
    bounds = (body.get(f"{name}_ge", 0), body.get(f"{name}_le", 2**53))
    if not all(type(bound) is int and bound >= 0 for bound in bounds):
        raise refuse(invalid)
    first, last = (bound for bound in bounds if isinstance(bound, int))
    if first > last:
        raise refuse(invalid)
    return first, last
