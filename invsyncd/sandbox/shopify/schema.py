"""The executable schema: our SDL, with a resolver for each of its fields."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from operator import attrgetter
from typing import cast

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type
from graphql import build_schema as build

from invsyncd.sandbox.shopify import fields, resolvers
from invsyncd.sandbox.shopify.activation import ACTIVATION
from invsyncd.sandbox.shopify.bulk import BULK_MUTATION, BULK_QUERY
from invsyncd.sandbox.shopify.bulk_fields import OPERATION
from invsyncd.sandbox.shopify.context import iso
from invsyncd.sandbox.shopify.writes import GROUP, WRITES

_RECORDS: dict[str, dict[str, fields.Resolver]] = {
    "QueryRoot": {**resolvers.QUERY, **BULK_QUERY},
    "Mutation": {**WRITES, **ACTIVATION, **BULK_MUTATION},
    "BulkOperation": OPERATION,
    "InventoryLevel": fields.LEVEL,
    "InventoryQuantity": {},
    "InventoryItem": {**fields.ITEM, **resolvers.ITEM},
    "Location": {**fields.LOCATION, **resolvers.LOCATION},
    "FulfillmentService": fields.SERVICE,
    "ProductVariant": {**fields.VARIANT, **resolvers.VARIANT},
    "ProductVariantComponent": fields.COMPONENT,
    "Product": {**fields.PRODUCT, **resolvers.PRODUCT},
    "Count": {},
    "PageInfo": fields.PAGE_INFO,
    "Shop": fields.SHOP,
    "InventoryAdjustmentGroup": GROUP,
    "InventoryChange": fields.CHANGE,
}


def sdl() -> str:
    """The schema as text, from the package's file."""
    return resources.files(__package__).joinpath("schema.graphql").read_text(encoding="utf-8")


@cache
def schema() -> GraphQLSchema:
    """The schema with resolvers. Built once per process, because it holds no state."""
    made = build(sdl(), assume_valid=True)
    for name, bound in _RECORDS.items():
        _bind(cast(GraphQLObjectType, made.type_map[name]), bound)
    for kind in made.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection"):
            _bind(kind, fields.PAGE)
        elif isinstance(kind, GraphQLObjectType) and kind.name.endswith("Edge"):
            _bind(kind, fields.EDGE)
    installation = cast(GraphQLObjectType, made.type_map["AppInstallation"])
    installation.fields["accessScopes"].resolve = fields.INSTALLATION["accessScopes"]
    cast(GraphQLInterfaceType, made.type_map["Node"]).resolve_type = fields.type_name
    return made


def _bind(kind: GraphQLObjectType, bound: dict[str, fields.Resolver]) -> None:
    for name, field in kind.fields.items():
        read = _time if get_named_type(field.type).name == "DateTime" else _attribute
        field.resolve = bound.get(name) or read(name)


def _attribute(name: str) -> fields.Resolver:
    get = attrgetter(_snake(name))
    return lambda record, _info: get(record)


def _time(name: str) -> fields.Resolver:
    get = attrgetter(_snake(name))

    def show(record: object, _info: object) -> str | None:
        time = get(record)
        return None if time is None else iso(time)

    return show


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
