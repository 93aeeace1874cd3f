"""What TikTok's error codes ask of us, and which SKUs of an update were not written. Pure.

Only this file holds codes as numbers. Their meaning is documented ("Common errors" and the endpoint
pages); a code that is not listed is REFUSED: reported, not repeated. The errors of an update come
under code 0 (documented): an update is no success until they were read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from invsyncd.errors import Refused
from invsyncd.net.decode import Shape, excerpt
from invsyncd.tiktok.parse import optional_id, optional_items, optional_text

WRAPPER: Final = 12052990  # "Check failed": the reason is in extra_errors
# Codes about one warehouse. First: TikTok keeps its stock itself. Second: the warehouse is off, or
# not for this shop or market.
PLATFORM_CODES: Final = frozenset({12052144, 12052382})
CLOSED_CODES: Final = frozenset({12052531, 12052403, 12052532, 12052364})
LOCKED_CODES: Final = frozenset({12052393})  # a campaign's units must stay in stock
TOO_MANY_RESULTS: Final = 12052180  # a search that finds more than it can show
TOKEN_OR_SHOP: Final = 101000  # the token, the cipher, or the two together
SCOPE_MISSING: Final = 105005
# Codes about version, path, method, body or content type: no id is the cause.
ABOUT_THE_CALL: Final = frozenset({36009014, 36009009, 36009010, 36009022, 36009023})
Excerpt = Callable[[object], str]
_OVERLOADED: Final = 36009004  # one code for many errors: only the message tells which
# Expired authorization; used or dead authorization codes and refresh tokens.
_ENDED: Final = frozenset({105001, 105002, 36004001, 36004004, 36004005})


class Trouble(StrEnum):
    """What to do next."""

    RETRY = "retry"  # TikTok has to repair it: the same call may be repeated
    THROTTLE = "throttle"  # too fast: repeat the call more slowly
    REFRESH = "refresh"  # the access token is refused: get a new one, then repeat the call
    HALT = "halt"  # the shop or the app is not permitted: somebody must act
    PARK = "park"  # this listing cannot be written now: leave it alone until it changes
    WAREHOUSES = "warehouses"  # what we know of its warehouses is wrong: read them again
    REDISCOVER = "rediscover"  # the product or SKU is not what we think: search listings again
    CLAMP = "clamp"  # the quantity is outside the allowed range
    BUG = "bug"  # our request cannot be answered: the program must be mended
    REFUSED = "refused"  # anything else


# Of several troubles of one SKU, the one comes first that needs most before a write can work: a
# person, a new version of this program, another product, other warehouses, a change of the listing,
# something unknown, another quantity, another token, a slower pace, time.
_MOST_SERIOUS_FIRST: Final = (
    Trouble.HALT,
    Trouble.BUG,
    Trouble.REDISCOVER,
    Trouble.WAREHOUSES,
    Trouble.PARK,
    Trouble.REFUSED,
    Trouble.CLAMP,
    Trouble.REFRESH,
    Trouble.THROTTLE,
    Trouble.RETRY,
)


# A trouble may have several kinds of codes. The comment names them in the order of the code lines.
_CODES: Final[Mapping[Trouble, str]] = MappingProxyType(
    {
        # internal errors, time-outs
        Trouble.RETRY: "36009003 36009007 12001000 12052881 33001002",
        Trouble.THROTTLE: "36009002 12052109",
        Trouble.REFRESH: "105001 105002",
        # address not on the app's list, signature, cipher, token of another shop, region, scope,
        # authorization code, refresh token; inactive seller or no permission
        Trouble.HALT: "36009033 106001 106013 101000 105004 105005"
        " 36004004 36004001 36004005 12052700 12019114 12009014",
        # status, promotion, auction; disabled or foreign warehouse; no permission for several
        # warehouses; stock that TikTok itself or another shop's product keeps
        Trouble.PARK: "12052901 12019113 12052393 12052371"
        " 12052531 12052403 12052532 12052364 12052094"
        " 12052144 12052382 12052921",
        Trouble.WAREHOUSES: "12019022 12019028 12052037 12052097 12052530 12052533 12052555",
        # products, then SKUs
        Trouble.REDISCOVER: "12052030 12052031 12052032 12052034 12052048 12052260 12019150"
        " 12019008 12052036 12052556 12052557 12052553 12052902",
        Trouble.CLAMP: "12019024 12052055",
        # version, path, method, body, content type; a missing or an unwanted field; search limits
        Trouble.BUG: "36009014 36009009 36009010 36009022 36009023"
        " 12052486 12052309 12052310 12052311 12052313 12052490"
        " 12052180 12019027 12019087 12019118 12019119 12019120 12019015",
    }
)
_TROUBLES: Final[Mapping[int, Trouble]] = MappingProxyType(
    {int(code): trouble for trouble, codes in _CODES.items() for code in codes.split()}
)


class Declined(Refused):
    """TikTok refused a call with a code of its own.

    `trouble` is the class of that code, `number` the code itself.
    """

    def __init__(self, message: str, *, number: int, trouble: Trouble, advice: str = "") -> None:
        super().__init__(message, code=str(number), advice=advice)
        self.number = number
        self.trouble = trouble


_REQUEST = re.compile(r" \[request [^\]]*\]")


def lasting(message: str) -> str:
    """The message without its request id, so that the same error is not reported at every try."""
    return _REQUEST.sub("", message)


def trouble(code: int, message: str) -> Trouble:
    """Return the class of a code; the message decides where the code alone does not."""
    if code != _OVERLOADED:
        return _TROUBLES.get(code, Trouble.REFUSED)
    text = message.lower()
    if wrong_clock(code, message):
        return Trouble.RETRY
    if "access-token" in text or "access_token" in text:
        return Trouble.REFRESH
    if "app_key" in text or "credentials" in text or "signature" in text:
        return Trouble.HALT
    return Trouble.BUG


def login_helps(code: int, message: str) -> bool:
    """Whether a refused token call needs a new login, and not another app key or secret.

    No official page lists the codes of dead refresh tokens, so an unknown code counts as one.
    """
    return code in _ENDED or trouble(code, message) in (Trouble.REFRESH, Trouble.REFUSED)


def seriousness(trouble: Trouble) -> int:
    """The rank of a trouble among several of one SKU; 0 is the most serious."""
    return _MOST_SERIOUS_FIRST.index(trouble)


def wrong_clock(code: int, message: str) -> bool:
    """Whether the error says that our timestamp is outside TikTok's window (−5 min, +30 s)."""
    return code == _OVERLOADED and "timestamp" in message.lower()


@dataclass(frozen=True, slots=True)
class SkuError:
    """Why one SKU was not written: the most serious of the given reasons.

    `warehouses` are the ids of the warehouses that this reason names. `reasons` holds (warehouse
    id, code) for each given reason that names a warehouse.
    """

    code: int
    message: str
    trouble: Trouble
    warehouses: tuple[str, ...] = ()
    reasons: tuple[tuple[str, int], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """The outcome of an update: the SKUs that were not written. All others were."""

    errors: dict[str, SkuError] = field(default_factory=dict)
    request_id: str = ""


def update_errors(
    data: Shape, sku_ids: Iterable[str], safe_excerpt: Excerpt = excerpt
) -> dict[str, SkuError]:
    """The errors of an update by SKU. An error that names no SKU counts for every SKU.

    `safe_excerpt` makes a foreign text fit to be shown.
    """
    written = list(sku_ids)
    reasons: dict[str, list[SkuError]] = {}
    for entry in optional_items(data, "errors"):
        detail = entry.maybe("detail")
        named = "" if detail is None else optional_id(detail, "sku_id")
        for sku_id in [named] if named else written:
            reasons.setdefault(sku_id, []).extend(_reasons(entry, detail, safe_excerpt))
    return {sku_id: _most_serious(found) for sku_id, found in reasons.items()}


def _reasons(entry: Shape, detail: Shape | None, safe_excerpt: Excerpt) -> list[SkuError]:
    """The reason of an entry and those inside it; a wrapper counts only if it is empty."""
    inner = [] if detail is None else optional_items(detail, "extra_errors")
    outer = _reason(entry, safe_excerpt)
    found = [_reason(one, safe_excerpt, optional_id(one, "warehouse_id")) for one in inner]
    return found if found and outer.code == WRAPPER else [outer, *found]


def _reason(entry: Shape, safe_excerpt: Excerpt, warehouse: str = "") -> SkuError:
    code, text = entry.at("code").whole(), optional_text(entry, "message")
    message = text + (f" (warehouse {warehouse})" if warehouse else "")
    named = (warehouse,) if warehouse else ()
    reasons = ((warehouse, code),) if warehouse else ()
    return SkuError(code, safe_excerpt(message), trouble(code, text), named, reasons)


def _most_serious(reasons: list[SkuError]) -> SkuError:
    """The first of the most serious reasons, with every warehouse that has the same code."""
    worst = min(reasons, key=lambda reason: seriousness(reason.trouble))
    same = (reason for reason in reasons if reason.code == worst.code)
    named = dict.fromkeys(warehouse for reason in same for warehouse in reason.warehouses)
    by_warehouse = dict.fromkeys(pair for reason in reasons for pair in reason.reasons)
    return SkuError(worst.code, worst.message, worst.trouble, tuple(named), tuple(by_warehouse))
