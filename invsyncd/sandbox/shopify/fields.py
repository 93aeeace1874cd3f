"""Resolvers of the fake Shopify for the fields of one record, by the API's names.

A field without an entry here is read from the record's attribute of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from graphql import GraphQLError
from graphql import GraphQLResolveInfo as Info

from invsyncd.sandbox.shopify.context import iso
from invsyncd.sandbox.shopify.records import QUANTITY_NAMES
from invsyncd.sandbox.shopify.shop import Item, Level, Variant

Resolver: TypeAlias = Callable[..., Any]


class Quantity(NamedTuple):
    """One named quantity of a level."""

    id: str
    name: str
    quantity: int
    updated_at: float | None


def level_gid(level: Level, info: Info) -> str:
    """The composite id of a level. Its first number is the same for all levels of a location."""
    number = info.context.shop.locations[level.location].number
    return f"gid://shopify/InventoryLevel/{number}?inventory_item_id={level.item}"


def type_name(value: object, _info: Info, _type: object) -> str:
    """The concrete type behind the Node interface."""
    match value:
        case Level():
            return "InventoryLevel"
        case Item():
            return "InventoryItem"
        case Variant():
            return "ProductVariant"
        case _:
            return type(value).__name__


def _quantities(level: Level, _info: Info, names: list[str]) -> list[Quantity]:
    unknown = [name for name in names if name not in QUANTITY_NAMES]
    if unknown:
        raise GraphQLError(f"Invalid quantity names: {', '.join(unknown)}")
    return [
        Quantity(
            f"gid://shopify/InventoryQuantity/{level.row}?inventory_item_id={level.item}&name={name}",
            name,
            level.quantity(name),
            # Always set for `available`, null for nearly everything else (recorded).
            level.available_updated_at if name == "available" else None,
        )
        for name in names
    ]


def _scopes(_installation: object, info: Info) -> list[dict[str, str]]:
    handles = sorted(info.context.scopes)
    return [{"handle": handle, "description": handle.replace("_", " ")} for handle in handles]


def _on_sale(variant: Variant, info: Info) -> int:
    """The sum over active levels only (recorded)."""
    levels = info.context.shop.ledger.of_item(variant.item)
    return sum(level.available for level in levels if level.active)


def _sku_twins(item: Item, info: Info) -> int:
    return len(info.context.shop.same_sku(item.sku)) - 1 if item.sku else 0


def _gid(kind: str) -> Resolver:
    return lambda record, _info: f"gid://shopify/{kind}/{record.id}"


LEVEL: dict[str, Resolver] = {
    "id": level_gid,
    "isActive": lambda level, _info: level.active,
    "canDeactivate": lambda level, _info: level.active and not level.committed,
    "deactivationAlert": lambda _level, _info: None,
    "item": lambda level, info: info.context.shop.items[level.item],
    "location": lambda level, info: info.context.shop.locations[level.location],
    "quantities": _quantities,
}

ITEM: dict[str, Resolver] = {
    "id": _gid("InventoryItem"),
    "legacyResourceId": lambda item, _info: str(item.id),
    "requiresShipping": lambda _item, _info: True,
    "duplicateSkuCount": _sku_twins,
    "variant": lambda item, _info: item.variants[0],
}

LOCATION: dict[str, Resolver] = {
    "id": _gid("Location"),
    "legacyResourceId": lambda place, _info: str(place.id),
    "isActive": lambda place, _info: place.active,
    "deactivatedAt": lambda p, _info: None if p.deactivated_at is None else iso(p.deactivated_at),
    "fulfillsOnlineOrders": lambda place, _info: place.active,
    "isFulfillmentService": lambda place, _info: place.fulfilment_service,
    "shipsInventory": lambda place, _info: place.active,
    "hasActiveInventory": lambda place, info: any(
        level.active and level.on_hand for level in info.context.shop.ledger.at_location(place.id)
    ),
    "fulfillmentService": lambda place, _info: place if place.fulfilment_service else None,
}

SERVICE: dict[str, Resolver] = {
    "id": _gid("FulfillmentService"),
    "handle": lambda place, _info: re.sub(r"\W+", "-", place.name.lower()),
    "serviceName": lambda place, _info: place.name,
    "inventoryManagement": lambda _place, _info: True,
}

VARIANT: dict[str, Resolver] = {
    "id": _gid("ProductVariant"),
    "legacyResourceId": lambda variant, _info: str(variant.id),
    "sku": lambda variant, info: info.context.shop.items[variant.item].sku,
    "title": lambda _variant, _info: "Default Title",
    "inventoryPolicy": lambda variant, _info: variant.policy,
    "inventoryQuantity": _on_sale,
    "inventoryItem": lambda variant, info: info.context.shop.items[variant.item],
    "requiresComponents": lambda v, info: info.context.shop.items[v.item].bundle,
}

COMPONENT: dict[str, Resolver] = {"id": _gid("ProductVariantComponent")}

PRODUCT: dict[str, Resolver] = {
    "id": _gid("Product"),
    "legacyResourceId": lambda product, _info: str(product.id),
    "isGiftCard": lambda _product, _info: False,
    "tracksInventory": lambda _product, _info: True,
    "totalInventory": lambda product, info: sum(_on_sale(v, info) for v in product.variants),
    "updatedAt": lambda product, info: iso(info.context.shop.touched(product)),
}

PAGE: dict[str, Resolver] = {
    "edges": lambda page, _info: [(page, node) for node in page.nodes],
    "nodes": lambda page, _info: page.nodes,
    "pageInfo": lambda page, _info: page,
}

EDGE: dict[str, Resolver] = {
    "cursor": lambda edge, _info: edge[0].cursor(edge[1]),
    "node": lambda edge, _info: edge[1],
}

PAGE_INFO: dict[str, Resolver] = {
    "startCursor": lambda page, _info: page.cursor(page.nodes[0]) if page.nodes else None,
    "endCursor": lambda page, _info: page.cursor(page.nodes[-1]) if page.nodes else None,
    "hasNextPage": lambda page, _info: page.more,
    "hasPreviousPage": lambda page, _info: page.back,
}

SHOP: dict[str, Resolver] = {
    "id": lambda _shop, _info: "gid://shopify/Shop/1",
    "myshopifyDomain": lambda shop, _info: shop.name,
    "ianaTimezone": lambda _shop, info: str(info.context.behaviours.zone),
}

INSTALLATION: dict[str, Resolver] = {"accessScopes": _scopes}

CHANGE: dict[str, Resolver] = {
    "quantityAfterChange": lambda _change, _info: None,  # recorded: always null
    "item": lambda change, info: info.context.shop.items[change.item],
    "location": lambda change, info: info.context.shop.locations[change.location],
}
