"""Resolvers of the fake Shopify that look records up: root fields, connections, levels by id.

Scopes are required where the official schema names them: `Location.inventoryLevels` needs
read_locations, levels need read_inventory, variants read_products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError
from graphql import GraphQLResolveInfo as Info

from invsyncd.sandbox.shopify.context import find, limit_array, number_of, require, shown
from invsyncd.sandbox.shopify.fields import Resolver
from invsyncd.sandbox.shopify.pages import (
    ITEM_FIELDS,
    Page,
    found_by,
    levels_page,
    page_of,
    product_fields,
    variant_fields,
)
from invsyncd.sandbox.shopify.shop import Item, Level, Location, Product, Shop, Variant


def _locations(_root: None, info: Info, **asked: Any) -> Page:
    require(info, "read_locations", "read_inventory")
    places = sorted(info.context.shop.locations.values(), key=lambda place: (place.name, place.id))
    if asked["reverse"]:
        places.reverse()

    def keep(place: Location) -> bool:
        legacy = asked["includeLegacy"] or not place.fulfilment_service
        return legacy and (asked["includeInactive"] or place.active)

    return page_of(
        places, keep, first=asked.get("first"), after=asked.get("after"), value=lambda p: p.name
    )


def _location(_root: None, info: Info, id: str | None = None) -> Location | None:  # noqa: A002
    require(info, "read_locations", "read_inventory")
    shop: Shop = info.context.shop
    if id is None:
        return next(iter(shop.locations.values()), None)
    return shop.locations.get(number_of(id, "Location"))


def _location_levels(place: Location, info: Info, **asked: Any) -> Page:
    require(info, "read_locations")
    require(info, "read_inventory")
    return levels_page(info, location=place.id, **_levels_asked(asked))


def _item_levels(item: Item, info: Info, **asked: Any) -> Page:
    require(info, "read_inventory")
    return levels_page(info, item=item.id, **_levels_asked(asked))


def _levels_asked(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "first": asked.get("first"),
        "after": asked.get("after"),
        "query": asked.get("query"),
        "inactive": asked["includeInactive"],
        "reverse": asked["reverse"],
    }


def _one_level(info: Info, item: int, location: int, *, inactive: bool) -> Level | None:
    require(info, "read_inventory")
    level = shown(info.context, item, location)
    if level is None or not info.context.shop.is_shown(level):
        return None
    return level if inactive or level.active else None


def _level_at(item: Item, info: Info, **asked: Any) -> Level | None:
    place = number_of(asked["locationId"], "Location")
    return _one_level(info, item.id, place, inactive=asked["includeInactive"])


def _level_of(place: Location, info: Info, **asked: Any) -> Level | None:
    item = number_of(asked["inventoryItemId"], "InventoryItem")
    return _one_level(info, item, place.id, inactive=asked["includeInactive"])


def _level(_root: None, info: Info, id: str) -> Level | None:  # noqa: A002
    require(info, "read_inventory")
    level = find(info.context, id)
    return shown(info.context, level.item, level.location) if isinstance(level, Level) else None


def _item(_root: None, info: Info, id: str) -> Item | None:  # noqa: A002
    require(info, "read_inventory", "read_products")
    item: Item | None = info.context.shop.items.get(number_of(id, "InventoryItem"))
    return item


def _items(_root: None, info: Info, **asked: Any) -> Page:
    require(info, "read_inventory", "read_products")
    keep = found_by(info, ITEM_FIELDS, asked.get("query"))
    return _ordered(list(info.context.shop.items.values()), keep, asked)


def _variant(_root: None, info: Info, id: str) -> Variant | None:  # noqa: A002
    require(info, "read_products")
    variant: Variant | None = info.context.shop.variants.get(number_of(id, "ProductVariant"))
    return variant


def _variants(_root: None, info: Info, **asked: Any) -> Page:
    require(info, "read_products")
    keep = found_by(info, variant_fields(info.context.shop), asked.get("query"))
    return _ordered(list(info.context.shop.variants.values()), keep, asked)


def _variants_of(owner: Item | Product, info: Info, **asked: Any) -> Page:
    require(info, "read_products")
    return _ordered(list(owner.variants), lambda _variant: True, {"reverse": False, **asked})


def _components_of(variant: Variant, info: Info, **asked: Any) -> Page:
    require(info, "read_products")
    made = list(info.context.shop.items[variant.item].components)
    return _ordered(made, lambda _component: True, asked)


@dataclass(frozen=True, slots=True)
class Counted:
    """A count, exact or "at least"."""

    count: int
    precision: str


def _variants_count(_root: None, info: Info, **asked: Any) -> Counted:
    require(info, "read_products")
    keep = found_by(info, variant_fields(info.context.shop), asked.get("query"))
    count, limit = sum(map(keep, info.context.shop.variants.values())), asked.get("limit")
    if limit is not None and count > limit:
        return Counted(limit, "AT_LEAST")
    return Counted(count, "EXACT")


def _product(_root: None, info: Info, id: str) -> Product | None:  # noqa: A002
    require(info, "read_products")
    product: Product | None = info.context.shop.products.get(number_of(id, "Product"))
    return product


def _products(_root: None, info: Info, **asked: Any) -> Page:
    require(info, "read_products")
    keep = found_by(info, product_fields(info.context.shop), asked.get("query"))
    return _ordered(list(info.context.shop.products.values()), keep, asked)


def _ordered(rows: list[Any], keep: Callable[[Any], bool], asked: Mapping[str, Any]) -> Page:
    if asked["reverse"]:
        rows.reverse()
    return page_of(rows, keep, first=asked.get("first"), after=asked.get("after"))


def _node(_root: None, info: Info, id: str) -> object:  # noqa: A002
    return _guarded(info, id)


def _nodes(_root: None, info: Info, ids: list[str]) -> list[object]:
    limit_array(info, len(ids), "ids")
    return [_guarded(info, gid) for gid in ids]


def _guarded(info: Info, gid: str) -> object:
    behaviours = info.context.behaviours
    kind = gid.removeprefix("gid://shopify/").partition("/")[0]
    if kind in behaviours.refused_objects:
        raise GraphQLError(f"{kind} cannot be asked for by nodes", info.field_nodes)
    if gid in behaviours.hidden_objects:
        return None
    found = find(info.context, gid) or info.context.bulk.find(gid)
    match found:
        case Level():
            require(info, "read_inventory")
            return shown(info.context, found.item, found.location)
        case Variant() | Product():
            require(info, "read_products")
        case _:
            pass
    return found


QUERY: dict[str, Resolver] = {
    "currentAppInstallation": lambda _root, _info: {"id": "gid://shopify/AppInstallation/1"},
    "inventoryItem": _item,
    "inventoryItems": _items,
    "inventoryLevel": _level,
    "location": _location,
    "locations": _locations,
    "node": _node,
    "nodes": _nodes,
    "product": _product,
    "productVariant": _variant,
    "productVariants": _variants,
    "productVariantsCount": _variants_count,
    "products": _products,
    "shop": lambda _root, info: info.context.shop,
}

ITEM: dict[str, Resolver] = {
    "inventoryLevel": _level_at,
    "inventoryLevels": _item_levels,
    "variants": _variants_of,
}

PRODUCT: dict[str, Resolver] = {"variants": _variants_of}

VARIANT: dict[str, Resolver] = {"productVariantComponents": _components_of}

LOCATION: dict[str, Resolver] = {
    "inventoryLevel": _level_of,
    "inventoryLevels": _location_levels,
}
