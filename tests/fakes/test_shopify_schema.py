"""Our SDL is a true subset of the official Admin schema 2026-10."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from invsyncd.sandbox.shopify.schema import schema, sdl
from tests.support.official import official_schema

OURS = build_schema(sdl())
NAMES = sorted(
    name
    for name, kind in OURS.type_map.items()
    if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
)

Inputs = Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]


@pytest.fixture
def official() -> GraphQLSchema:
    return official_schema()


def bent(ours: Inputs, theirs: Inputs, where: str) -> list[str]:
    """Arguments or input fields that differ, and required ones that we left out."""
    wrong = [f"{where}.{name} is not official" for name in ours if name not in theirs]
    for name, their in theirs.items():
        if name not in ours:
            if isinstance(their.type, GraphQLNonNull):
                wrong.append(f"{where}.{name} is required")
        elif str(ours[name].type) != str(their.type):
            wrong.append(f"{where}.{name} is {their.type}")
        elif ours[name].default_value != their.default_value:
            wrong.append(f"{where}.{name} has the default {their.default_value}")
    return wrong


@pytest.mark.parametrize("name", NAMES)
def test_every_type_is_the_official_one(official: GraphQLSchema, name: str) -> None:
    ours, theirs = OURS.type_map[name], official.type_map.get(name)
    assert type(ours) is type(theirs)
    wrong: list[str] = []
    if isinstance(ours, GraphQLObjectType | GraphQLInterfaceType):
        assert isinstance(theirs, GraphQLObjectType | GraphQLInterfaceType)
        assert {i.name for i in ours.interfaces} <= {i.name for i in theirs.interfaces}
        assert set(ours.fields) <= set(theirs.fields)
        for field, mine in ours.fields.items():
            their = theirs.fields[field]
            if str(mine.type) != str(their.type):
                wrong.append(f"{name}.{field} is {their.type}")
            if mine.deprecation_reason != their.deprecation_reason:
                wrong.append(f"{name}.{field} is deprecated otherwise")
            wrong += bent(mine.args, their.args, f"{name}.{field}")
    if isinstance(ours, GraphQLInputObjectType):
        assert isinstance(theirs, GraphQLInputObjectType)
        assert set(ours.fields) == set(theirs.fields)
        wrong += bent(ours.fields, theirs.fields, name)
    if isinstance(ours, GraphQLEnumType):
        assert isinstance(theirs, GraphQLEnumType)
        assert set(ours.values) == set(theirs.values)
    assert wrong == []


def test_the_idempotent_directive_is_the_official_one(official: GraphQLSchema) -> None:
    ours, theirs = OURS.get_directive("idempotent"), official.get_directive("idempotent")
    assert ours is not None
    assert theirs is not None
    assert ours.locations == theirs.locations
    assert bent(ours.args, theirs.args, "idempotent") == []


def test_the_roots_have_the_official_names(official: GraphQLSchema) -> None:
    for ours, theirs in (
        (OURS.query_type, official.query_type),
        (OURS.mutation_type, official.mutation_type),
    ):
        assert ours is not None
        assert theirs is not None
        assert ours.name == theirs.name


def test_every_field_of_a_record_has_a_resolver() -> None:
    lacking = [
        f"{kind.name}.{name}"
        for kind in schema().type_map.values()
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind)
        for name, field in kind.fields.items()
        if field.resolve is None and not kind.name.endswith(("Payload", "UserError", "Error"))
    ]
    # These three answer from plain dictionaries.
    assert lacking == ["AppInstallation.id", "AccessScope.handle", "AccessScope.description"]
