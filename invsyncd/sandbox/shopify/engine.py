"""Answers GraphQL requests: parse, price, throttle, execute, account.

Requests run in graphql-core over our SDL, which refuses what the official schema refuses. Each
distinct document is parsed, validated and priced once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    execute,
    parse,
    validate,
)

from invsyncd.sandbox.shopify.context import Context
from invsyncd.sandbox.shopify.cost import Bucket
from invsyncd.sandbox.shopify.plan import Plan
from invsyncd.sandbox.shopify.problems import wrong_document, wrong_variable
from invsyncd.sandbox.shopify.schema import schema

"""Points of a single query, on every plan (docs/api/usage/limits)."""

_DOCUMENTS_MAX = 1000
_LIMITS = "https://shopify.dev/api/usage/rate-limits"

Body = dict[str, Any]


@dataclass
class _Prepared:
    document: DocumentNode
    errors: list[Body]
    operations: dict[str, OperationDefinitionNode]
    plans: dict[str, Plan]


@dataclass
class _Priced:
    plan: Plan
    operation: OperationDefinitionNode
    requested: int
    extra: int
    """The points that the rows of a write add."""


class Engine:
    """The GraphQL side of one shop, with its bucket and its counters."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.calls: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.points_spent = 0
        self.throttled = 0
        self._documents: dict[str, _Prepared] = {}

    def run(self, request: Mapping[str, Any], context: Context) -> Body:
        """Answer one request. The HTTP status is always 200."""
        prepared = self._prepare(request.get("query") or "")
        if prepared.errors:
            return {"errors": prepared.errors}
        name = request.get("operationName") or ""
        if not name and len(prepared.plans) == 1:
            name = next(iter(prepared.plans))
        if name not in prepared.plans:
            text = f'No operation named "{name}"' if name else "An operation name is required"
            return {"errors": [{"message": text}]}
        plan = prepared.plans[name]
        rows = _rows(context.variables) if plan.mutation else 0
        more = _further_objects(context.variables) if "nodes" in plan.roots else 0
        extra = round(context.behaviours.row_cost * rows + context.behaviours.object_cost * more)
        requested = plan.requested(context.variables) + extra
        refused = self._refuse(requested, context)
        if refused is not None:
            return refused
        self.calls.update(plan.roots)
        self.operations[name] += 1
        result = _execute(prepared.document, name, context)
        priced = _Priced(plan, prepared.operations[name], requested, extra)
        return self._account(result, priced, context)

    def _prepare(self, text: str) -> _Prepared:
        prepared = self._documents.get(text)
        if prepared is None:
            if len(self._documents) >= _DOCUMENTS_MAX:
                self._documents.clear()
            prepared = self._documents[text] = _prepare(text)
        return prepared

    def _refuse(self, cost: int, context: Context) -> Body | None:
        """A refusal if the query costs more than is ever allowed, or than the bucket holds."""
        most = context.behaviours.cost_max
        if cost > most:
            message = (
                f"Query cost is {cost}, which exceeds the single query max cost limit ({most})."
            )
            extensions = {
                "code": "MAX_COST_EXCEEDED",
                "cost": cost,
                "maxCost": most,
                "documentation": _LIMITS,
            }
            return {"errors": [{"message": message, "extensions": extensions}]}
        if self.bucket.take(cost, context.now):
            return None
        self.throttled += 1
        extensions = {"code": "THROTTLED", "documentation": _LIMITS}
        return {
            "errors": [{"message": "Throttled", "extensions": extensions}],
            "extensions": {"cost": self._cost(cost, None, context)},
        }

    def _account(self, result: ExecutionResult, priced: _Priced, context: Context) -> Body:
        problems = result.errors or []
        if result.data is None and problems and all(p.path is None for p in problems):
            # The variables did not fit. Nothing was executed, and nothing is charged (recorded).
            self.bucket.refund(priced.requested)
            return {
                "errors": [wrong_variable(p, priced.operation, context.variables) for p in problems]
            }
        for problem in problems:
            if problem.original_error and not isinstance(problem.original_error, GraphQLError):
                raise problem.original_error  # a bug in the fake must not look like a GraphQL error
        actual = priced.plan.actual(result.data, context.variables) + priced.extra
        self.bucket.refund(priced.requested - actual)
        self.points_spent += actual
        codes = {(problem.extensions or {}).get("code") for problem in problems}
        body: Body = {} if "MAX_INPUT_SIZE_EXCEEDED" in codes else {"data": result.data}
        if problems:
            body["errors"] = [problem.formatted for problem in problems]
        body["extensions"] = {"cost": self._cost(priced.requested, actual, context)}
        if context.searches:
            body["extensions"]["search"] = context.searches
        return body

    def _cost(self, requested: int, actual: int | None, context: Context) -> Body:
        shown = context.behaviours.cost_shown
        cost: Body = {
            "requestedQueryCost": round(shown * requested),
            "actualQueryCost": None if actual is None else round(shown * actual),
        }
        if context.behaviours.throttle_status:
            cost["throttleStatus"] = {
                "maximumAvailable": self.bucket.maximum,
                "currentlyAvailable": int(self.bucket.available(context.now)),
                "restoreRate": self.bucket.restore,
            }
        return cost


def _prepare(text: str) -> _Prepared:
    try:
        document = parse(text)
    except GraphQLSyntaxError as problem:
        return _Prepared(DocumentNode(definitions=()), [dict(problem.formatted)], {}, {})
    errors = [wrong_document(problem) for problem in validate(schema(), document)]
    operations = {
        node.name.value if node.name else "": node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    }
    if errors:
        return _Prepared(document, errors, operations, {})
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    plans = {name: Plan(schema(), node, fragments) for name, node in operations.items()}
    return _Prepared(document, [], operations, plans)


def _execute(document: DocumentNode, name: str, context: Context) -> ExecutionResult:
    result = execute(
        schema(),
        document,
        context_value=context,
        variable_values=context.variables,
        operation_name=name or None,
        # All resolvers are plain functions, so a request is one atomic step.
        is_awaitable=lambda _value: False,
    )
    if not isinstance(result, ExecutionResult):
        raise TypeError("a resolver of the fake shop must not be awaitable")
    return result


def _further_objects(variables: Mapping[str, Any]) -> int:
    """How many objects a `nodes` list asks for beyond the first."""
    asked = [len(ids) for ids in variables.values() if isinstance(ids, list)]
    return max(max(asked, default=1) - 1, 0)


def _rows(variables: Mapping[str, Any]) -> int:
    """The number of rows of a write, from its variables."""
    given = variables.get("input")
    lists = given.values() if isinstance(given, Mapping) else ()
    return sum(len(rows) for rows in lists if isinstance(rows, list))
