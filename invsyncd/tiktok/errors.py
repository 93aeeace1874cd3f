"""What TikTok's error codes ask of us, and which SKUs of an update were not written. Pure.

Only this file holds codes as numbers. Their meaning is documented ("Common errors" and the endpoint
pages); a code that is not listed is REFUSED: reported, not repeated. The errors of an update come
under code 0 (documented): an update is no success until they were read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from invsyncd.errors import Refused
from invsyncd.net.decode import Shape, excerpt
from invsyncd.tiktok.parse import optional_id, optional_items, optional_text

WRAPPER: Final = 12052990  # "Check failed": the reason is in extra_errors
# About one warehouse: TikTok keeps its stock itself; it is off, or not for this shop or market.
PLATFORM_CODES: Final = frozenset({12052144, 12052382})
CLOSED_CODES: Final = frozenset({12052531, 12052403, 12052532, 12052364})
TOO_MANY_RESULTS: Final = 12052180  # a search that finds more than it can show
_OVERLOADED: Final = 36009004  # one code for many complaints: only the message tells
# Expired authorization; used or dead authorization code and refresh token.
_ENDED: Final = frozenset({105001, 105002, 36004001, 36004004, 36004005})


class Trouble(StrEnum):
    """What to do next."""

    RETRY = "retry"  # theirs to repair: the same call may be repeated
    THROTTLE = "throttle"  # slower, then again
    REFRESH = "refresh"  # the access token is not taken: a new one, then again
    HALT = "halt"  # the shop or the app may not: somebody must act
    PARK = "park"  # this listing cannot be written now: left alone until it changes
    WAREHOUSES = "warehouses"  # our picture of its warehouses is wrong: read them again
    REDISCOVER = "rediscover"  # the product or SKU is not what we think: list again
    CLAMP = "clamp"  # the quantity is outside of what is allowed
    BUG = "bug"  # we asked for what cannot be asked
    REFUSED = "refused"  # anything else


# Of several troubles of one SKU, the one that needs most to happen before a write can work: a
# person, another program, another product, other warehouses, another day, who knows, another
# number, another token, other weather.
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


# Several troubles have a few kinds; the comment says them in the order of the codes' lines.
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
    """A call that TikTok turned down with a code of its own.

    `trouble` is the class of that code; `number` the code itself.
    """

    def __init__(self, message: str, *, number: int, trouble: Trouble, advice: str = "") -> None:
        super().__init__(message, code=str(number), advice=advice)
        self.number = number
        self.trouble = trouble


def trouble(code: int, message: str) -> Trouble:
    """Return what the code asks of us; the message decides where the code alone does not."""
    if code != _OVERLOADED:
        return _TROUBLES.get(code, Trouble.REFUSED)
    said = message.lower()
    if wrong_clock(code, message):
        return Trouble.RETRY
    if "access-token" in said or "access_token" in said:
        return Trouble.REFRESH
    if "app_key" in said or "credentials" in said or "signature" in said:
        return Trouble.HALT
    return Trouble.BUG


def login_helps(code: int, message: str) -> bool:
    """Whether a refused token call asks for a new login, and not for another app key or secret.

    The codes of dead refresh tokens are on no official page: one that nobody knows counts as such.
    """
    return code in _ENDED or trouble(code, message) in (Trouble.REFRESH, Trouble.REFUSED)


def seriousness(trouble: Trouble) -> int:
    """The rank of a trouble among several of one SKU; 0 is the most serious."""
    return _MOST_SERIOUS_FIRST.index(trouble)


def wrong_clock(code: int, message: str) -> bool:
    """Whether it says that our timestamp is outside of its window (−5 min, +30 s)."""
    return code == _OVERLOADED and "timestamp" in message.lower()


Shown = Callable[[object], str]


@dataclass(frozen=True, slots=True)
class SkuError:
    """Why one SKU was not written: the most serious reason of those that were given.

    `warehouses` are the ids of all that were named as refused; empty where none was. `reasons` are
    (warehouse id, code) of each reason that named one.
    """

    code: int
    message: str
    trouble: Trouble
    warehouses: tuple[str, ...] = ()
    reasons: tuple[tuple[str, int], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """What became of an update: the SKUs that were not written; all others were."""

    errors: dict[str, SkuError] = field(default_factory=dict)
    request_id: str = ""


def update_errors(
    data: Shape, sku_ids: Iterable[str], shown: Shown = excerpt
) -> dict[str, SkuError]:
    """The errors of an update by SKU; one that names no SKU is everyone's.

    `shown` makes a foreign text fit to be shown.
    """
    written = list(sku_ids)
    reasons: dict[str, list[SkuError]] = {}
    for entry in optional_items(data, "errors"):
        detail = entry.maybe("detail")
        named = "" if detail is None else optional_id(detail, "sku_id")
        for sku_id in [named] if named else written:
            reasons.setdefault(sku_id, []).extend(_reasons(entry, detail, shown))
    return {sku_id: _most_serious(found) for sku_id, found in reasons.items()}


def _reasons(entry: Shape, detail: Shape | None, shown: Shown) -> list[SkuError]:
    """The reason of an entry and those inside it; the wrapper itself is none, if it has any."""
    inner = [] if detail is None else optional_items(detail, "extra_errors")
    outer = _reason(entry, shown)
    found = [_reason(one, shown, optional_id(one, "warehouse_id")) for one in inner]
    return found if found and outer.code == WRAPPER else [outer, *found]


def _reason(entry: Shape, shown: Shown, warehouse: str = "") -> SkuError:
    code, said = entry.at("code").whole(), optional_text(entry, "message")
    message = said + (f" (warehouse {warehouse})" if warehouse else "")
    named = (warehouse,) if warehouse else ()
    reasons = ((warehouse, code),) if warehouse else ()
    return SkuError(code, shown(message), trouble(code, said), named, reasons)


def _most_serious(reasons: list[SkuError]) -> SkuError:
    """The first of the most serious ones, with every warehouse that has the same code."""
    worst = min(reasons, key=lambda reason: seriousness(reason.trouble))
    same = (reason for reason in reasons if reason.code == worst.code)
    named = dict.fromkeys(warehouse for reason in same for warehouse in reason.warehouses)
    by_warehouse = dict.fromkeys(pair for reason in reasons for pair in reason.reasons)
    return SkuError(worst.code, worst.message, worst.trouble, tuple(named), tuple(by_warehouse))
