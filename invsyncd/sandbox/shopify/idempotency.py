"""The memory behind `@idempotent(key:)`: which mutations were requested before.

Facts (docs/api/usage/implementing-idempotency, and reports from real shops): Keys are remembered
for 24 hours from the first request. The same key with other variables is refused. The sources
disagree about the answer to a repetition; see `Replay`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import GraphQLError
from graphql import GraphQLResolveInfo as Info
from graphql.execution.values import get_directive_values

from invsyncd.sandbox.shopify.context import Behaviours, Context, Replay

REMEMBERED_S = 24 * 3600.0

Payload: TypeAlias = dict[str, Any]


@dataclass
class _Entry:
    fingerprint: str
    first_at: float
    payload: Payload
    applied: bool


class Idempotency:
    """The keys of one app in one shop."""

    def __init__(self, behaviours: Behaviours) -> None:
        self._behaviours = behaviours
        self._entries: dict[str, _Entry] = {}

    def run(
        self, info: Info, arguments: object, attempt: Callable[[str, bool], Payload]
    ) -> Payload:
        """Carry out the mutation, or answer for an earlier one with the same key.

        `attempt(key, apply)` carries the mutation out. If `apply` is false, it only checks.
        """
        context: Context = info.context
        key = _key_of(info)
        if not self._behaviours.idempotency:
            return attempt(key, True)
        self._forget(context.now)
        mark = json.dumps([info.field_name, arguments, context.variables])
        earlier = self._entries.get(key)
        if earlier is not None:
            return self._repeat(earlier, mark, key, context.now, attempt)
        payload = attempt(key, True)
        self._entries[key] = _Entry(mark, context.now, payload, _succeeded(payload))
        return payload

    def _repeat(
        self, earlier: _Entry, mark: str, key: str, now: float, attempt: Callable[..., Payload]
    ) -> Payload:
        if earlier.fingerprint != mark:
            return refuse(
                "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
                "The request with this idempotency key has different parameters than the original "
                "request.",
            )
        if now < earlier.first_at + self._behaviours.in_flight_s:
            return refuse(
                "IDEMPOTENCY_CONCURRENT_REQUEST",
                "This request is currently in progress, please try again.",
            )
        if self._behaviours.replay is Replay.REEVALUATED:
            payload = attempt(key, not earlier.applied)
            if not earlier.applied and _succeeded(payload):
                earlier.applied, earlier.payload = True, payload
            return payload
        if not earlier.applied:
            return refuse(
                "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
                "A previous request with this idempotency key failed. Retry with a new "
                "idempotency key.",
            )
        return earlier.payload

    def _forget(self, now: float) -> None:
        while self._entries:
            key = next(iter(self._entries))
            if self._entries[key].first_at > now - REMEMBERED_S:
                return
            del self._entries[key]


def refuse(code: str, message: str, field: list[str] | None = None) -> Payload:
    """A payload of any mutation with one user error."""
    error = {"field": field, "message": message, "code": code}
    return {"inventoryAdjustmentGroup": None, "userErrors": [error]}


def _succeeded(payload: Payload) -> bool:
    return not payload["userErrors"]


def _key_of(info: Info) -> str:
    directive = info.schema.get_directive("idempotent")
    given = None
    if directive is not None:
        given = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    if given is None:
        raise GraphQLError(
            "The @idempotent directive is required for this mutation but was not provided.",
            extensions={"code": "BAD_REQUEST"},
        )
    key: str = given["key"]
    if not key.strip():
        raise GraphQLError(
            "The idempotency key cannot be blank.", extensions={"code": "BAD_REQUEST"}
        )
    return key
