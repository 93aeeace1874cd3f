"""What a set-up knows: the answers of a person, and what the shops said of them. Frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Any

from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import Location, Unlevelled
from invsyncd.errors import ConfigError, InvsyncError
from invsyncd.setup.unequal import Preview
from invsyncd.tiktok.shops import AuthorisedShop
from invsyncd.tiktok.tokens import TokenPair


class Ask(StrEnum):
    """What is asked, in this order. The values name the fields of `Answers`."""

    SHOP = "shop"
    CLIENT_ID = "client_id"
    SECRET = "secret"  # noqa: S105
    LOCATIONS = "locations"
    UNLEVELLED = "unlevelled"
    APP_KEY = "app_key"
    APP_SECRET = "app_secret"  # noqa: S105
    SERVICE = "service"
    US = "us"
    CODE = "code"
    TIKTOK_SHOP = "tiktok_shop"
    MAPPING = "mapping"


class Try(Enum):
    """What is tried at the shops. The values name the fields of `Gathered`."""

    SHOPIFY = "locations"
    LEVELS = "preview"
    APP = "app"
    CONSENT = "consent"
    WAREHOUSES = "warehouses"


class WrongAnswer(ConfigError):
    """An answer that cannot be right; `again` are the questions to be asked again."""

    def __init__(self, message: str, advice: str, *again: Ask) -> None:
        super().__init__(message, advice=advice)
        self.again = again


class NotTried(InvsyncError):
    """A shop that gives no answer: nothing is known of the answers; `again` may mend it."""

    def __init__(self, message: str, advice: str, *again: Ask) -> None:
        super().__init__(message, advice=advice)
        self.again = again


@dataclass(frozen=True, slots=True)
class Feeds:
    """Which locations feed one warehouse: names or ids as the configuration has them."""

    locations: tuple[str, ...]
    warehouse: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered; None where it was not yet.

    An empty `client_id` says that the secret is an access token. No `locations`: nothing is
    mirrored. An empty `app_key`: without TikTok Shop. An empty `service`: the link was not needed.
    """

    shop: str | None = None
    client_id: str | None = None
    secret: str | None = field(default=None, repr=False)
    locations: tuple[int, ...] | None = None
    unlevelled: Unlevelled | None = None
    app_key: str | None = None
    app_secret: str | None = field(default=None, repr=False)
    service: str | None = None
    us: bool | None = None
    code: str | None = field(default=None, repr=False)
    tiktok_shop: str | None = None
    mapping: tuple[Feeds, ...] | None = None
    shopify_endpoint: str = ""
    """Where the API answers instead of Shopify, and TikTok below: only the sandbox does."""
    tiktok_endpoint: str = ""

    def get(self, key: Ask) -> Any:
        """The answer to one question; None if it is open."""
        return getattr(self, key.value)

    def but(self, values: Mapping[Ask, object]) -> Answers:
        """The same with these answers."""
        changed: dict[str, Any] = {key.value: value for key, value in values.items()}
        return replace(self, **changed)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the seller's consent gave: tokens, and the shops that they open."""

    pair: TokenPair = field(repr=False)
    shops: tuple[AuthorisedShop, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the shops said; None where nothing was asked yet."""

    locations: tuple[Location, ...] | None = None
    preview: Preview | None = None
    app: bool | None = None
    consent: Consent | None = None
    warehouses: tuple[Warehouse, ...] | None = None

    def but(self, key: Try, value: object) -> Gathered:
        """The same with this result of a trial."""
        changed: dict[str, Any] = {key.value: value}
        return replace(self, **changed)


NEEDS: Mapping[Try, tuple[Ask, ...]] = {
    Try.SHOPIFY: (Ask.SHOP, Ask.CLIENT_ID, Ask.SECRET),
    Try.LEVELS: (Ask.LOCATIONS,),
    Try.APP: (Ask.APP_KEY, Ask.APP_SECRET),
    Try.CONSENT: (Ask.CODE,),
    Try.WAREHOUSES: (Ask.TIKTOK_SHOP,),
}
"""The answers that a trial tries. Another answer makes its result void."""


def reopened(answers: Answers, found: Gathered, keys: Iterable[Ask]) -> tuple[Answers, Gathered]:
    """The same with these questions open again, and what the shops said of them void."""
    gone = tuple(keys)
    if Ask.CODE in gone and not answers.service:
        gone += (Ask.SERVICE, Ask.US)  # the link is needed now
    for trial, needed in NEEDS.items():
        if set(needed) & set(gone):
            found = found.but(trial, None)
    return answers.but(dict.fromkeys(gone)), found
