"""inventorySetQuantities and inventoryAdjustQuantities, carried out whole or not at all.

Facts: recorded answers of a real shop. A call that changes nothing answers a null group. Setting
`available` also answers an `on_hand` change. The error `ITEM_NOT_STOCKED_AT_LOCATION` no longer
exists since 2026-10: a write where the item is not stocked silently makes or changes an inactive
level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from graphql import GraphQLError
from graphql import GraphQLResolveInfo as Info

from invsyncd.sandbox.shopify.checks import (
    ADJUST,
    SET,
    Change,
    Kind,
    Problem,
    check_input,
    check_rows,
    understand,
)
from invsyncd.sandbox.shopify.context import Context, limit_array, number_of, require
from invsyncd.sandbox.shopify.fields import Resolver
from invsyncd.sandbox.shopify.idempotency import Payload
from invsyncd.sandbox.shopify.records import Row
from invsyncd.sandbox.shopify.shop import Adjustment, Level, Shop, Write

TOP_LEVEL = "TOP_LEVEL"


class Group(NamedTuple):
    """The changes of one write."""

    id: int
    created_at: float
    reason: str
    reference_document_uri: str | None
    changes: Sequence[Adjustment]


def _mutate(kind: Kind, _root: None, info: Info, input: Mapping[str, Any]) -> Payload:  # noqa: A002
    context: Context = info.context
    context.shop.mutations_received += 1
    require(info, "write_inventory")
    rows = input[kind.rows]
    limit_array(info, len(rows), "input", kind.rows)
    if any("changeFromQuantity" not in row for row in rows):
        raise GraphQLError(
            f"{kind.row_type} must include the following argument: changeFromQuantity.",
            extensions={"code": "INVALID_FIELD_ARGUMENTS"},
        )

    items = {number_of(row["inventoryItemId"], "InventoryItem") for row in rows}
    if context.behaviours.unnamed_as == TOP_LEVEL and items & context.behaviours.unnamed_refusals:
        raise GraphQLError("This cannot be done.", extensions={"code": "BAD_REQUEST"})

    def attempt(key: str, apply: bool) -> Payload:
        return _attempt(context, kind, input, info.field_name, key if apply else None)

    payload: Payload = context.idempotency.run(info, input, attempt)
    return payload


def _attempt(
    context: Context, kind: Kind, given: Mapping[str, Any], mutation: str, key: str | None
) -> Payload:
    """Check, then apply under this key. Without a key, only check."""
    problems = check_input(kind, given)
    changes: list[Change] = []
    if not problems:
        changes = understand(context.shop, kind, given)
        named = context.behaviours.stale_names_row
        problems = check_rows(context.shop, kind, changes, stale_names_row=named)
        if any(change.item in context.behaviours.unnamed_refusals for change in changes):
            problems.append(Problem(context.behaviours.unnamed_as, "This cannot be done.", None))
    bad = {problem.nth for problem in problems}
    if problems and (None in bad or not context.behaviours.partial_batches):
        changes = []
    group = None
    if key is not None:
        good = [change for change in changes if change.nth not in bad]
        group = _apply(context, given, good, mutation, key)
    errors = [problem.as_error() for problem in problems]
    return {"inventoryAdjustmentGroup": group, "userErrors": errors}


def _apply(
    context: Context, given: Mapping[str, Any], changes: list[Change], mutation: str, key: str
) -> Group | None:
    shop, reference = context.shop, given.get("referenceDocumentUri")
    made: list[Adjustment] = []
    rows: list[Row] = []
    for change in changes:
        level = _level(shop, change.item, change.location, context.now)
        moved = "available" if change.name == "on_hand" else change.name
        made += shop.ledger.move(
            level,
            {moved: change.after - change.before},
            context.now,
            reason=given["reason"],
            reference=reference,
            actor="app",
        )
        if change.after != change.before:
            rows.append(Row(change.item, change.location, change.name, change.before, change.after))
    if not made:
        return None
    shop.writes.append(Write(context.now, mutation, key, reference, tuple(rows)))
    number = 53_800_000_000_000 + len(shop.writes)
    late_s = context.behaviours.replica_dice.randint(0, context.behaviours.created_late_s)
    return Group(number, context.now + late_s, given["reason"], reference, made)


def _level(shop: Shop, item: int, location: int, now: float) -> Level:
    level = shop.level(item, location)
    if level is None:
        return shop.ledger.open(item, location, now, active=shop.write_activates)
    if shop.write_activates and not level.active:
        return shop.ledger.switch(level, now, active=True, stamp=True)
    return level


def _changes(
    group: Group,
    _info: Info,
    inventoryItemIds: list[str] | None = None,  # noqa: N803
    locationIds: list[str] | None = None,  # noqa: N803
    quantityNames: list[str] | None = None,  # noqa: N803
) -> list[Adjustment]:
    items = {number_of(gid, "InventoryItem") for gid in inventoryItemIds or ()}
    places = {number_of(gid, "Location") for gid in locationIds or ()}
    return [
        change
        for change in group.changes
        if (not items or change.item in items)
        and (not places or change.location in places)
        and (not quantityNames or change.name in quantityNames)
    ]


WRITES: dict[str, Resolver] = {
    "inventorySetQuantities": partial(_mutate, SET),
    "inventoryAdjustQuantities": partial(_mutate, ADJUST),
}

GROUP: dict[str, Resolver] = {
    "id": lambda group, _info: f"gid://shopify/InventoryAdjustmentGroup/{group.id}",
    "changes": _changes,
}
