"""Rewords errors that graphql-core finds before execution into Shopify's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, print_ast

Body = dict[str, Any]

_BAD_FIELD = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")
_BAD_VALUE = re.compile(
    r"Variable '\$(?P<name>\w+)' got invalid value .*?(?: at '(?P<path>[^']*)')?; (?P<why>.*)",
    re.DOTALL,
)
_BAD_INPUT = re.compile(r"Field '(\w+)' is not defined by type '(\w+)'.*", re.DOTALL)


def wrong_document(problem: GraphQLError) -> Body:
    """The error of a document. Shopify has its own words and a code for an unknown field."""
    found = _BAD_FIELD.match(problem.message)
    if found is None:
        return dict(problem.formatted)
    field, kind = found.groups()
    return {
        **problem.formatted,
        "message": f"Field '{field}' doesn't exist on type '{kind}'",
        "extensions": {"code": "undefinedField", "typeName": kind, "fieldName": field},
    }


def wrong_variable(
    problem: GraphQLError, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Body:
    """The error of variables that do not fit: INVALID_VARIABLE, without a cost (recorded)."""
    found = _BAD_VALUE.match(problem.message)
    if found is None:
        return {**problem.formatted, "extensions": {"code": "INVALID_VARIABLE"}}
    name, why = found["name"], found["why"]
    path = re.findall(r"\w+", found["path"] or name)[1:]
    unknown = _BAD_INPUT.match(why)
    if unknown is not None:
        path, why = [*path, unknown[1]], f"Field is not defined on {unknown[2]}"
    kind = next(
        print_ast(definition.type)
        for definition in operation.variable_definitions
        if definition.variable.name.value == name
    )
    return {
        "message": f"Variable ${name} of type {kind} was provided invalid value for "
        f"{'.'.join(path)} ({why})",
        "locations": problem.formatted.get("locations", []),
        "extensions": {
            "code": "INVALID_VARIABLE",
            "value": variables.get(name),
            "problems": [{"path": path, "explanation": why}],
        },
    }
