"""Connections of the fake Shopify: filter, pages in id order, and cursors.

Cursors have Shopify's own form (recorded): base64 of `{"last_id":…,"last_value":"…"}`.
"""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from operator import attrgetter
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from invsyncd.sandbox.shopify.context import ARRAY_MAX, Context
from invsyncd.sandbox.shopify.search import Field, NotInSandboxError, Search, Type
from invsyncd.sandbox.shopify.shop import Level, Shop

UNCUT: ContextVar[bool] = ContextVar("uncut", default=False)
"""Whether connections are read without pages, as a bulk operation does."""

LEVEL_FIELDS: Mapping[str, Field] = {
    "created_at": Field(Type.TIME, lambda level: level.created_at),
    "id": Field(Type.ID, lambda level: level.row),
    "inventory_group_id": Field(Type.ABSENT),
    "inventory_item_id": Field(Type.ID, lambda level: level.item),
    "updated_at": Field(Type.TIME, lambda level: level.updated_at),
}
ITEM_FIELDS: Mapping[str, Field] = {
    "created_at": Field(Type.TIME, lambda item: item.created_at),
    "id": Field(Type.ID, lambda item: item.id),
    "sku": Field(Type.TEXT, lambda item: item.sku),
    "updated_at": Field(Type.TIME, lambda item: item.updated_at),
}


def variant_fields(shop: Shop) -> Mapping[str, Field]:
    """Search fields of variants. Official fields that are missing here are refused, not ignored."""
    absent = (
        "barcode collection delivery_profile_id exclude_composite exclude_variants_with_components "
        "gift_card inventory_quantity location_id managed managed_by option1 option2 option3 "
        "product_ids product_publication_status product_status published_status "
        "publishable_status requires_components tag tag_not taxable vendor"
    )
    return {
        **dict.fromkeys(absent.split(), Field(Type.ABSENT)),
        "id": Field(Type.ID, lambda variant: variant.id),
        "product_id": Field(Type.ID, lambda variant: variant.product.id),
        "product_type": Field(Type.TEXT, lambda variant: variant.product.product_type),
        "sku": Field(Type.TEXT, lambda variant: shop.items[variant.item].sku),
        "title": Field(Type.TEXT, lambda variant: variant.product.title),
        "updated_at": Field(Type.TIME, lambda variant: variant.updated_at),
    }


def product_fields(shop: Shop) -> Mapping[str, Field]:
    """Search fields of products. Official fields that are missing here are refused, not ignored."""
    absent = (
        "barcode bundles category_id collection_id combined_listing_role delivery_profile_id "
        "error_feedback gift_card handle has_only_composites has_only_default_variant "
        "has_variant_with_components inventory_total is_price_reduced mixed "
        "out_of_stock_somewhere price product_configuration_owner product_publication_status "
        "publication_ids publishable_status published_at published_status sku status tag tag_not "
        "tracks_inventory variant_id variant_title vendor"
    )
    return {
        **dict.fromkeys(absent.split(), Field(Type.ABSENT)),
        "created_at": Field(Type.TIME, lambda product: product.created_at),
        "id": Field(Type.ID, lambda product: product.id),
        "product_type": Field(Type.TEXT, lambda product: product.product_type),
        "title": Field(Type.TEXT, lambda product: product.title),
        "updated_at": Field(Type.TIME, shop.touched),
    }


class Page:
    """One page of a connection."""

    def __init__(self, nodes: list[Any], cursor: Callable[[Any], str], *, more: bool, back: bool):
        self.nodes = nodes
        self.cursor = cursor
        self.more = more
        self.back = back


def encode_cursor(last_id: int, last_value: object) -> str:
    """The cursor of a row."""
    text = json.dumps({"last_id": last_id, "last_value": str(last_value)}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def decode_cursor(after: str | None) -> int:
    """The id of the row of a cursor; 0 without a cursor."""
    if after is None:
        return 0
    try:
        return int(json.loads(base64.b64decode(after, validate=True))["last_id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise GraphQLError(
            "Invalid cursor for current pagination sort.",
            extensions={"code": "INVALID_FIELD_ARGUMENTS"},
        ) from None


def limit(first: int | None) -> int:
    """The page size, 1 to 250. The wording of the second message is ours."""
    if UNCUT.get():
        return sys.maxsize
    if first is None:
        raise GraphQLError("you must provide one of first or last")
    if not 0 < first <= ARRAY_MAX:
        raise GraphQLError(f"first must be between 1 and {ARRAY_MAX}, it is {first}")
    return first


def search(info: GraphQLResolveInfo, fields: Mapping[str, Field], query: str | None) -> Search:
    """Parse a filter, and put its warnings into `extensions.search`, as Shopify does."""
    context: Context = info.context
    try:
        found = Search(query or "", fields, context.behaviours.zone, context.exclusive)
    except NotInSandboxError as problem:
        raise GraphQLError(str(problem)) from problem
    if found.warnings:
        path = [key for key in info.path.as_list() if isinstance(key, str)]
        note = {"path": path, "query": query, "parsed": found.parsed, "warnings": found.warnings}
        context.searches.append(note)
    return found


def found_by(
    info: GraphQLResolveInfo, fields: Mapping[str, Field], query: str | None
) -> Callable[[Any], bool]:
    """A test for the records that the search index shows. The index shows new stamps late."""
    found, context = search(info, fields, query), info.context
    lag = context.behaviours.catalogue_lag_s if "updated_at" in found.query else 0.0
    if not lag:
        return found.matches
    stamp, shown_to = fields["updated_at"].get, context.now - lag
    return lambda record: stamp(record) <= shown_to and found.matches(record)


def page_of(
    rows: Iterable[Any],
    keep: Callable[[Any], bool],
    *,
    first: int | None,
    after: str | None,
    value: Callable[[Any], object] = attrgetter("id"),
) -> Page:
    """A page of records that are already sorted. `value` is their sort key."""
    size, last = limit(first), decode_cursor(after)
    ordered = iter(rows)
    if last:
        for row in ordered:
            if row.id == last:
                break
    kept = (row for row in ordered if keep(row))
    return _cut(kept, size, lambda row: encode_cursor(row.id, value(row)), back=last > 0)


def levels_page(
    info: GraphQLResolveInfo,
    *,
    location: int | None = None,
    item: int | None = None,
    first: int | None,
    after: str | None,
    query: str | None,
    inactive: bool,
    reverse: bool,
) -> Page:
    """A page of the levels of a location, or of an item, in row order."""
    size, last = limit(first), decode_cursor(after)
    found = search(info, LEVEL_FIELDS, query)
    ledger = info.context.shop.ledger
    if item is not None:
        rows: Iterable[Level] = ledger.of_item(item)
    elif found.since is not None:
        rows = ledger.touched_since(location, found.since)
    else:
        rows = ledger.at_location(location, after_row=0 if reverse else last)
    if reverse:
        rows = (level for level in reversed(list(rows)) if not last or level.row < last)
    elif last:
        rows = (level for level in rows if level.row > last)
    shop: Shop = info.context.shop
    seen = (level for level in _seen(info.context, found, rows) if shop.is_shown(level))
    kept = (level for level in seen if inactive or level.active)
    return _cut(kept, size, lambda level: encode_cursor(level.row, level.row), back=last > 0)


def _seen(context: Context, found: Search, rows: Iterable[Level]) -> Iterator[Level]:
    """The levels that match, as a replica or a late index shows them."""
    delay = context.delay_s
    lag = max(delay, context.behaviours.lag_s if "updated_at" in found.query else 0.0)
    if not lag:
        yield from filter(found.matches, rows)
        return
    ledger, now = context.shop.ledger, context.now
    for level in rows:
        shown = ledger.as_of(level.item, level.location, now - delay)
        indexed = ledger.as_of(level.item, level.location, now - lag)
        if shown is not None and indexed is not None and found.matches(indexed):
            yield shown


def _cut(rows: Iterable[Any], size: int, cursor: Callable[[Any], str], *, back: bool) -> Page:
    """The first `size` rows, and whether there is another."""
    nodes: list[Any] = []
    for row in rows:
        if len(nodes) == size:
            return Page(nodes, cursor, more=True, back=back)
        nodes.append(row)
    return Page(nodes, cursor, more=False, back=back)
