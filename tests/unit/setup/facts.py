"""Answers and what the shops said of them, as a set-up may know them."""

from __future__ import annotations

from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import Location
from invsyncd.setup.answers import Answers, Consent, Gathered
from invsyncd.tiktok.shops import AuthorisedShop
from invsyncd.tiktok.tokens import TokenPair

PLACES = (
    Location(11, "Berlin"),
    Location(12, "Paris"),
    Location(13, "Vienna"),
    Location(14, "Old shop", active=False),
    Location(15, "TikTok FBT Warehouse"),
)
HOUSES = (
    Warehouse("701", "Paris warehouse", enabled=True, sales=True),
    Warehouse("702", "Vienna", enabled=True, sales=True),
    Warehouse("703", "Returns", enabled=True, sales=False),
)
SHOPS = (
    AuthorisedShop("7001", "Acme UK", "cipher-1", "GB"),
    AuthorisedShop("7002", "Acme US", "cipher-2", "US"),
)
APP = Answers(client_id="client-1234", app_key="key-1234", locations=(11, 12))


def learnt(*shops: AuthorisedShop, houses: tuple[Warehouse, ...] | None = HOUSES) -> Gathered:
    pair = TokenPair("access", 0, "refresh", 0)
    return Gathered(
        locations=PLACES, consent=Consent(pair, shops or SHOPS), warehouses=houses, app=True
    )
