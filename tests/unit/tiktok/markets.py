"""Our client in front of the sandbox's marketplace, for the tests of this package."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp.test_utils import TestServer

from invsyncd.net.http import Http, session
from invsyncd.net.retry import Patience
from invsyncd.sandbox.faults import Faults
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from invsyncd.tiktok.client import TikTokClient
from invsyncd.tiktok.lanes import Rates
from invsyncd.tiktok.shop import MakeSkus, TikTokShop
from invsyncd.tiktok.tokens import TokenKeeper, TokenPair

SECRET = "sandbox-app-secret"
NOW = 1_795_312_800.0
FAST = Rates(start=10_000, ceiling=10_000)
HASTE = Patience(attempts=5, total_s=20, first_s=0.001, wait_s_max=0.01)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Drawer:
    """Where tokens are stored; `saved` are all pairs, in order."""

    stored: TokenPair | None = None
    saved: list[TokenPair] = field(default_factory=list)
    full: bool = False

    async def load(self) -> TokenPair | None:
        return self.stored

    async def save(self, pair: TokenPair) -> None:
        if self.full:
            raise OSError("disk full")
        self.stored = pair
        self.saved.append(pair)


@dataclass
class Stand:
    """Everything that a test touches."""

    market: Marketplace
    fake: TikTokFake
    faults: Faults
    drawer: Drawer
    keeper: TokenKeeper
    client: TikTokClient
    shop: TikTokShop
    clock: Clock


def seed(access: str = "TTP_sandbox", refresh: str = "TTP_refresh") -> TokenPair:
    return TokenPair(access, 0, refresh, 0)


@asynccontextmanager
async def standing(
    *,
    fake: TikTokFake | None = None,
    clock: Clock | None = None,
    our_clock: Clock | None = None,
    tokens: TokenPair | None = None,
    app_secret: str = SECRET,
    shop_cipher: str | None = "GCP_sandbox",
    shop_id: str | None = None,
    timeout_s: float = 5.0,
    patience: Patience = HASTE,
    reads: Rates = FAST,
    writes: Rates = FAST,
) -> AsyncIterator[Stand]:
    theirs = clock or Clock()
    ours = our_clock or theirs
    faults = Faults()
    fake = fake or TikTokFake(Marketplace(clock=theirs), faults=faults)
    drawer = Drawer()
    async with TestServer(fake.app()) as server, session() as open_session:
        http, url = Http(open_session, timeout_s=timeout_s), str(server.make_url("/"))
        keeper = TokenKeeper(
            http,
            auth_endpoint=url,
            app_key="sandbox-app",
            app_secret=app_secret,
            load=drawer.load,
            save=drawer.save,
            seed=tokens or seed(),
            clock=ours,
            now=ours,
        )
        client = TikTokClient(
            http,
            endpoint=url,
            app_key="sandbox-app",
            app_secret=app_secret,
            tokens=keeper,
            shop_cipher=shop_cipher,
            shop_id=shop_id,
            clock=ours,
            patience=patience,
            reads=reads,
            writes=writes,
        )
        shop = TikTokShop(client, clock=ours)
        yield Stand(fake.marketplace, fake, faults, drawer, keeper, client, shop, ours)


def given(skus: Mapping[str, Mapping[str, int]]) -> MakeSkus:
    """What to set, decided long before."""

    async def turn() -> Mapping[str, Mapping[str, int]]:
        return skus

    return turn
