"""The fields of a bulk operation, and what they show as time passes.

Facts (recorded): Counts are strings. While an operation runs, it shows only zeros and nulls. A
canceled operation may show counts and a url.
"""

from __future__ import annotations

from graphql import GraphQLResolveInfo as Info
from graphql import OperationType

from invsyncd.sandbox.shopify.bulk import PATH, BulkOperation, Spoil
from invsyncd.sandbox.shopify.context import iso
from invsyncd.sandbox.shopify.fields import Resolver


def _ended(one: BulkOperation, info: Info) -> bool:
    return one.status(info.context.now) == one.end


def _status(one: BulkOperation, info: Info) -> str:
    # Recorded: the mutation itself answers CREATED, however fast the operation is.
    born = info.operation.operation is OperationType.MUTATION
    return "CREATED" if born else one.status(info.context.now)


def _address(one: BulkOperation, info: Info) -> str:
    return f"{info.context.origin}{PATH}{one.name}?Signature=sandbox%2Bsignature%3D"


def _url(one: BulkOperation, info: Info) -> str | None:
    shown = one.end in ("COMPLETED", "CANCELED") and one.lines and _ended(one, info)
    return _address(one, info) if shown else None


def _partial(one: BulkOperation, info: Info) -> str | None:
    shown = one.spoil is Spoil.FAILED and one.lines and _ended(one, info)
    return _address(one, info) if shown else None


def _completed(one: BulkOperation, info: Info) -> str | None:
    return iso(one.ends_at) if one.end == "COMPLETED" and _ended(one, info) else None


def _size(one: BulkOperation, info: Info) -> str | None:
    return str(len(one.body())) if one.end == "COMPLETED" and _ended(one, info) else None


OPERATION: dict[str, Resolver] = {
    "id": lambda one, _info: one.gid,
    "completedAt": _completed,
    "errorCode": lambda one, info: one.error_code if _ended(one, info) else None,
    "fileSize": _size,
    "objectCount": lambda one, info: str(len(one.lines) if _ended(one, info) else 0),
    "partialDataUrl": _partial,
    "rootObjectCount": lambda one, info: str(one.roots if _ended(one, info) else 0),
    "status": _status,
    "type": lambda _one, _info: "QUERY",
    "url": _url,
}
