"""What every resolver of the fake Shopify gets: the shop, the settings, and the request.

Also helpers that all resolvers share: global ids, access scopes, top-level errors.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from functools import lru_cache
from time import gmtime, strftime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from graphql import GraphQLError, GraphQLResolveInfo

from invsyncd.sandbox.shopify.shop import Item, Level, Location, Product, Shop, Variant

ARRAY_MAX = 250
"""Entries of an input array, and nodes of a page (docs/api/usage/limits)."""

SCOPES = ("read_inventory", "write_inventory", "read_locations", "read_products")

_GID = re.compile(r"gid://shopify/(\w+)/(\d+)(?:\?inventory_item_id=(\d+))?")


def spoil_all(value: object, spoil: Callable[[dict[str, Any]], None]) -> None:
    """Call `spoil` with every JSON object in the value, the outer ones first."""
    if isinstance(value, dict):
        spoil(value)
    for one in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        spoil_all(one, spoil)


class Replay(StrEnum):
    """The answer to a repeated idempotency key. Both are reported from real shops."""

    REBUILT = "rebuilt"
    """The documentation: success, rebuilt from the current state."""
    REEVALUATED = "reevaluated"
    """Seen in 2026: the input is checked again, so a write that was applied answers STALE."""


@dataclass
class Behaviours:
    """Switches for what the documents leave open, or where two sources disagree."""

    zone: tzinfo = field(default_factory=lambda: ZoneInfo("America/New_York"))
    """The shop's timezone, in which unquoted timestamps are read."""
    lag_s: float = 0.0
    """How late the `updated_at` filter sees a change, in seconds (at most 900)."""
    catalogue_lag_s: float = 0.0
    """How late the same filter sees a change of an item, variant or product, in seconds."""
    replica_delay_s: float = 0.0
    """How old the state is that connections of levels show, in seconds (at most 900)."""
    replica_share: float = 1.0
    """The share of requests that a late replica answers. Below 1 each is late by another time, up
    to `replica_delay_s`."""
    replica_answers: str = ""
    """Only requests with this text in their query are answered late."""
    replica_points: bool = False
    """Whether a late replica answers for single levels, too."""
    replica_dice: random.Random = field(default_factory=lambda: random.Random(1))
    """What draws the request that is answered late, and by how much."""
    created_late_s: int = 0
    """How much later `createdAt` of a write is than the stamp of its level, in seconds at most."""
    idempotency: bool = True
    """False: the server requires the directive and then ignores it."""
    replay: Replay = Replay.REBUILT
    in_flight_s: float = 0.0
    """How long after its first arrival a key answers IDEMPOTENCY_CONCURRENT_REQUEST, in seconds."""
    partial_batches: bool = False
    """Whether the good rows of a call are applied although others are refused."""
    stale_names_row: bool = True
    """Whether CHANGE_FROM_QUANTITY_STALE names its row. Real shops were seen that did not."""
    unnamed_refusals: frozenset[int] = frozenset()
    """Items of which a row has the whole call refused, without saying which row."""
    unnamed_as: str = ""
    """The code of that refusal; TOP_LEVEL for a GraphQL error in place of a user error."""
    spoil: Callable[[dict[str, Any]], None] | None = None
    """Called with every JSON object of an answer and every line of a bulk file, to change it."""
    row_cost: float = 0.0
    """Points that each row of a write adds. No recording shows such a cost."""
    object_cost: float = 0.0
    """Points that each further object of a `nodes` list adds. Recordings show no such cost."""
    refused_objects: frozenset[str] = frozenset()
    """Types that `nodes` refuses, such as Location."""
    hidden_objects: frozenset[str] = frozenset()
    """Global ids that `nodes` answers with null, although other fields find them."""
    throttle_status: bool = True
    """False: answers do not contain the state of the bucket."""
    served_version: str = ""
    """The version that answers every request. Empty: as documented."""
    deprecated: str = ""
    """The deprecation reason in a header of each answer. Empty: no such header."""
    cost_max: int = 1000
    """Points that one query may cost (documented)."""
    cost_shown: float = 1.0
    """The fraction of every cost that the answers show."""

    def draw_delay(self, query: str) -> float:
        """How late the replica is that answers this request, in seconds."""
        if self.replica_answers not in query:
            return 0.0
        if not self.replica_delay_s or self.replica_share >= 1:
            return self.replica_delay_s
        is_late = self.replica_dice.random() < self.replica_share
        return self.replica_dice.uniform(0, self.replica_delay_s) if is_late else 0.0


@dataclass
class Context:
    """One request."""

    shop: Shop
    behaviours: Behaviours
    scopes: frozenset[str]
    now: float
    exclusive: bool
    variables: dict[str, Any]
    idempotency: Any
    bulk: Any = None
    origin: str = ""
    """The server's address, for links."""
    delay_s: float = 0.0
    """How late the replica is that answers this request, in seconds."""
    searches: list[dict[str, Any]] = field(default_factory=list)
    """The content of `extensions.search`."""


class Gid(NamedTuple):
    """A global id. Only the id of an inventory level has `item`."""

    type: str
    number: int
    item: int | None


def shown(context: Context, item: int, location: int) -> Level | None:
    """The level as an answer for a single level shows it."""
    if not context.behaviours.replica_points:
        return context.shop.level(item, location)
    return context.shop.ledger.as_of(item, location, context.now - context.delay_s)


def read_gid(text: str) -> Gid | None:
    """Parse a global id; None if the text is none."""
    match = _GID.fullmatch(text)
    if match is None:
        return None
    return Gid(match[1], int(match[2]), int(match[3]) if match[3] else None)


def number_of(text: str, kind: str) -> int:
    """The number in the id of an object of this kind; 0, which is never an id, for other texts."""
    gid = read_gid(text)
    return gid.number if gid is not None and gid.type == kind else 0


def find(context: Context, text: str) -> Level | Item | Location | Variant | Product | None:
    """The object with this global id, if there is one."""
    gid = read_gid(text)
    if gid is None:
        raise GraphQLError(
            f"Invalid global id '{text}'", extensions={"code": "INVALID_FIELD_ARGUMENTS"}
        )
    shop = context.shop
    match gid.type:
        case "InventoryLevel":
            place = shop.by_number.get(gid.number)
            return shop.level(gid.item or 0, place.id) if place else None
        case "InventoryItem":
            return shop.items.get(gid.number)
        case "Location":
            return shop.locations.get(gid.number)
        case "ProductVariant":
            return shop.variants.get(gid.number)
        case "Product":
            return shop.products.get(gid.number)
        case _:
            return None


def require(info: GraphQLResolveInfo, *any_of: str) -> None:
    """Refuse unless the token has one of these scopes; `write_x` includes `read_x`."""
    scopes = info.context.scopes
    for scope in any_of:
        if scope in scopes or scope.replace("read_", "write_") in scopes:
            return
    access = " or ".join(f"`{scope}`" for scope in any_of) + " access scope."
    raise GraphQLError(
        f"Access denied for {info.field_name} field. Required access: {access}",
        extensions={
            "code": "ACCESS_DENIED",
            "documentation": "https://shopify.dev/api/usage/access-scopes",
            "requiredAccess": access,
        },
    )


def limit_array(info: GraphQLResolveInfo, size: int, *path: str) -> None:
    """Refuse the whole request when an input array is too long."""
    if size > ARRAY_MAX:
        raise GraphQLError(
            f"The input array size of {size} is greater than the maximum allowed of {ARRAY_MAX}.",
            info.field_nodes,
            path=[info.path.key, *path],
            extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
        )


@lru_cache(maxsize=8192)
def _iso(second: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(second))


def iso(time: float) -> str:
    """A time as the API shows it: UTC, cut to the second."""
    return _iso(int(time))
