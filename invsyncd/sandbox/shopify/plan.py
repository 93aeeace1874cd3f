"""Finds the parts of a GraphQL operation that cost points, once per document.

This module only reads the shape. The cost of a part is in `cost`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
)

from invsyncd.sandbox.shopify.cost import Part, Variables, actual_of, requested_of

Fragments: TypeAlias = Mapping[str, FragmentDefinitionNode]

_MUTATION_COST = 10
_COUNT_COST = 10


class Plan:
    """The cost of one operation of one validated document."""

    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Fragments
    ) -> None:
        root = schema.get_root_type(operation.operation)
        self.mutation = operation.operation.value == "mutation"
        self._schema = schema
        self._fragments = fragments
        self._defaults = {
            definition.variable.name.value: int(definition.default_value.value)
            for definition in operation.variable_definitions
            if isinstance(definition.default_value, IntValueNode)
        }
        kind = cast(GraphQLObjectType, root)
        sets = [operation.selection_set]
        self.roots = [node.name.value for node in self._fields(kind, sets)]
        self.parts = self._parts(kind, sets)
        if self.mutation:
            self._price_mutations()

    def requested(self, variables: Variables) -> int:
        """Points that must be in the bucket before the operation runs."""
        return round(requested_of(self.parts, variables))

    def actual(self, data: Mapping[str, Any] | None, variables: Variables) -> int:
        """Points that the operation actually cost, at most those requested."""
        points = math.ceil(actual_of(self.parts, data or {}, variables) - 1e-9)
        return min(points, self.requested(variables))

    def _price_mutations(self) -> None:
        """A mutation costs 10, which includes the first objects of its payload."""
        for part in self.parts:
            part.base, part.fixed = _MUTATION_COST, None
            for payload in (below for branch in part.branches for below in branch):
                payload.base, payload.fixed = 0, None

    def _parts(self, parent: GraphQLObjectType, sets: list[SelectionSetNode]) -> list[Part]:
        found: dict[str, list[FieldNode]] = {}
        for node in self._fields(parent, sets):
            found.setdefault(_key(node), []).append(node)
        made = (self._part(parent, key, nodes) for key, nodes in found.items())
        return [part for part in made if part is not None]

    def _fields(
        self, parent: GraphQLObjectType, sets: list[SelectionSetNode]
    ) -> Iterator[FieldNode]:
        """The fields that apply to this type, including those in fragments."""
        names = {parent.name, *(interface.name for interface in parent.interfaces)}
        for node in (node for selections in sets for node in selections.selections):
            if isinstance(node, FieldNode):
                yield node
                continue
            condition, below = self._fragment(node)
            if condition is None or condition in names:
                yield from self._fields(parent, [below])

    def _fragment(self, node: SelectionNode) -> tuple[str | None, SelectionSetNode]:
        if isinstance(node, FragmentSpreadNode):
            named = self._fragments[node.name.value]
            return named.type_condition.name.value, named.selection_set
        inline = cast(InlineFragmentNode, node)
        condition = cast("NamedTypeNode | None", inline.type_condition)
        return None if condition is None else condition.name.value, inline.selection_set

    def _part(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Part | None:
        field = parent.fields.get(nodes[0].name.value)
        if field is None or is_leaf_type(get_named_type(field.type)):
            return None
        named = get_named_type(field.type)
        sets = [node.selection_set for node in nodes if node.selection_set]
        if named.name.endswith("Connection"):
            return self._connection(key, nodes[0], cast(GraphQLObjectType, named), sets)
        part = Part(key, _base(named.name))
        kinds = (
            self._schema.get_possible_types(named)
            if isinstance(named, GraphQLInterfaceType)
            else [cast(GraphQLObjectType, named)]
        )
        part.branches = [below for below in (self._parts(kind, sets) for kind in kinds) if below]
        part.fixed = _fixed(part, field.type)
        return part

    def _connection(
        self, key: str, node: FieldNode, named: GraphQLObjectType, sets: list[SelectionSetNode]
    ) -> Part:
        part = Part(key, 0, self._size(node))
        element = cast(GraphQLObjectType, get_named_type(named.fields["nodes"].type))
        edge = cast(GraphQLObjectType, get_named_type(named.fields["edges"].type))
        for below in self._fields(named, sets):
            if below.selection_set is None:
                continue
            selected = [below.selection_set]
            if below.name.value == "nodes":
                part.through.append(((_key(below),), self._parts(element, selected)))
            elif below.name.value == "edges":
                for inner in self._fields(edge, selected):
                    if inner.selection_set is not None:
                        parts = self._parts(element, [inner.selection_set])
                        part.through.append(((_key(below), _key(inner)), parts))
        return part

    def _size(self, node: FieldNode) -> int | tuple[str, int]:
        given: ValueNode | None = next(
            (argument.value for argument in node.arguments if argument.name.value == "first"), None
        )
        if isinstance(given, VariableNode):
            name = given.name.value
            return name, self._defaults.get(name, 0)
        return int(given.value) if isinstance(given, IntValueNode) else 0


def _key(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _base(name: str) -> int:
    """The cost of an object of this type alone. A count costs as much as a mutation."""
    if name == "Count":
        return _COUNT_COST
    return 0 if name == "PageInfo" or "Error" in name else 1


def _fixed(part: Part, declared: GraphQLOutputType) -> int | None:
    """The actual cost of a field that is never null and holds nothing that varies."""
    if not isinstance(declared, GraphQLNonNull):
        return None
    if not part.branches:
        return part.base
    listed = is_list_type(declared.of_type)
    below = [child.fixed for child in part.branches[0]]
    if listed or len(part.branches) > 1 or None in below:
        return None
    return part.base + sum(cost for cost in below if cost is not None)
