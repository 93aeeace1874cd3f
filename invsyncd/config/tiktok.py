"""The [tiktok] section: credentials, which location feeds which warehouse, how much is offered."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from invsyncd.config.fields import (
    UNITS_MAX,
    Endpoint,
    Flag,
    Id,
    Location,
    Percent,
    Rule,
    Seconds,
    Secret,
    Section,
    Text,
    Units,
    Word,
    said,
)
from invsyncd.config.tiktok_rules import (
    needs_key,
    needs_mapping,
    needs_secret,
    one_warehouse_each,
    rows_make_sense,
    says_something,
    star_stands_alone,
    unique_links,
)
from invsyncd.sync.rule import CountMirrored

DAY_S = 86_400


def _item(value: str) -> str:
    """Bring `gid://shopify/InventoryItem/1`, `"1"` and `1` to one spelling."""
    match = re.fullmatch(r"(?:gid://shopify/InventoryItem/)?([1-9][0-9]{0,17})", value)
    if match is None:
        raise said("is no id of an inventory item", "Copy it from `invsyncd check`")
    return match[1]


ItemId = Annotated[Id, AfterValidator(_item)]


class Mapping(Section):
    """One [[tiktok.mapping]]: these locations feed this warehouse."""

    RULES: ClassVar[tuple[Rule, ...]] = (rows_make_sense,)

    locations: Annotated[
        tuple[Location, ...],
        Field(min_length=1, description='Names or ids, or ["*"] for every active location'),
    ]
    warehouse: Annotated[
        Id,
        Field(description="Id of the sales warehouse, or a name that only one of them has"),
    ]
    exclude_locations: Annotated[
        tuple[Location, ...], Field(description='Names or ids that "*" does not stand for')
    ] = ()


class Override(Section):
    """One [[tiktok.override]]: other numbers for some SKUs; the first match wins."""

    RULES: ClassVar[tuple[Rule, ...]] = (says_something,)

    skus: Annotated[
        tuple[Text, ...],
        Field(min_length=1, description='Patterns such as "TEE-*"; upper and lower case differ'),
    ]
    enabled: Annotated[
        Flag | None, Field(description="false leaves the listings of these SKUs alone")
    ] = None
    percent: Annotated[Percent | None, Field(description="Instead of tiktok.percent")] = None
    reserve: Annotated[Units | None, Field(description="Instead of tiktok.reserve")] = None
    zero_at: Annotated[Units | None, Field(description="Instead of tiktok.zero_at")] = None
    cap: Annotated[Units | None, Field(description="Instead of tiktok.cap")] = None


class Link(Section):
    """One [[tiktok.link]]: this listing sells this SKU, whatever its seller SKU says."""

    sku: Annotated[Text, Field(description="The SKU in Shopify")]
    product_id: Annotated[Id, Field(description="TikTok Shop's id of the product")]
    sku_id: Annotated[Id, Field(description="TikTok Shop's id of the SKU in that product")]
    item: Annotated[
        ItemId | None,
        Field(description="Shopify's id of the inventory item, where several have that SKU"),
    ] = None


class TikTokSettings(Section):
    """The TikTok Shop side."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        needs_key,
        needs_secret,
        needs_mapping,
        one_warehouse_each,
        star_stands_alone,
        unique_links,
    )

    enabled: Annotated[
        Flag,
        Field(description="Say true or false: what TikTok Shop offers is never changed unasked"),
    ]
    app_key: Annotated[Word | None, Field(description="App key from the Partner Center")] = None
    app_secret: Annotated[
        Secret | None, Field(description="App secret from the Partner Center")
    ] = None
    refresh_token: Annotated[
        Secret | None,
        Field(description="First refresh token; the newest one lives in the state database"),
    ] = None
    access_token: Annotated[
        Secret | None, Field(description="An access token to start with, until it runs out")
    ] = None
    shop_cipher: Annotated[
        Word | None,
        Field(description="Which shop; not needed when the seller authorised only one"),
    ] = None
    shop_id: Annotated[Id | None, Field(description="Which shop, instead of shop_cipher")] = None
    endpoint: Annotated[
        Endpoint, Field(description="Where the API answers; another one only for the sandbox")
    ] = "https://open-api.tiktokglobalshop.com"
    auth_endpoint: Annotated[
        Endpoint, Field(description="Where tokens are renewed; another one only for the sandbox")
    ] = "https://auth.tiktok-shops.com"
    percent: Annotated[
        Percent, Field(description="Percent of the stock to offer, rounded down; the rest is spare")
    ] = 100
    reserve: Annotated[
        Units, Field(description="Units kept back from TikTok before the percentage")
    ] = 0
    zero_at: Annotated[
        Units, Field(description="Units at or below which 0 is shown, against the last-piece race")
    ] = 0
    cap: Annotated[
        Units | None, Field(description="Units shown at most, to look scarce or hide the stock")
    ] = None
    unlimited_quantity: Annotated[
        Units, Field(description="Units shown for what is untracked or sold beyond zero")
    ] = UNITS_MAX
    order_hold_s: Annotated[
        Seconds,
        Field(
            ge=0,
            le=7 * DAY_S,
            description="Seconds that units sold on TikTok are held, until the connector has "
            "brought the order to Shopify",
        ),
    ] = 4500.0
    count_mirrored: Annotated[
        CountMirrored,
        Field(description="once: mirrored levels are one stock; each: they are separate stocks"),
    ] = CountMirrored.ONCE
    audit_interval_s: Annotated[
        Seconds,
        Field(ge=0.01, le=DAY_S, description="Seconds between comparisons with what TikTok shows"),
    ] = 900.0
    listing_interval_s: Annotated[
        Seconds,
        Field(ge=0.01, le=DAY_S, description="Seconds between searches for edited listings"),
    ] = 900.0
    full_discovery_interval_s: Annotated[
        Seconds,
        Field(ge=0.01, le=30 * DAY_S, description="Seconds between readings of every listing"),
    ] = 86_400.0
    mapping: Annotated[
        tuple[Mapping, ...], Field(description="Which locations feed which warehouse")
    ] = ()
    override: Annotated[
        tuple[Override, ...], Field(description="Other numbers for some SKUs; first match wins")
    ] = ()
    link: Annotated[
        tuple[Link, ...], Field(description="Listings whose seller SKU does not say what they sell")
    ] = ()

    @property
    def has_seed_token(self) -> bool:
        """Whether the configuration alone lets a first run sign in, without a state database."""
        return self.refresh_token is not None or self.access_token is not None
