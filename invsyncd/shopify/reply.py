"""One GraphQL answer: its data, or the error that says what to do next. Pure.

GraphQL refuses with HTTP 200, and may refuse and send data. So any top-level error, and any search
warning (an unknown filter is ignored and *everything* comes back, recorded), is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from invsyncd.errors import (
    InvalidResponse,
    InvsyncError,
    Refused,
    Throttled,
    Unauthorised,
    Unavailable,
)
from invsyncd.net.decode import Shape, excerpt, json_object
from invsyncd.net.http import Answer, raise_for_status
from invsyncd.net.rate_limit import ThrottleStatus

_ADVICE_LOGIN = "check the Shopify credentials in the configuration; `invsyncd check` tries them"
_ADVICE_SCOPES = "the app needs read_locations, read_products, read_inventory, write_inventory"
_LOCKED = {
    402: "the shop is frozen (unpaid)",
    423: "the shop is locked",
}
# Theirs to repair, so worth another try; none of them promises that nothing was done.
_TRANSIENT = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})
_CLOSED = frozenset({"SHOP_INACTIVE", "UNAUTHORIZED", "FORBIDDEN"})
_POINTS_MAX = 1e9  # the largest bucket has 40,000 (documented); also keeps NaN and Infinity out
_CODE, _CODE_CHARS_MAX = re.compile("[A-Z][A-Z0-9_]*"), 64
_ERRORS_MAX = 100  # of one answer; more are not looked at
_THROTTLED_WAIT_S_MIN = 1.0  # documented: back off for a second


class TokenRefused(Unauthorised):
    """The token itself is not taken: another one may be."""


class AccessDenied(Unauthorised):
    """The token lives, and what was asked for is not open to it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`extensions.cost`, in points; None where the answer does not say (recorded: it may not)."""

    requested: float | None = None
    actual: float | None = None
    status: ThrottleStatus | None = None


@dataclass(frozen=True, slots=True)
class GraphqlReply:
    """An answer's JSON, not yet believed: see `trusted`."""

    answer: Answer
    members: dict[str, object]
    cost: Cost


def opened(
    answer: Answer, what: str, secrets: Sequence[str], *, mutation: bool = False
) -> GraphqlReply:
    """Read the body of a 2xx answer; raise for any other status.

    A mutation that is refused in no way that Shopify promised may have been carried out:
    Unavailable.

    402 and 423 are Unauthorised: like a dead token they end when somebody acts, not by retrying.
    430 (their security rejection) asks to slow down, as 429 does.
    """
    status = answer.status
    if not 200 <= status < 300:
        said = _said(answer, secrets)
        if status in _LOCKED:
            raise Unauthorised(f"{what}: HTTP {status}: {_LOCKED[status]}")
        if status == 430:
            raise Throttled(f"{what}: HTTP 430: {said}", retry_after_s=answer.retry_after_s)
        try:
            raise_for_status(answer, what, said)
        except Unavailable as failure:
            if status == 429:
                raise Throttled(str(failure), retry_after_s=failure.retry_after_s) from None
            raise
        except Unauthorised as failure:
            raise TokenRefused(str(failure), advice=_ADVICE_LOGIN) from None
        except Refused as failure:
            if mutation and not _says_only_no(answer):
                raise Unavailable(str(failure)) from None
            raise
    members = json_object(answer.body, what)
    return GraphqlReply(answer, members, _cost(members))


def trusted(
    reply: GraphqlReply, what: str, secrets: Sequence[str], *, mutation: bool
) -> dict[str, object]:
    """Return `data`, or raise: Unavailable, Unauthorised, Refused or InvalidResponse.

    A mutation that answers with an error *and* with a result has an unknown outcome: something
    was done, and what we asked to be told of it was not (recorded for a denied sub-field).
    """
    errors, data = reply.members.get("errors"), reply.members.get("data")
    if errors:
        failure = _failure(errors, reply.cost, what, secrets)
        done = isinstance(data, dict) and any(value is not None for value in data.values())
        if mutation and done and not isinstance(failure, Unauthorised):
            raise Unavailable(str(failure), advice=failure.advice)
        raise failure
    _check_search(reply.members, what, secrets)
    if not isinstance(data, dict):
        raise InvalidResponse(f"{what}: the answer has neither data nor errors")
    return data


def _failure(errors: object, cost: Cost, what: str, secrets: Sequence[str]) -> InvsyncError:
    """The one error to raise for all of them: the first that no repetition mends, else a wait."""
    listed = errors if isinstance(errors, list) else [errors]
    coded = [(_code(one), excerpt(_message(one), secrets)) for one in listed[:_ERRORS_MAX]]
    for code, message in coded:
        if code == "ACCESS_DENIED":
            return AccessDenied(f"{what}: access denied: {message}", advice=_ADVICE_SCOPES)
        if code in _CLOSED:
            return Unauthorised(f"{what}: {code}: {message}", advice=_ADVICE_LOGIN)
    for code, message in coded:
        if code == "THROTTLED":
            return Throttled(f"{what}: throttled", retry_after_s=_wait_s(cost))
        if code in _TRANSIENT:
            return Unavailable(f"{what}: {code}: {message}")
    code, message = coded[0] if coded else ("", "")
    return Refused(f"{what}: {message or 'an error without a message'}", code=code)


def _wait_s(cost: Cost) -> float:
    if cost.requested is None or cost.status is None:
        return _THROTTLED_WAIT_S_MIN
    missing = cost.requested - cost.status.available
    return max(_THROTTLED_WAIT_S_MIN, missing / cost.status.restore_rate)


def error_code(value: object) -> str:
    """Their code for an error, such as THROTTLED; "" for anything that does not look like one."""
    fits = isinstance(value, str) and len(value) <= _CODE_CHARS_MAX
    return value if fits and isinstance(value, str) and _CODE.fullmatch(value) else ""


def _code(error: object) -> str:
    extensions = error.get("extensions") if isinstance(error, dict) else None
    return error_code(extensions.get("code") if isinstance(extensions, dict) else None)


def _message(error: object) -> object:
    return error.get("message", "") if isinstance(error, dict) else error


def _says_only_no(answer: Answer) -> bool:
    """Whether the body has errors and no data: then nothing was carried out (documented)."""
    try:
        members = json_object(answer.body, "")
    except InvalidResponse:
        return False
    return bool(members.get("errors")) and members.get("data") is None


def _said(answer: Answer, secrets: Sequence[str]) -> str:
    """What a non-2xx body says of the error (`errors` may be a plain string); not the body."""
    try:
        errors = json_object(answer.body, "").get("errors", "")
    except InvalidResponse:
        return ""
    first = errors[0] if isinstance(errors, list) and errors else errors
    return excerpt(_message(first), secrets)


def _check_search(members: dict[str, object], what: str, secrets: Sequence[str]) -> None:
    extensions = members.get("extensions")
    searches = extensions.get("search") if isinstance(extensions, dict) else None
    if searches is None:
        return
    # Whether the filter was understood hangs on it: what cannot be read is no yes.
    for search in Shape(searches, f"{what}: extensions.search").items():
        if warnings := search.object().get("warnings"):
            _raise_ignored_filter(warnings, what, secrets)


def _raise_ignored_filter(warnings: object, what: str, secrets: Sequence[str]) -> NoReturn:
    first = warnings[0] if isinstance(warnings, list) else warnings
    field = first.get("field", "") if isinstance(first, dict) else ""
    code = first.get("code", "") if isinstance(first, dict) else ""
    said = excerpt(f"{field}: {code}", secrets)
    raise InvalidResponse(f"{what}: the filter was not understood ({said})")


def _cost(members: dict[str, object]) -> Cost:
    """Leniently read: a strange price tag does not make the goods unreadable."""
    extensions = members.get("extensions")
    cost = extensions.get("cost") if isinstance(extensions, dict) else None
    if not isinstance(cost, dict):
        return Cost()
    status = cost.get("throttleStatus")
    maximum, available, rate = (
        _points(status.get(name)) if isinstance(status, dict) else None
        for name in ("maximumAvailable", "currentlyAvailable", "restoreRate")
    )
    known = maximum and rate and available is not None
    return Cost(
        requested=_points(cost.get("requestedQueryCost")),
        actual=_points(cost.get("actualQueryCost")),
        status=ThrottleStatus(maximum or 0.0, available or 0.0, rate or 0.0) if known else None,
    )


def _points(value: object) -> float | None:
    """Points, where they can be some: a price tag that is nonsense says nothing."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fine = number and isinstance(value, (int, float)) and 0 <= value <= _POINTS_MAX
    return float(value) if fine and isinstance(value, (int, float)) else None
