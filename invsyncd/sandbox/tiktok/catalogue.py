"""The reading endpoints of the fake TikTok Shop: warehouses, products and stock.

The shapes are those of the endpoint pages and TikTok's OpenAPI files. As in real answers, a field
without a value is left out.
"""

from collections.abc import Mapping

from invsyncd.sandbox.tiktok.doubts import Doubts
from invsyncd.sandbox.tiktok.envelope import refuse
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.records import Product, Reading, Sku, Stock, Warehouse

Json = dict[str, object]


def warehouses(market: Marketplace, doubts: Doubts) -> Json:
    """Get Warehouse List: GET /logistics/202309/warehouses."""
    listed = [
        _warehouse(place)
        for place in market.warehouses.values()
        if doubts.lists_platform_warehouses or not place.platform
    ]
    return {"warehouses": listed}


def _warehouse(place: Warehouse) -> Json:
    return {
        "id": place.id,
        "entity_id": place.entity_id,
        "name": place.name,
        "effect_status": place.status,
        "type": place.kind,
        "sub_type": place.sub_type,
        "is_default": place.is_default,
        "address": {"region": "United States", "region_code": "US", "full_address": place.name},
    }


def summary(product: Product) -> Json:
    """A product in the form of a search result."""
    audit = {"PENDING": "AUDITING", "FAILED": "FAILED"}.get(product.status, "APPROVED")
    return {
        "id": product.id,
        "title": product.title,
        "status": product.status,
        "sales_regions": ["US"],
        "create_time": product.create_time,
        "update_time": product.update_time,
        "skus": [_sku(sku) for sku in product.skus],
        "audit": {"status": audit},
        "has_draft": False,
        "is_not_for_sale": False,
    }


def _sku(sku: Sku) -> Json:
    summary: Json = {"id": sku.id}
    if sku.seller_sku:
        summary["seller_sku"] = sku.seller_sku
    return summary | {
        "price": {"currency": "USD", "tax_exclusive_price": "10.00"},
        "inventory": [
            {"warehouse_id": warehouse, "quantity": stock.available}
            for warehouse, stock in sku.stock.items()
        ],
        "status_info": {"status": "NORMAL"},
    }


def product(market: Marketplace, product_id: str) -> Json:
    """Get Product: GET /product/202309/products/{product_id}; never a frozen or deleted one."""
    found = market.products.get(product_id)
    if found is None or found.status in ("FREEZE", "DELETED"):
        raise refuse("no_such_product")
    details = summary(found)
    del details["sales_regions"]
    details["product_status"] = found.status
    details["is_replicated"] = any(sku.shares_source for sku in found.skus)
    details["skus"] = [_sku(sku) | _policy(market, sku) | _parts(market, sku) for sku in found.skus]
    if found.product_types:
        details["product_types"] = list(found.product_types)
    return details


def _policy(market: Marketplace, sku: Sku) -> Json:
    """The source of a replicated SKU's stock. By default the source is in another shop."""
    if not sku.shares_source:
        return {}
    product, source, shop = f"9{sku.product_id[1:]}", f"9{sku.id[1:]}", "7000000000000000999"
    if sku.source:
        (product, source), shop = sku.source, market.shop_id
    policy = {"inventory_type": "SHARED", "price_sync": True}
    return {
        "global_listing_policy": policy
        | {"replicate_source": {"product_id": product, "sku_id": source, "shop_id": shop}}
    }


def _parts(market: Marketplace, sku: Sku) -> Json:
    """The parts of a bundle."""
    if not sku.parts:
        return {}
    parts = [(market.skus[part], units) for part, units in sku.parts]
    return {
        "combined_skus": [
            {
                "product_id": part.product_id,
                "sku_id": part.id,
                "seller_sku": part.seller_sku,
                "sku_count": units,
            }
            for part, units in parts
        ]
    }


def search_inventory(market: Marketplace, body: object) -> Json:
    """Inventory Search: POST /product/202309/inventory/search; `sku_ids` wins over `product_ids`.

    What happens to an unknown id that is well formed is not documented. Here it is left out.
    """
    if not isinstance(body, dict):
        raise refuse("bad_param")
    sku_ids = ids(body, "sku_ids", 600, "too_many_skus")
    product_ids = ids(body, "product_ids", 100, "too_many_products")
    if not sku_ids and not product_ids:
        raise refuse("bad_param")
    if not all(product_id.isdecimal() for product_id in product_ids):
        raise refuse("bad_product_id")
    inventory = []
    for found in market.products.values():
        asked = [sku for sku in found.skus if sku.id in sku_ids] if sku_ids else found.skus
        if asked and (sku_ids or found.id in product_ids) and found.status != "DELETED":
            skus = [_inventory(market, sku) for sku in asked]
            market.readings += [Reading(market.clock(), sku.id) for sku in asked]
            inventory.append({"product_id": found.id, "skus": skus})
    return {"inventory": inventory}


def _row(market: Marketplace, warehouse: str, stock: Stock, odd: int | None) -> Json:
    row: Json = {
        "warehouse_id": warehouse,
        "available_quantity": stock.available if odd is None else odd,
    }
    if market.shows_committed:
        row["committed_quantity"] = stock.committed
    if stock.backorder:
        row["backorder_quantity"] = stock.backorder
    return row


def _inventory(market: Marketplace, sku: Sku) -> Json:
    misread = market.misreadings.get(sku.id)
    odd = misread.pop(0) if misread else None
    reserved = min(sku.locked, sku.total_available)
    spread: Json = {"in_shop_inventory": {"quantity": sku.total_available - reserved}}
    if reserved:
        spread["campaign_inventory"] = [{"quantity": reserved, "campaign_name": "Sandbox Sale"}]
    found: Json = {"id": sku.id}
    if sku.seller_sku:
        found["seller_sku"] = sku.seller_sku
    return found | {
        "total_available_quantity": sku.total_available,
        "total_committed_quantity": sku.total_committed,
        "warehouse_inventory": [
            _row(market, warehouse, stock, odd) for warehouse, stock in sku.stock.items()
        ],
        "total_available_inventory_distribution": spread,
    }


def ids(body: Mapping[str, object], name: str, most: int, too_many: str) -> set[str]:
    """Read a list of at most `most` strings from a request body. An absent list is empty."""
    values = body.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise refuse("bad_param")
    if len(values) > most:
        raise refuse(too_many)
    return set(values)
