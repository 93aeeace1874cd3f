"""Checks a set-up: everything that can be wrong, at once, with what to do about each problem.

The checks read Shopify, TikTok Shop and a private copy of the state. They decide nothing and change
nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from invsyncd.config import Settings
from invsyncd.core.model import Target
from invsyncd.errors import InvalidResponse, InvsyncError, Unauthorised, Unavailable
from invsyncd.listings.discovery import Discovery
from invsyncd.mirror.reconcile import MirrorPass
from invsyncd.planning.locations import unreadable_locations
from invsyncd.planning.rulebook import Rulebook
from invsyncd.planning.rules import Rules
from invsyncd.shopify.client import ShopifyClient, ShopifyStats
from invsyncd.shopify.source import ShopifySource
from invsyncd.status.api_version import version_notes
from invsyncd.status.listings import held_choices, listing_groups, near_misses
from invsyncd.status.report import PassReport
from invsyncd.store import Store
from invsyncd.text import ends_hold, plural
from invsyncd.tiktok.shop import TikTokShop
from invsyncd.tiktok.tokens import ADVICE_SCOPES, TokenKeeper, TokenPair

SHOPIFY, TIKTOK = Target.SHOPIFY, Target.TIKTOK
ADVICE_UNAVAILABLE = (
    "check this machine's network and name server; if they are right, the other side is down: ask "
    "again later"
)
SCOPES_NEEDED = ("read_locations", "write_inventory", "read_products")
IMPLIED_BY = {"read_locations": ("write_locations",), "read_products": ("write_products",)}
NAMES_MAX = 20  # how many examples a finding names


@dataclass(frozen=True, slots=True)
class Finding:
    """The result for one thing that was checked; `names` are the first of `count` things."""

    what: str
    message: str
    bad: bool = False
    advice: str = ""
    count: int | None = None
    names: tuple[str, ...] = ()
    todo: bool = False
    """Whether nothing is wrong with the set-up, but a person has to decide something."""
    tried: bool = True
    """Whether the check could be made at all; one that could not says nothing good."""

    @property
    def state(self) -> str:
        """One word for programs."""
        if self.bad:
            return "wrong"
        return "not tried" if not self.tried else "to do" if self.todo else "ok"


@dataclass(frozen=True, slots=True)
class CheckInputs:
    """What the checks work with; what is TikTok's is None while TikTok is off."""

    settings: Settings
    store: Store
    source: ShopifySource
    shopify: ShopifyClient
    rulebook: Rulebook
    mirror_pass: MirrorPass
    shop: TikTokShop | None
    discovery: Discovery | None
    tokens: TokenKeeper | None


async def check_all(inputs: CheckInputs) -> list[Finding]:
    """Check both targets; trouble with one never hides what is wrong with the other."""
    source, rulebook = inputs.source, inputs.rulebook
    discovery, shop = inputs.discovery, inputs.shop
    tries = _Tries()
    findings = [Finding("configuration", "is complete")]
    findings += await tries.of("Shopify access", lambda: _scopes(source), SHOPIFY)
    findings += await tries.of("Shopify locations", lambda: _locations(rulebook, source), SHOPIFY)
    if inputs.tokens is not None:
        findings += _tiktok_scopes(await inputs.tokens.held())
    if shop is not None:
        found = await tries.of("TikTok warehouses", lambda: _warehouses(rulebook, shop), TIKTOK)
        findings += found
    findings += await tries.of("mirror", lambda: _mirror(rulebook), SHOPIFY)
    if inputs.settings.tiktok.enabled:
        findings += await tries.of("TikTok mapping", lambda: _mapping(rulebook), SHOPIFY, TIKTOK)
    items = partial(_items, inputs.mirror_pass, inputs.store, rulebook)
    findings += await tries.of("items", items, SHOPIFY)
    if discovery is not None:
        listings = partial(_listings, discovery, rulebook, inputs.store)
        findings += await tries.of("TikTok listings", listings, TIKTOK)
    # The version comes last: only now every kind of request has been answered once.
    return findings + _version(inputs.settings.shopify.api_version, inputs.shopify.stats)


class _Tries:
    """Makes the checks in order. What depends on a shop that does not answer is not tried.

    The cause is told once, where it was first met.
    """

    def __init__(self) -> None:
        self._down: dict[Target, str] = {}

    async def of(
        self, what: str, ask: Callable[[], Awaitable[list[Finding]]], *needs: Target
    ) -> list[Finding]:
        """The findings of one check, or why it could not be made."""
        for target in needs:
            if cause := self._down.get(target):
                first = f"put right first what is said of {cause}"
                says = f"not tried, because of {cause}"
                return [Finding(what, says, tried=False, advice=first)]
        try:
            return await ask()
        except InvsyncError as error:
            if isinstance(error, Unavailable | Unauthorised | InvalidResponse):
                self._down[needs[-1]] = what
            advice = error.advice
            if not advice and isinstance(error, Unavailable):
                advice = ADVICE_UNAVAILABLE
            return [Finding(what, str(error), bad=True, advice=advice)]


def missing_scopes(granted: Collection[str]) -> list[str]:
    """Shopify's scopes that are needed, and neither granted nor implied by one that is."""
    return [
        scope
        for scope in SCOPES_NEEDED
        if scope not in granted and not set(IMPLIED_BY.get(scope, ())).intersection(granted)
    ]


async def _scopes(source: ShopifySource) -> list[Finding]:
    missing = missing_scopes(await source.scopes())
    if missing:
        advice = "grant them in the app's settings and install the app again"
        message = f"the token lacks {', '.join(missing)}"
        return [Finding("Shopify access", message, bad=True, advice=advice)]
    return [Finding("Shopify access", "the token is accepted, with every scope that is needed")]


def _tiktok_scopes(pair: TokenPair) -> list[Finding]:
    """Whether the seller granted every scope; nothing while that is not known."""
    if not pair.lacks:
        return []
    message = f"the seller did not grant {', '.join(pair.lacks)}"
    return [Finding("TikTok access", message, bad=True, advice=ADVICE_SCOPES)]


def _version(asked: str, stats: ShopifyStats) -> list[Finding]:
    """Whether Shopify still serves our API version, and every field that we ask for."""
    notes = version_notes(asked, stats.served_version, stats.deprecated)
    return [Finding("Shopify API", note.message, advice=note.advice) for note in notes]


async def _locations(rulebook: Rulebook, source: ShopifySource) -> list[Finding]:
    found = await source.locations()
    await rulebook.keep_locations(found)
    known = await rulebook.locations()
    active = [loc for loc in known if loc.active]
    names = ", ".join(
        f'"{loc.name}" ({loc.id}{", fulfilment service" if loc.managed else ""})' for loc in active
    )
    odd = unreadable_locations(found, {loc.id: loc.name for loc in known})
    notes = [Finding("Shopify locations", x) for x in (*await rulebook.location_notes(), *odd)]
    return [Finding("Shopify locations", f"{len(active)} active: {names}"), *notes]


async def _warehouses(rulebook: Rulebook, shop: TikTokShop) -> list[Finding]:
    found, _ = await rulebook.keep_warehouses(await shop.warehouses())
    sales = [w for w in found.readable if w.sales]
    states = {w.id: "" if w.enabled else f", {w.status or 'not enabled'}" for w in sales}
    names = ", ".join(f'"{w.name}" ({w.id}{states[w.id]})' for w in sales)
    return [
        Finding("TikTok warehouses", f"{len(sales)} for sales: {names}"),
        *(
            Finding("TikTok warehouses", f"one cannot be read, and stays as it was known: {why}")
            for why in found.odd.values()
        ),
        *(Finding("TikTok warehouses", note) for note in await rulebook.warehouse_notes()),
    ]


def _closed(rules: Rules, names: Mapping[str, str]) -> list[Finding]:
    advice = "nothing; its quantities are left alone, and follow by themselves once TikTok opens it"
    return [
        Finding("TikTok mapping", f'warehouse "{names.get(x, x)}" ({x}): {why}', advice=advice)
        for x, why in rules.closed.items()
    ]


async def _mirror(rulebook: Rulebook) -> list[Finding]:
    return [Finding("mirror", _mirror_in_words(await rulebook.rules()))]


async def _mapping(rulebook: Rulebook) -> list[Finding]:
    rules = await rulebook.rules()
    if rulebook.offers_error is not None:
        raise rulebook.offers_error
    if rules.offers is None:
        return []
    names = {warehouse.id: warehouse.name for warehouse in await rulebook.warehouses() or ()}
    pairs = [
        f'{plural(len(ids), "location")} → "{names.get(w, w)}" ({w})'
        for w, ids in rules.offers.sources.items()
    ]
    said = Finding("TikTok mapping", ", ".join(pairs) or "no warehouse is open")
    return [said, *_closed(rules, names)]


def _mirror_in_words(rules: Rules) -> str:
    if not rules.scope.enabled:
        return "is off"
    types = ", ".join(sorted(rules.scope.product_types)) or "all products"
    return f"{len(rules.scope.locations)} locations show one number, for {types}"


async def _listings(discovery: Discovery, rulebook: Rulebook, store: Store) -> list[Finding]:
    count = await discovery.discover("check")
    _, matched = await store.listing_census.matched()
    return [
        Finding("TikTok listings", f"{count} found, {matched} matched by SKU"),
        *(
            Finding("TikTok listings", str(x), advice=x.advice, count=x.count, names=x.first)
            for x in (*await listing_groups(store, rulebook), *await near_misses(store))
        ),
    ]


async def _items(mirror_pass: MirrorPass, store: Store, rulebook: Rulebook) -> list[Finding]:
    """Read the shop into the private copy, as a first pass would, and check its items."""
    await mirror_pass.commit(PassReport("check"))
    findings = [Finding("items", f"{await store.census.items()} known")]
    if held := await store.census.held():
        skus = tuple(sku for _, sku in held[:NAMES_MAX])
        gives = await held_choices(store, rulebook, [item for item, _ in held[:NAMES_MAX]])
        named = [f"{sku} ({gives[item]})" if item in gives else sku for item, sku in held]
        message = f"{len(held)} held, nothing is written for them: {_first_names(named)}"
        advice = "\n".join(map(ends_hold, skus))
        findings.append(
            Finding("items", message, advice=advice, count=len(held), names=skus, todo=True)
        )
    if unlevelled := await store.census.unlevelled():
        message = f"{len(unlevelled)} with unequal levels: {_first_names(unlevelled)}"
        advice = "set mirror.unlevelled to level them; by default they wait for their next change"
        findings.append(Finding("items", message, advice=advice))
    if shared := await store.census.shared_skus():
        count = plural(len(shared), "SKU is", "SKUs are")
        message = f"{count} on several items: {_first_names(shared)}"
        advice = "give each item its own SKU, or link its listing"
        findings.append(Finding("items", message, advice=advice))
    return findings


def _first_names(names: Sequence[str]) -> str:
    more = len(names) - NAMES_MAX
    return ", ".join(names[:NAMES_MAX]) + (f" … and {more} more" if more > 0 else "")
