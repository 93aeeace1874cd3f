"""The restrictions on bulk queries, in Shopify's words where they are recorded.

Facts (docs/api/usage/bulk-operations/queries, messages recorded): one top-level field, one to five
connections at most two deep, read through `edges { node`, a parent of a connection selects its
`id`, no connection inside a list, at most 65,535 bytes; `first` and cursors are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    REMOVE,
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLList,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    get_nullable_type,
    parse,
    validate,
    visit,
)

INVALID = "INVALID"

_BYTES_MAX = 65_535
_PAGING = {"first", "last", "after", "before"}
_NODES = (
    "All connection fields in a bulk query must select their contents using 'edges' > 'node', "
    "e.g: '{} {{ edges {{ node {{'. Selecting via 'nodes' is not supported. "
    "Invalid connection fields: '{}'."
)
_NO_ID = (
    "The parent 'node' field for a nested connection must select the 'id' field without an alias "
    "and must be of 'ID' return type. Connection fields without 'id': {}."
)
_IN_LIST = (
    "Queries that contain a connection field within a list field are not currently supported."
)
_DEEP = "Bulk queries cannot contain connections with a nesting depth greater than 2."


def checked(schema: GraphQLSchema, query: str) -> tuple[DocumentNode | None, list[str]]:
    """The document, or the messages that say why the query may not run."""
    try:
        document = parse(query)
    except GraphQLSyntaxError as problem:
        return None, [f"Invalid bulk query: {problem.message}"]
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation.value != "query":
        return None, ["Invalid operation type. Only `query` operations are supported."]
    wrong = [f"Invalid bulk query: {problem.message}" for problem in validate(schema, document)]
    problems = wrong or _restrictions(schema, document, operations[0])
    size = len(query.encode())
    if not problems and size > _BYTES_MAX:
        problems = [f"Query is too large ({size} bytes; maximum is {_BYTES_MAX} bytes)"]
    return (None, problems) if problems else (document, [])


def without_pages(document: DocumentNode) -> DocumentNode:
    """The same query with every `first` and every cursor left out."""

    class Remover(Visitor):
        def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
            return REMOVE if node.name.value in _PAGING else None

    made: DocumentNode = visit(document, Remover())
    return made


@dataclass
class _Shape:
    """The properties of a query that the restrictions are about."""

    connections: int = 0
    depth: int = 0
    through_nodes: list[str] = field(default_factory=list)
    without_id: list[str] = field(default_factory=list)
    in_list: bool = False


class _Walk(Visitor):
    """Fills a shape. Keeps the open connections on the path from the root."""

    def __init__(self, types: TypeInfo, shape: _Shape) -> None:
        super().__init__()
        self._types = types
        self._shape = shape
        self._open: list[FieldNode] = []
        self._lists = 0

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        kind = self._types.get_type()
        if kind is None:
            return
        if get_named_type(kind).name.endswith("Connection"):
            shape = self._shape
            shape.connections += 1
            shape.depth = max(shape.depth, len(self._open) + 1)
            shape.in_list = shape.in_list or self._lists > 0
            if "nodes" in _selected(node):
                shape.through_nodes.append(node.name.value)
            if self._open and "id" not in _selected(*_below(self._open[-1])):
                shape.without_id.append(self._open[-1].name.value)
            self._open.append(node)
        elif _plain_list(node, kind):
            self._lists += 1

    def leave_field(self, node: FieldNode, *_: Any) -> None:
        kind = self._types.get_type()
        if self._open and self._open[-1] is node:
            self._open.pop()
        elif kind is not None and _plain_list(node, kind):
            self._lists -= 1


def _plain_list(node: FieldNode, kind: Any) -> bool:
    listed = isinstance(get_nullable_type(kind), GraphQLList)
    return listed and node.name.value not in ("edges", "nodes")


def _below(connection: FieldNode) -> list[FieldNode]:
    """The `node` fields of a connection."""
    edges = [one for one in _fields(connection) if one.name.value == "edges"]
    return [one for edge in edges for one in _fields(edge) if one.name.value == "node"]


def _fields(node: FieldNode) -> list[FieldNode]:
    selections = node.selection_set.selections if node.selection_set else ()
    return [one for one in selections if isinstance(one, FieldNode)]


def _selected(*nodes: FieldNode) -> set[str]:
    """The names of the fields that are selected without an alias."""
    return {one.name.value for node in nodes for one in _fields(node) if one.alias is None}


def _restrictions(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> list[str]:
    shape, types = _Shape(), TypeInfo(schema)
    visit(document, TypeInfoVisitor(types, _Walk(types, shape)))
    roots = [
        one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode)
    ]
    found = []
    if len(roots) != 1:
        found.append("Bulk queries must have a single top level field.")  # the wording is ours
    if shape.through_nodes:
        names = "', '".join(shape.through_nodes)
        found.append(_NODES.format(shape.through_nodes[0], names))
    if {"node", "nodes"} & set(roots):
        found.append("Bulk queries cannot contain a top level `node` field.")
    if shape.depth > 2:
        found.append(_DEEP)
    if shape.connections > 5:
        found.append("Bulk queries cannot contain more than 5 connections.")
    if shape.without_id:
        found.append(_NO_ID.format(", ".join(shape.without_id)))
    if shape.in_list:
        found.append(_IN_LIST)
    if not shape.connections:
        found.append("Bulk queries must contain at least one connection.")
    return found
