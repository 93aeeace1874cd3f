"""Tries answers at the shops: the thin edge of a set-up. Nothing is written to any shop."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from invsyncd.check import missing_scopes
from invsyncd.config import Settings, load
from invsyncd.config.example import config_from, example_text
from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import Location
from invsyncd.daemon.wiring import assemble, credentials
from invsyncd.errors import InvsyncError, Refused, Unauthorised, Unavailable
from invsyncd.metrics import Metrics
from invsyncd.net.http import Http, session
from invsyncd.net.retry import Patience
from invsyncd.setup.answers import Answers, Ask, Consent, Gathered, NotTried, Try, WrongAnswer
from invsyncd.setup.questions import secret_files, values
from invsyncd.setup.readers import sales_warehouses
from invsyncd.setup.unequal import Preview, with_items
from invsyncd.shopify.client import ShopifyClient
from invsyncd.shopify.source import ShopifySource
from invsyncd.status.report import PassReport
from invsyncd.store import Store
from invsyncd.text import listed
from invsyncd.tiktok.client import TikTokClient
from invsyncd.tiktok.shop import TikTokShop
from invsyncd.tiktok.tokens import TokenKeeper, TokenPair

SHORT = Patience(attempts=2, total_s=15.0)
NO_CODE = "invsyncd-init"  # is refused in any case: how it is refused tells of key and secret
TIKTOK = "https://open-api.tiktokglobalshop.com"
TIKTOK_AUTH = "https://auth.tiktok-shops.com"
ENTER_AGAIN = "to try the same once more, press Enter"


class Shops:
    """Asks the shops. `progress` shows what happens meanwhile."""

    def __init__(self, progress: Callable[[], AbstractContextManager[Metrics]]) -> None:
        self._progress = progress

    def result(self, trial: Try, answers: Answers, found: Gathered) -> object:
        """What the shop said; raises WrongAnswer, or NotTried where nobody answers."""
        with self._progress() as metrics:
            match trial:
                case Try.SHOPIFY:
                    return asyncio.run(_shopify(answers, metrics))
                case Try.LEVELS:
                    return asyncio.run(_levels(answers, found, metrics))
                case Try.APP:
                    return asyncio.run(_app(answers))
                case Try.CONSENT:
                    return asyncio.run(_consent(answers))
                case Try.WAREHOUSES:
                    return asyncio.run(_warehouses(answers, found))


async def _shopify(answers: Answers, metrics: Metrics) -> tuple[Location, ...]:
    with tempfile.TemporaryDirectory(prefix="invsyncd-") as folder:
        settings = shopify_settings(answers, Gathered(), Path(folder))
    async with session() as client:
        shopify = ShopifyClient(
            Http(client, on_request=metrics.on_request),
            endpoint=settings.shopify.endpoint,
            api_version=settings.shopify.api_version,
            credentials=credentials(settings),
            patience=SHORT,
        )
        source = ShopifySource(shopify)
        try:
            granted = set(await source.scopes())
            _check_scopes(granted)
            return tuple((await source.locations()).readable)
        except (WrongAnswer, NotTried):
            raise
        except InvsyncError as error:
            raise _of_shopify(error) from None


async def _levels(answers: Answers, found: Gathered, metrics: Metrics) -> Preview:
    """Read the shop as a first pass does, into a state that is thrown away."""
    preview, mirrored = Preview(), answers.locations or ()
    with tempfile.TemporaryDirectory(prefix="invsyncd-") as name:
        folder = Path(name)
        settings = shopify_settings(answers, found, folder)
        async with (
            Store.open(folder / "state.db") as store,
            assemble(settings, store, dry_run=True, metrics=metrics) as app,
        ):
            try:
                await app.mirror.commit(PassReport("init"))
            except InvsyncError as error:
                raise NotTried(f"the levels cannot be read: {error}", ENTER_AGAIN) from None
            after = 0
            while page := await store.levels.all_items(after):
                after = page[-1]
                states = (await store.levels.states(page)).values()
                preview = with_items(preview, states, mirrored)
    return preview


async def _app(answers: Answers) -> bool:
    """Ask for tokens by a code that nobody gave: the refusal tells which part is wrong."""
    async with session() as client:
        try:
            await _keeper(answers, Http(client)).offered(NO_CODE)
        except Unauthorised as refusal:
            if _blames_app(refusal):
                raise _wrong_app(refusal) from None
        except InvsyncError as error:
            raise NotTried(f"TikTok does not answer: {error}", ENTER_AGAIN) from None
    return True


async def _consent(answers: Answers) -> Consent:
    async with session() as client:
        http = Http(client)
        keeper = _keeper(answers, http)
        try:
            pair = await keeper.offered(answers.code or "")
            shops = await _client(answers, http, keeper).shops_of(pair.access_token)
        except Unavailable as error:
            raise NotTried(
                f"TikTok does not answer: {error}",
                "the code may be used up: open the link again, and paste the new address",
                Ask.CODE,
            ) from None
        except InvsyncError as refusal:
            if _blames_app(refusal):
                raise _wrong_app(refusal) from None
            raise WrongAnswer(
                f"TikTok does not take the code ({refusal})",
                "a code is good for 30 minutes, once: open the link again, consent, and paste"
                " the new address",
                Ask.CODE,
            ) from None
    if pair.lacks:
        raise WrongAnswer(
            f"the seller did not grant {listed(pair.lacks)}",
            "add them to the app in the Partner Center, then open the link again",
            Ask.CODE,
        )
    if not shops:
        raise WrongAnswer(
            "this seller has no shop", "open the link again as the seller of the shop", Ask.CODE
        )
    return Consent(pair, tuple(shops))


async def _warehouses(answers: Answers, found: Gathered) -> tuple[Warehouse, ...]:
    pair = found.consent.pair if found.consent else None
    async with session() as client:
        http = Http(client)
        keeper = _keeper(answers, http, pair)
        shop = TikTokShop(_client(answers, http, keeper, answers.tiktok_shop))
        try:
            read = tuple((await shop.warehouses()).readable)
        except InvsyncError as error:
            raise NotTried(
                f"the warehouses cannot be read: {error}", error.advice or ENTER_AGAIN
            ) from None
    if not sales_warehouses(Gathered(warehouses=read)):
        raise WrongAnswer(
            "this TikTok shop has no warehouse for sales",
            "add one in Seller Center, or choose another shop",
            Ask.TIKTOK_SHOP,
        )
    return read


def shopify_settings(answers: Answers, found: Gathered, folder: Path) -> Settings:
    """The settings of the Shopify side alone, as far as it was answered."""
    made, _ = values(answers.but({Ask.APP_KEY: None}), found)
    config = folder / "config.toml"
    config.write_text(config_from(example_text(), made | {"mirror.enabled": True}))
    return load(config, secret_variables(answers.but({Ask.APP_KEY: ""})))


def secret_variables(answers: Answers) -> dict[str, str]:
    """The secrets as the variables that `load` takes; they are never put into an environment."""
    return {
        f"INVSYNCD_{name.replace('-', '__', 1).replace('-', '_').upper()}": value
        for name, value in secret_files(answers).items()
    }


def _keeper(answers: Answers, http: Http, pair: TokenPair | None = None) -> TokenKeeper:
    async def load_pair() -> TokenPair | None:
        return pair

    async def save_pair(_: TokenPair) -> None:
        return None

    return TokenKeeper(
        http,
        auth_endpoint=answers.tiktok_endpoint or TIKTOK_AUTH,
        app_key=answers.app_key or "",
        app_secret=answers.app_secret or "",
        load=load_pair,
        save=save_pair,
        may_refresh=False,
    )


def _client(
    answers: Answers, http: Http, keeper: TokenKeeper, shop_id: str | None = None
) -> TikTokClient:
    return TikTokClient(
        http,
        endpoint=answers.tiktok_endpoint or TIKTOK,
        app_key=answers.app_key or "",
        app_secret=answers.app_secret or "",
        tokens=keeper,
        shop_id=shop_id,
        patience=SHORT,
    )


def _check_scopes(granted: set[str]) -> None:
    lacks = missing_scopes(granted)
    if lacks:
        raise WrongAnswer(
            f"the app works, but lacks the scope {listed(lacks)}",
            "add it in the Dev Dashboard (Versions → new version → Access scopes), release the"
            " version, let the shop accept it, then press Enter",
            Ask.SECRET,
        )


def _of_shopify(error: InvsyncError) -> WrongAnswer | NotTried:
    """What a failure says of the shop, the app or its secret."""
    text = str(error)
    if isinstance(error, Unavailable):
        return NotTried(
            f"Shopify does not answer ({text})",
            f"look at the shop's name and at this machine's connection; {ENTER_AGAIN}",
            Ask.SHOP,
        )
    if "HTTP 402" in text or "HTTP 423" in text:
        return WrongAnswer(
            f"Shopify has closed this shop ({text})",
            "open its admin: it is frozen until a bill is paid, or locked; then press Enter",
            Ask.SHOP,
        )
    if "HTTP 404" in text:
        return WrongAnswer(
            "Shopify knows no shop of this name", "look at the name: acme.myshopify.com", Ask.SHOP
        )
    if "shop_not_permitted" in text:
        return WrongAnswer(
            "app and shop belong to different organisations (shop_not_permitted)",
            "make the app in the Dev Dashboard of the shop's own organisation; install it there",
            Ask.CLIENT_ID,
            Ask.SECRET,
        )
    if isinstance(error, Unauthorised | Refused):
        return WrongAnswer(
            f"Shopify does not accept these credentials ({text})",
            "copy client ID and secret again from the same app, and see that it is installed in"
            " this shop; Enter keeps what you gave",
            Ask.CLIENT_ID,
            Ask.SECRET,
        )
    return NotTried(f"Shopify's answer is of no use ({text})", ENTER_AGAIN, Ask.SHOP)


def _blames_app(error: InvsyncError) -> bool:
    return any(word in str(error) for word in ("app_key", "app_secret", "app key", "app secret"))


def _wrong_app(error: InvsyncError) -> WrongAnswer:
    which = "app secret" if "secret" in str(error) else "app key"
    return WrongAnswer(
        f"TikTok does not know this {which}",
        "copy app key and app secret again from the same app in the Partner Center; Enter keeps"
        " what you gave",
        Ask.APP_KEY,
        Ask.APP_SECRET,
    )
