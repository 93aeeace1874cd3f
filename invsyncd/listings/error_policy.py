"""Decides what follows when TikTok refuses a SKU: for its listing, warehouses, and the whole shop.

A table says what each class of error asks for. `tiktok.errors` says which code is of which class.
In every class the listing stays owed and is read again before its next write, and the waits grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from invsyncd.core.trying import AGAIN_S, AGAIN_S_MAX
from invsyncd.errors import Unauthorised
from invsyncd.listings.backoff import UNKNOWN_AGAIN_S, Backoff
from invsyncd.listings.discovery import Discovery
from invsyncd.listings.payload import ProductWrite, WritePayload
from invsyncd.listings.stock import ListingStock
from invsyncd.planning.rulebook import MAX_QUANTITY_OLD, Rulebook
from invsyncd.store.listings import Key
from invsyncd.tiktok.errors import (
    CLOSED_CODES,
    LOCKED_CODES,
    PLATFORM_CODES,
    Trouble,
    lasting,
)
from invsyncd.tiktok.shop import SkuError, UpdateOutcome

ADVICE = (
    "check the Partner Center and the Seller Center: the shop or the app is not allowed to do this"
)
# Not about single SKUs: to send these one by one would only be more calls.
_NOBODYS_OWN = (Trouble.RETRY, Trouble.THROTTLE, Trouble.REFRESH, Trouble.HALT)


class ErrorPolicy:
    """Carries out what the table asks for when TikTok refuses a SKU."""

    def __init__(
        self,
        stock: ListingStock,
        discovery: Discovery,
        rulebook: Rulebook,
        backoff: Backoff,
        payload: WritePayload,
    ) -> None:
        self._stock = stock
        self._discovery = discovery
        self._rulebook = rulebook
        self._backoff = backoff
        self._payload = payload

    def is_everyones(self, outcome: UpdateOutcome, write: ProductWrite) -> bool:
        """Whether all SKUs of a call got one error, so that nobody knows whose error it is."""
        errors = outcome.errors
        if len(errors) < max(len(write.skus), 2):
            return False
        kinds = {(error.code, error.message, error.trouble) for error in errors.values()}
        return len(kinds) == 1 and all(x.trouble not in _NOBODYS_OWN for x in errors.values())

    def halted(self, errors: Mapping[str, SkuError]) -> Unauthorised | None:
        """The error that ends the whole side, if one of these errors is of that class."""
        for error in errors.values():
            if REACTIONS[error.trouble].halt:
                return Unauthorised(f"tiktok UPDATE: {error.code}: {error.message}", advice=ADVICE)
        return None

    async def react(self, pass_id: str, write: ProductWrite, sku_id: str, error: SkuError) -> bool:
        """Do what the class of the error asks for. Returns whether the error is new."""
        key = (write.product_id, sku_id)
        reaction = REACTIONS[error.trouble]
        is_new = self._backoff.refused(key, error.code, reaction.first_s)
        if reaction.discover:
            self._discovery.hurry()
        if reaction.halt:
            self._backoff.rest(key, 0)  # the side waits, not the listing
            return is_new
        if await self._avoided(key, write, error):
            self._backoff.hasten(key)  # the next write differs in what was refused
            return is_new
        if reaction.clamp and await self._lowered(write, sku_id):
            self._backoff.at_once(key)
            return is_new
        if error.trouble is Trouble.WAREHOUSES:
            self._payload.incomplete(key)
            await self._rulebook.name_all()
        if reaction.park:
            reason = f"{error.code} {lasting(error.message)}".strip()
            if error.code in LOCKED_CODES:
                reserved = self._payload.locked(key)
                reason += f"; campaigns and creators have reserved {reserved:,}"
                if reserved:
                    self._backoff.rest(key, UNKNOWN_AGAIN_S)  # then what is allowed is written
            await self._discovery.park(pass_id, key, reason)
        return is_new

    async def _avoided(self, key: Key, write: ProductWrite, error: SkuError) -> bool:
        """Deal with warehouses that cannot be written. Returns whether the SKU can do without."""
        body = write.skus[key[1]]
        changed = {o.warehouse for o in write.offers if o.sku_id == key[1]}
        named = error.reasons or ([(next(iter(body)), error.code)] if len(body) == 1 else [])
        unwritable = [(w, c) for w, c in named if c in PLATFORM_CODES | CLOSED_CODES]
        if not unwritable:
            return False
        differs = False
        for warehouse, code in unwritable:
            ours = warehouse in changed
            if code in PLATFORM_CODES and not ours:
                differs |= await self._rulebook.leave_unnamed(warehouse)
            else:
                differs |= self._payload.refused(key, warehouse, changed=ours)
            if code in CLOSED_CODES:
                self._discovery.hurry()
            if code in PLATFORM_CODES and ours and await self._rulebook.mark_read_only(warehouse):
                await self._stock.replan_all()
        owing = changed - {w for w, c in unwritable if c in CLOSED_CODES}
        return differs and bool(owing)

    async def _lowered(self, write: ProductWrite, sku_id: str) -> bool:
        """Lower the maximum if this quantity exceeds the older one. Returns whether it does so."""
        wanted = [o.wanted or 0 for o in write.offers if o.sku_id == sku_id]
        if max(wanted) <= MAX_QUANTITY_OLD:
            return False
        if await self._rulebook.lower_max_quantity():
            await self._stock.replan_all()
        return True


@dataclass(frozen=True, slots=True)
class Reaction:
    """What to do about one class.

    `first_s` is the first wait of the listing in seconds (see `core/trying.py`). `discover` reads
    warehouses and listings again, `park` keeps the reason, which says that only a change at TikTok
    helps, `clamp` asks whether a lower maximum holds for the shop, `halt`
    ends the whole side until a person has acted.
    """

    first_s: float = AGAIN_S
    discover: bool = False
    park: bool = False
    clamp: bool = False
    halt: bool = False


REACTIONS: Final[Mapping[Trouble, Reaction]] = MappingProxyType(
    {
        Trouble.RETRY: Reaction(),
        Trouble.THROTTLE: Reaction(),
        Trouble.REFRESH: Reaction(),  # the call went through, so the token is good by now
        Trouble.HALT: Reaction(halt=True),
        Trouble.PARK: Reaction(park=True),
        Trouble.WAREHOUSES: Reaction(discover=True),
        Trouble.REDISCOVER: Reaction(discover=True),
        Trouble.CLAMP: Reaction(clamp=True),
        Trouble.BUG: Reaction(AGAIN_S_MAX),
        Trouble.REFUSED: Reaction(AGAIN_S_MAX),
    }
)
