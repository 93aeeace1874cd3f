"""The wiring: builds the whole app from settings. Only this file sees all other rooms."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
from pydantic import SecretStr

from invsyncd.config import Settings
from invsyncd.core.clocks import Clocks, LoopSeconds, WallSeconds
from invsyncd.core.model import Target
from invsyncd.daemon.conclusion import Conclusion
from invsyncd.daemon.jobs import Jobs, NewTokens, never
from invsyncd.daemon.scheduler import Scheduler
from invsyncd.daemon.tiktok_notes import TikTokNotes
from invsyncd.listings.closed import ClosedWarehouses
from invsyncd.listings.deliver import ListingDelivery
from invsyncd.listings.discovery import Discovery
from invsyncd.listings.round import ListingsRound
from invsyncd.listings.stock import ListingStock
from invsyncd.metrics import Metrics
from invsyncd.mirror.baseline import Baseline
from invsyncd.mirror.catalogue import CatalogueReader
from invsyncd.mirror.commit import Committer
from invsyncd.mirror.current import CurrentValues
from invsyncd.mirror.deliver import AttemptSender, Delivery
from invsyncd.mirror.full_scan import FullScan, Scanned
from invsyncd.mirror.poll import Poller
from invsyncd.mirror.reconcile import MirrorPass
from invsyncd.mirror.suspects import Suspects
from invsyncd.net.http import Http, session
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.planning.rulebook import Rulebook
from invsyncd.shopify.auth import ClientCredentials, Credentials, StaticToken
from invsyncd.shopify.catalogue import ShopifyCatalogue
from invsyncd.shopify.client import ShopifyClient
from invsyncd.shopify.source import ShopifySource
from invsyncd.shopify.target import ShopifyTarget
from invsyncd.shopify.together import PollForm
from invsyncd.status.api_version import VersionNote, version_notes
from invsyncd.status.expiry import AuthorisationExpiry
from invsyncd.status.health import Health
from invsyncd.status.report import PassReport
from invsyncd.status.watchdog import Watchdog, running_job
from invsyncd.store import Store
from invsyncd.tiktok.client import TikTokClient
from invsyncd.tiktok.shop import TikTokShop
from invsyncd.tiktok.tokens import TokenKeeper, TokenPair

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class TikTokSide:
    """The TikTok side; there is none while TikTok is not enabled."""

    shop: TikTokShop
    tokens: TokenKeeper
    discovery: Discovery
    round: ListingsRound


@dataclass(frozen=True, slots=True)
class App:
    """Everything that runs under one configuration."""

    settings: Settings
    store: Store
    jobs: Jobs
    health: Health
    metrics: Metrics
    source: ShopifySource
    shopify: ShopifyClient
    rulebook: Rulebook
    mirror: MirrorPass
    tiktok_side: TikTokSide | None

    def scheduler(self, new_tokens: NewTokens = never) -> Scheduler:
        """What runs the jobs of this configuration."""
        return Scheduler(self.jobs.table(new_tokens), self.health.watchdog)


@asynccontextmanager
async def assemble(
    settings: Settings,
    store: Store,
    *,
    clock: Clock = time.time,
    metrics: Metrics | None = None,
    dry_run: bool = False,
) -> AsyncIterator[App]:
    """Build clients and engine for one configuration; closes what it opened."""
    metrics = metrics or Metrics()
    times = clocks(clock)
    async with session() as client:
        targets = [Target.SHOPIFY, *([Target.TIKTOK] if settings.tiktok.enabled else [])]
        watchdog = Watchdog(asyncio.get_running_loop().time, settings.daemon.hung_s)
        health = Health(clock, settings.poll.interval_s, targets, watchdog)
        http = _http(client, metrics, watchdog)
        shopify = _shopify(settings, http, metrics, clock)
        source = ShopifySource(shopify, components=settings.tiktok.counts_parts)
        rulebook = Rulebook(settings, store)
        mirror, full_scan = _mirror(
            settings, store, source, shopify, rulebook=rulebook, times=times, dry_run=dry_run
        )
        tiktok_side = _tiktok_side(settings, store, http, rulebook, times, dry_run=dry_run)
        tiktok_shop = tiktok_side.shop if tiktok_side else None
        health.budgets = partial(budgets, shopify, tiktok_shop, mirror, source.form)
        health.version_notes = partial(_version_notes, settings.shopify.api_version, shopify)
        if tiktok_side is not None:
            _watch_expiry(tiktok_side.tokens, health, metrics, clock)
        jobs = Jobs(
            settings,
            health,
            Conclusion(store, rulebook, health, metrics, times),
            times,
            mirror=mirror,
            full_scan=full_scan,
            listings=tiktok_side.round if tiktok_side else None,
        )
        yield App(
            settings, store, jobs, health, metrics, source, shopify, rulebook, mirror, tiktok_side
        )


def _mirror(
    settings: Settings,
    store: Store,
    source: ShopifySource,
    shopify: ShopifyClient,
    *,
    rulebook: Rulebook,
    times: Clocks,
    dry_run: bool,
) -> tuple[MirrorPass, FullScan]:
    """The Shopify side: the pass, and the full scan beside it."""
    suspects = Suspects()
    target = ShopifyTarget(shopify)
    current = CurrentValues(store, target, _new_key, times, asks=not dry_run)
    poller = Poller(settings, store, source, times, suspects=suspects, current=current)
    sender = AttemptSender(store, target, poller, times, _new_key)
    committer = Committer(
        store, times.wall, _new_key, sender.is_waiting, spoiling=lambda: sender.split.apart
    )
    catalogue = ShopifyCatalogue(shopify)
    full_scan = FullScan(settings, store, source, times, suspects)
    mirror = MirrorPass(
        settings,
        store,
        source,
        rulebook,
        times,
        suspects=suspects,
        poller=poller,
        committer=committer,
        delivery=Delivery(store, poller, sender, committer),
        baseline=Baseline(
            store, source, catalogue, committer, times.wall, overlap_s=settings.poll.overlap_s
        ),
        catalogue=CatalogueReader(settings, store, source, catalogue, times),
        full_scan=full_scan,
        dry_run=dry_run,
    )
    return mirror, full_scan


def _new_key() -> str:
    return str(uuid.uuid4())


def clocks(wall: Clock = time.time) -> Clocks:
    """The clocks of everything that runs in this loop; `wall` gives Unix seconds."""
    loop = asyncio.get_running_loop()
    return Clocks(lambda: WallSeconds(wall()), lambda: LoopSeconds(loop.time()))


def _http(client: aiohttp.ClientSession, metrics: Metrics, watchdog: Watchdog) -> Http:
    """Requests that are counted, and told to the watchdog as the progress of the job that asks."""
    return Http(
        client,
        on_request=metrics.on_request,
        on_progress=lambda: watchdog.progress(running_job.get()),
    )


def _watch_expiry(tokens: TokenKeeper, health: Health, metrics: Metrics, clock: Clock) -> None:
    expiry = AuthorisationExpiry(lambda: tokens.refresh_ends_at, clock)
    health.expiry = expiry
    ends = metrics.refresh_ends.labels(Target.TIKTOK.value)
    ends.set_function(lambda: expiry.ends_at() or math.nan)  # no alert compares with it


def _tiktok_side(
    settings: Settings,
    store: Store,
    http: Http,
    rulebook: Rulebook,
    times: Clocks,
    *,
    dry_run: bool,
) -> TikTokSide | None:
    if not settings.tiktok.enabled:
        return None
    tokens = _tokens(settings, store, http, times.wall, may_refresh=not dry_run)
    client = _tiktok(settings, store, http, tokens, times.wall)
    shop = TikTokShop(client, clock=times.wall)
    stock = ListingStock(settings, store, shop, rulebook, times)
    discovery = Discovery(settings, store, shop, rulebook=rulebook, stock=stock, clocks=times)
    delivery = ListingDelivery(
        store, shop, stock, rulebook, times, discovery=discovery, dry_run=dry_run
    )
    listings = ListingsRound(
        store,
        rulebook,
        stock=stock,
        discovery=discovery,
        closed=ClosedWarehouses(shop, rulebook, stock, times),
        delivery=delivery,
        breaker=CircuitBreaker(settings, store, Target.TIKTOK),
        clocks=times,
    )
    return TikTokSide(shop, tokens, discovery, listings)


def _shopify(settings: Settings, http: Http, metrics: Metrics, clock: Clock) -> ShopifyClient:
    client = ShopifyClient(
        http,
        endpoint=settings.shopify.endpoint,
        api_version=settings.shopify.api_version,
        credentials=credentials(settings),
        clock=clock,
    )
    metrics.follow_points(lambda: client.stats)
    return client


def _version_notes(asked: str, client: ShopifyClient) -> list[VersionNote]:
    stats = client.stats
    return version_notes(asked, stats.served_version, stats.deprecated)


def credentials(settings: Settings) -> Credentials:
    """The way to sign in to Shopify that the configuration chose."""
    shopify = settings.shopify
    if shopify.access_token is not None:
        return StaticToken(shopify.access_token.get_secret_value())
    return ClientCredentials(shopify.client_id or "", _text(shopify.client_secret))


def _text(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()


def _tiktok(
    settings: Settings, store: Store, http: Http, tokens: TokenKeeper, clock: Clock
) -> TikTokClient:
    tiktok = settings.tiktok
    notes = TikTokNotes(tiktok, store)
    return TikTokClient(
        http,
        endpoint=tiktok.endpoint,
        app_key=tiktok.app_key or "",
        app_secret=_text(tiktok.app_secret),
        tokens=tokens,
        shop_cipher=tiktok.shop_cipher,
        shop_id=tiktok.shop_id,
        served=notes.served,
        notes=notes.paces,
        clock=clock,
    )


def _tokens(
    settings: Settings, store: Store, http: Http, clock: Clock, *, may_refresh: bool
) -> TokenKeeper:
    """The keeper of TikTok's tokens: the newest pair lives in the state database.

    The configured tokens are only a seed, for a database that has none. On a scratch copy nothing
    may be refreshed: the new pair would be lost with it.
    """
    tiktok = settings.tiktok

    async def load() -> TokenPair | None:
        await store.refresh()  # a login may just have stored newer ones
        stored = await store.meta.tokens()
        if not stored:
            return None
        return TokenPair(
            stored["access"],
            int(stored["access_expires_at"]),
            stored["refresh"],
            int(stored["refresh_expires_at"]),
            tuple(stored.get("scopes", "").split()),
        )

    async def save(pair: TokenPair) -> None:
        async with store.transaction() as tx:
            await store.meta.save_tokens(
                tx,
                {
                    "access": pair.access_token,
                    "access_expires_at": str(pair.access_expires_at),
                    "refresh": pair.refresh_token,
                    "refresh_expires_at": str(pair.refresh_expires_at),
                    "scopes": " ".join(pair.scopes),
                },
            )

    seed = TokenPair(_text(tiktok.access_token), 0, _text(tiktok.refresh_token), 0)
    return TokenKeeper(
        http,
        auth_endpoint=tiktok.auth_endpoint,
        app_key=tiktok.app_key or "",
        app_secret=_text(tiktok.app_secret),
        load=load,
        save=save,
        seed=seed if tiktok.has_seed_token else None,
        may_refresh=may_refresh,
        clock=clock,
    )


async def one_pass(parts: App, report: PassReport) -> Scanned | None:
    """One pass over both sides, as `once` does it: both are delivered, neither waits.

    Returns what a full scan found, if one was due.
    """
    found = await parts.jobs.once(report)
    report.held[:] = [{"sku": sku, "item": item} for item, sku in await parts.store.census.held()]
    return found


def budgets(
    shopify: ShopifyClient, tiktok: TikTokShop | None, mirror: MirrorPass, form: PollForm
) -> Mapping[str, Any]:
    """By target. Shopify: points and points per second, as they are believed to be now; how often
    it is polled, in seconds, and whether by one request for all locations or `one_by_one` (why).

    TikTok, where it is enabled: calls per second of each endpoint that was called, by the name of
    its operation. It publishes no limits; these are what was found out so far.
    """
    points = shopify.stats
    found: dict[str, Any] = {
        Target.SHOPIFY.value: {
            "left": round(points.available, 1),
            "capacity": points.maximum,
            "restore_per_s": points.restore_rate,
            "others_per_s": round(points.others_per_s, 1),
            "poll_every_s": round(mirror.interval_s, 2),
            "one_by_one": form.why_single,
        }
    }
    if tiktok is not None:
        paces = {op: round(per_s, 2) for op, per_s in sorted(tiktok.paces.items())}
        found[Target.TIKTOK.value] = {"calls_per_s": paces}
    return found
