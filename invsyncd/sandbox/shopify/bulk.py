"""Bulk operations of the fake Shopify: a query over everything, answered by a JSONL file.

Facts: the Admin schema 2026-10; recorded answers of a real shop (the mutation answers CREATED, the
next query RUNNING; counts are strings; `url` is null until the end); docs/api/usage/bulk-operations
(five at once since 2026-01, children carry `__parentId`, there are no pages). The rows are read
when the operation is created, which is the earliest state that a real operation could show.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from aiohttp import web
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, execute
from graphql import GraphQLResolveInfo as Info

from invsyncd.sandbox.shopify.bulk_checks import INVALID, checked, without_pages
from invsyncd.sandbox.shopify.context import Context, number_of, spoil_all
from invsyncd.sandbox.shopify.fields import Resolver
from invsyncd.sandbox.shopify.pages import UNCUT

PATH = "/bulk-operation-outputs/"
"""Path of the files. They need no token: anybody who knows the name may read (recorded)."""

_BUSY = "A bulk query operation for this app and shop is already in progress: {}."
_FULL = "Bulk operations limit reached. Please try again later."
_DENIED = "Access denied for bulkOperationRunQuery field."


class Spoil(StrEnum):
    """What goes wrong with an operation."""

    NOTHING = ""
    FAILED = "failed"
    """FAILED with `error_code`, and half of the rows behind `partialDataUrl`."""
    CANCELED = "canceled"
    """CANCELED by somebody. The operation may still show counts and a url (recorded)."""
    EXPIRED = "expired"
    SHORT = "short"
    """COMPLETED, but the last line of the file is missing."""
    GARBLED = "garbled"
    """COMPLETED, but a line in the middle is not JSON."""
    GONE = "gone"
    """COMPLETED, but the link answers 403, like an expired link."""
    MOVED = "moved"
    """COMPLETED, but the link answers with a redirect."""


@dataclass
class BulkOperation:
    """One operation. Its status depends on time alone."""

    id: int
    query: str
    created_at: float
    running_at: float
    ends_at: float
    name: str
    """The name of its file, which nobody can guess."""
    lines: list[bytes]
    roots: int
    spoil: Spoil
    error_code: str | None

    @property
    def gid(self) -> str:
        """The global id."""
        return f"gid://shopify/BulkOperation/{self.id}"

    @property
    def end(self) -> str:
        """The final status."""
        ends = (Spoil.FAILED, Spoil.CANCELED, Spoil.EXPIRED)
        return self.spoil.upper() if self.spoil in ends else "COMPLETED"

    def status(self, now: float) -> str:
        """The status at that time."""
        if now < self.running_at:
            return "CREATED"
        return "RUNNING" if now < self.ends_at else self.end

    def body(self) -> bytes:
        """The content of the file."""
        lines = list(self.lines)
        if self.spoil is Spoil.SHORT:
            lines = lines[:-1]
        elif self.spoil is Spoil.GARBLED and lines:
            lines[len(lines) // 2] = lines[len(lines) // 2][:-2]
        elif self.spoil is Spoil.FAILED:
            lines = lines[: len(lines) // 2]
        return b"".join(line + b"\n" for line in lines)


@dataclass
class Bulk:
    """All operations of the app in this shop, and settings for the next ones."""

    queue_s: float = 0.0
    """How long an operation stays CREATED, in seconds."""
    run_s: float = 1.0
    """How long it then runs, in seconds."""
    at_once: int = 5
    """Five since 2026-01. With 1, a second operation is refused as before that version."""
    refused: bool = False
    """Whether bulk operations are denied to this app altogether."""
    shuffled: bool = False
    """Whether lines come in any order, children before their parents too."""
    compressed: bool = False
    """Whether files are sent with gzip."""
    line_s: float = 0.0
    """How long each line of a file takes to send, in seconds. 0 sends the file at once."""
    spoil: Spoil = Spoil.NOTHING
    error_code: str = "INTERNAL_SERVER_ERROR"
    """The code of operations that end as FAILED."""
    operations: list[BulkOperation] = field(default_factory=list)
    downloads: list[Mapping[str, str]] = field(default_factory=list)
    """The request headers of each download."""

    def find(self, gid: str) -> BulkOperation | None:
        """The operation with this id, if there is one."""
        number = number_of(gid, "BulkOperation")
        return next((one for one in self.operations if one.id == number), None)

    def running(self, now: float) -> list[BulkOperation]:
        """The operations that have not ended."""
        return [one for one in self.operations if now < one.ends_at]

    def start(
        self, context: Context, schema: GraphQLSchema, query: str, document: DocumentNode
    ) -> BulkOperation:
        """Create an operation with the rows of this moment."""
        rows, error = _rows(context, schema, document)
        if context.behaviours.spoil is not None:
            spoil_all(rows, context.behaviours.spoil)
        lines = [json.dumps(row, separators=(",", ":")).encode() for row in rows]
        if self.shuffled:
            random.Random(len(lines)).shuffle(lines)
        running_at = context.now + self.queue_s
        spoilt = self.error_code if self.spoil is Spoil.FAILED else None
        made = BulkOperation(
            id=7_000_000_000_001 + len(self.operations),
            query=query,
            created_at=context.now,
            running_at=running_at,
            ends_at=running_at + self.run_s,
            name=f"{secrets.token_urlsafe(24)}-final.jsonl",
            lines=lines,
            roots=sum("__parentId" not in row for row in rows),
            spoil=Spoil.FAILED if error else self.spoil,
            error_code=error or spoilt,
        )
        self.operations.append(made)
        return made

    async def download(self, request: web.Request) -> web.Response:
        """GET a file by its name."""
        self.downloads.append(dict(request.headers))
        name = request.match_info["name"]
        found = next((one for one in self.operations if one.name == name), None)
        if found is None:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        if found.spoil is Spoil.GONE:
            return web.Response(status=403, text="<Error><Code>ExpiredToken</Code></Error>")
        if found.spoil is Spoil.MOVED:
            return web.Response(status=302, headers={"Location": "/elsewhere"})
        body = self._slowly(found.body()) if self.line_s else found.body()
        answer = web.Response(body=body, content_type="application/jsonl")
        if self.compressed:
            answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def _slowly(self, body: bytes) -> AsyncIterator[bytes]:
        for line in body.splitlines(keepends=True):
            await asyncio.sleep(self.line_s)
            yield line


def _rows(
    context: Context, schema: GraphQLSchema, document: DocumentNode
) -> tuple[list[dict[str, Any]], str | None]:
    """All rows of the query, with every connection complete; or the code of its failure."""
    uncut = UNCUT.set(True)
    try:
        result = execute(
            schema,
            without_pages(document),
            context_value=replace(context, variables={}, searches=[]),
            is_awaitable=lambda _value: False,
        )
    finally:
        UNCUT.reset(uncut)
    if not isinstance(result, ExecutionResult):
        raise TypeError("a resolver of the fake shop must not be awaitable")
    if result.errors:
        codes = {(problem.extensions or {}).get("code") for problem in result.errors}
        return [], "ACCESS_DENIED" if "ACCESS_DENIED" in codes else "INTERNAL_SERVER_ERROR"
    return list(_flat(result.data or {}, None))[1:], None


def _flat(node: Mapping[str, Any], parent: str | None) -> Iterator[dict[str, Any]]:
    """The row without its connections, then the rows of its connections."""
    row = {key: value for key, value in node.items() if not _connection(value)}
    yield row if parent is None else {**row, "__parentId": parent}
    for value in node.values():
        for edge in value["edges"] if _connection(value) else ():
            yield from _flat(edge["node"], node.get("id"))


def _connection(value: object) -> bool:
    return isinstance(value, dict) and "edges" in value


def _run(
    _root: None,
    info: Info,
    query: str,
    groupObjects: bool,  # noqa: N803  (our rows are always grouped)
) -> dict[str, Any]:
    context: Context = info.context
    bulk: Bulk = context.bulk
    if bulk.refused:
        raise GraphQLError(_DENIED, extensions={"code": "ACCESS_DENIED"})
    document, problems = checked(info.schema, query)
    if document is None:
        errors = [{"field": ["query"], "message": text, "code": INVALID} for text in problems]
        return {"bulkOperation": None, "userErrors": errors}
    running = bulk.running(context.now)
    if len(running) >= bulk.at_once:
        error = {"field": None, "message": _FULL, "code": "LIMIT_REACHED"}
        if bulk.at_once == 1:
            busy = _BUSY.format(running[0].gid)
            error = {"field": None, "message": busy, "code": "OPERATION_IN_PROGRESS"}
        return {"bulkOperation": None, "userErrors": [error]}
    made = bulk.start(context, info.schema, query, document)
    return {"bulkOperation": made, "userErrors": []}


def _operation(_root: None, info: Info, id: str) -> BulkOperation | None:  # noqa: A002
    found: BulkOperation | None = info.context.bulk.find(id)
    return found


BULK_QUERY: dict[str, Resolver] = {"bulkOperation": _operation}
BULK_MUTATION: dict[str, Resolver] = {"bulkOperationRunQuery": _run}
