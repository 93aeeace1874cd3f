"""inventoryActivate, inventoryDeactivate and inventoryBulkToggleActivation.

Facts: the Admin schema 2026-10 and recorded answers. Deactivating keeps the quantities, and
activating brings them back. Neither moves the stamp of `available`. The first two mutations answer
plain user errors without a code. Where no recording exists, the wording of a message is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLResolveInfo as Info

from invsyncd.sandbox.shopify.context import Context, find, limit_array, number_of, require
from invsyncd.sandbox.shopify.fields import Resolver
from invsyncd.sandbox.shopify.idempotency import Payload
from invsyncd.sandbox.shopify.shop import Level

_HIGHEST = 1_000_000_000
_THIRD_PARTY = "The inventory at this location is managed by a fulfillment service."
_ACTIVE = "Not allowed to set {} quantity when the item is already active at the location."
_WORDS = {"available": "available", "onHand": "an on_hand"}
_BOTH = "not allowed to set available and on_hand quantities at the same time"
_RANGE = "the quantity needs to be between -1 billion and 1 billion"
_ONLY = "products need to be stocked at a minimum of 1 location"


def _activate(_root: None, info: Info, **asked: Any) -> Payload:
    context: Context = info.context
    context.shop.mutations_received += 1
    require(info, "write_inventory")

    def attempt(_key: str, apply: bool) -> Payload:
        item = number_of(asked["inventoryItemId"], "InventoryItem")
        place = number_of(asked["locationId"], "Location")
        refused = _refusals(context, item, place, asked)
        if not refused and apply:
            _switch_on(context, item, place, asked)
        return {
            # A function, because a repetition with the same key shows the level as it is then.
            "inventoryLevel": lambda _info: context.shop.level(item, place),
            "userErrors": refused,
        }

    payload: Payload = context.idempotency.run(info, asked, attempt)
    return payload


def _refusals(
    context: Context, item: int, location: int, asked: Mapping[str, Any]
) -> list[dict[str, Any]]:
    place = context.shop.locations.get(location)
    if item not in context.shop.items:
        return [_error("The product couldn't be found.", "inventoryItemId")]
    if place is None or not place.active:
        return [_error("The location couldn't be found.", "locationId")]
    if place.fulfilment_service:
        return [_error(_THIRD_PARTY, "locationId")]
    level = context.shop.level(item, location)
    numbers = [name for name in ("available", "onHand") if asked.get(name) is not None]
    if level is not None and level.active:
        return [_error(_ACTIVE.format(_WORDS[name]), name) for name in numbers]
    why = f"The product couldn't be stocked at {place.name} because {{}}."
    if len(numbers) == 2:
        return [_error(why.format(_BOTH), name) for name in numbers]
    return [_error(why.format(_RANGE), n) for n in numbers if abs(asked[n]) > _HIGHEST]


def _switch_on(context: Context, item: int, location: int, asked: Mapping[str, Any]) -> None:
    shop = context.shop
    shop.activate(item, location)
    level = shop.level(item, location)
    wanted = asked.get("available")
    if wanted is None and asked.get("onHand") is not None and level is not None:
        wanted = asked["onHand"] - level.on_hand + level.available
    if wanted is not None and level is not None:
        delta = {"available": wanted - level.available}
        shop.ledger.move(level, delta, context.now, reason="restock", actor="app")


def _deactivate(_root: None, info: Info, inventoryLevelId: str) -> Payload:  # noqa: N803
    context: Context = info.context
    context.shop.mutations_received += 1
    require(info, "write_inventory")
    level = find(context, inventoryLevelId)
    if not isinstance(level, Level):
        return {"userErrors": [_error("The inventory level couldn't be found.", None)]}
    code = _why_not_off(context, level)
    if code is None:
        context.shop.deactivate(level.item, level.location)
        return {"userErrors": []}
    name = context.shop.locations[level.location].name
    why = _ONLY if code.startswith("CANNOT") else f"of {code.lower().replace('_', ' ')}"
    text = f"The product couldn't be unstocked from {name} because {why}."
    return {"userErrors": [_error(text, None)]}


def _why_not_off(context: Context, level: Level) -> str | None:
    others = [other for other in context.shop.ledger.of_item(level.item) if other.active]
    if level.active and len(others) == 1:
        return "CANNOT_DEACTIVATE_FROM_ONLY_LOCATION"
    for name in ("committed", "incoming", "reserved"):
        if level.quantity(name):
            return f"{name.upper()}_INVENTORY_AT_LOCATION"
    return None


def _toggle(
    _root: None,
    info: Info,
    inventoryItemId: str,  # noqa: N803
    inventoryItemUpdates: list[Mapping[str, Any]],  # noqa: N803
) -> Payload:
    context: Context = info.context
    context.shop.mutations_received += 1
    require(info, "write_inventory")
    limit_array(info, len(inventoryItemUpdates), "inventoryItemUpdates")
    item = context.shop.items.get(number_of(inventoryItemId, "InventoryItem"))
    if item is None:
        return _toggled(None, _coded("INVENTORY_ITEM_NOT_FOUND", "inventoryItemId"))
    codes = [_toggle_code(context, item.id, update) for update in inventoryItemUpdates]
    problem = next(((n, code) for n, code in enumerate(codes) if code is not None), None)
    if problem is not None:
        place = ("inventoryItemUpdates", str(problem[0]), "locationId")
        return _toggled(item, _coded(problem[1], *place))
    for update in inventoryItemUpdates:
        switch = context.shop.activate if update["activate"] else context.shop.deactivate
        switch(item.id, number_of(update["locationId"], "Location"))
    levels = [level for level in context.shop.ledger.of_item(item.id) if level.active]
    return {"inventoryItem": item, "inventoryLevels": levels, "userErrors": []}


def _toggle_code(context: Context, item: int, update: Mapping[str, Any]) -> str | None:
    place = context.shop.locations.get(number_of(update["locationId"], "Location"))
    if place is None or not place.active:
        return "LOCATION_NOT_FOUND"
    if update["activate"]:
        return "INVENTORY_MANAGED_BY_3RD_PARTY" if place.fulfilment_service else None
    level = context.shop.level(item, place.id)
    return "FAILED_TO_UNSTOCK_FROM_LOCATION" if level is None else _why_not_off(context, level)


def _toggled(item: object, error: dict[str, Any]) -> Payload:
    return {"inventoryItem": item, "inventoryLevels": None, "userErrors": [error]}


def _error(message: str, field: str | None) -> dict[str, Any]:
    return {"field": None if field is None else [field], "message": message}


def _coded(code: str, *field: str) -> dict[str, Any]:
    return {"field": list(field), "message": code.lower().replace("_", " "), "code": code}


ACTIVATION: dict[str, Resolver] = {
    "inventoryActivate": _activate,
    "inventoryDeactivate": _deactivate,
    "inventoryBulkToggleActivation": _toggle,
}
