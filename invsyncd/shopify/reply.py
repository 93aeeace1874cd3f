"""The reading of one GraphQL answer: trusted data, or an error sorted by what to do next. Pure.

GraphQL reports errors with HTTP 200, and may send an error together with data. So any top-level
error counts as an error, and so does any search warning: an unknown filter is ignored, and then
*everything* comes back (recorded).
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
# Shopify has to repair these, so another try is worth it. None promises that nothing was done.
_TRANSIENT = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})
_CLOSED = frozenset({"SHOP_INACTIVE", "UNAUTHORIZED", "FORBIDDEN"})
_POINTS_MAX = 1e9  # the largest bucket has 40,000 (documented); also keeps NaN and Infinity out
_CODE, _CODE_CHARS_MAX = re.compile("[A-Z][A-Z0-9_]*"), 64
_ERRORS_MAX = 100  # of one answer; further ones are not read
_THROTTLED_WAIT_S_MIN = 1.0  # documented: back off for a second


class TokenRefused(Unauthorised):
    """The token itself was refused; another one may be accepted."""


class AccessDenied(Unauthorised):
    """The token works, but gives no access to what was requested."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`extensions.cost`, in points; None for a figure that the answer lacks (recorded)."""

    requested: float | None = None
    actual: float | None = None
    status: ThrottleStatus | None = None


@dataclass(frozen=True, slots=True)
class GraphqlReply:
    """The JSON of an answer, before `trusted` has checked it."""

    answer: Answer
    members: dict[str, object]
    cost: Cost


def opened(answer: Answer, what: str, secrets: Sequence[str]) -> GraphqlReply:
    """Read the body of a 2xx answer; raise for any other status.

    402 and 423 are Unauthorised: as with a dead token, somebody must act and a retry is useless.
    430 (Shopify's security rejection) asks to slow down, as 429 does.
    """
    status = answer.status
    if not 200 <= status < 300:
        message = _first_error(answer, secrets)
        if status in _LOCKED:
            raise Unauthorised(f"{what}: HTTP {status}: {_LOCKED[status]}")
        if status == 430:
            raise Throttled(f"{what}: HTTP 430: {message}", retry_after_s=answer.retry_after_s)
        try:
            raise_for_status(answer, what, message)
        except Unavailable as failure:
            if status == 429:
                raise Throttled(str(failure), retry_after_s=failure.retry_after_s) from None
            raise
        except Unauthorised as failure:
            raise TokenRefused(str(failure), advice=_ADVICE_LOGIN) from None
    members = json_object(answer.body, what)
    return GraphqlReply(answer, members, _cost(members))


def trusted(
    reply: GraphqlReply, what: str, secrets: Sequence[str], *, mutation: bool
) -> dict[str, object]:
    """Return `data`, or raise: Unavailable, Unauthorised, Refused or InvalidResponse.

    A mutation that answers with an error *and* with a result has an unknown outcome: something
    was done, but the answer does not say what (recorded for a denied sub-field).
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
    """The one error to raise for all: the first that no retry can mend, otherwise a wait."""
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
    """Shopify's code of an error, such as THROTTLED; "" if it does not look like one."""
    fits = isinstance(value, str) and len(value) <= _CODE_CHARS_MAX
    return value if fits and isinstance(value, str) and _CODE.fullmatch(value) else ""


def _code(error: object) -> str:
    extensions = error.get("extensions") if isinstance(error, dict) else None
    return error_code(extensions.get("code") if isinstance(extensions, dict) else None)


def _message(error: object) -> object:
    return error.get("message", "") if isinstance(error, dict) else error


def _first_error(answer: Answer, secrets: Sequence[str]) -> str:
    """The first error of a non-2xx body (`errors` may be a plain string); never the raw body."""
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
    # Only this part tells whether the filter was understood. If it cannot be read, it was not.
    for search in Shape(searches, f"{what}: extensions.search").items():
        if warnings := search.object().get("warnings"):
            _raise_ignored_filter(warnings, what, secrets)


def _raise_ignored_filter(warnings: object, what: str, secrets: Sequence[str]) -> NoReturn:
    first = warnings[0] if isinstance(warnings, list) else warnings
    field = first.get("field", "") if isinstance(first, dict) else ""
    code = first.get("code", "") if isinstance(first, dict) else ""
    reason = excerpt(f"{field}: {code}", secrets)
    raise InvalidResponse(f"{what}: the search filter was not understood ({reason})")


def _cost(members: dict[str, object]) -> Cost:
    """The cost, read leniently: an odd cost does not make the data unreadable."""
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
    """A number of points; None for anything that cannot be one."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fine = number and isinstance(value, (int, float)) and 0 <= value <= _POINTS_MAX
    return float(value) if fine and isinstance(value, (int, float)) else None
