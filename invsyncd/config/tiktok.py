"""The [tiktok] section: credentials, which location feeds which warehouse, how much is offered.

Below the keys stand the rules over several keys. Their concern is that no unit is offered twice: a
location feeds at most one warehouse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Final

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
    invalid,
)
from invsyncd.config.problems import Problem
from invsyncd.core.bundles import Bundles
from invsyncd.core.offer_rule import CountMirrored

EVERY = "*"
ONLY: Final = "*"
"""The warehouse of the mapping that nobody wrote: the only one for sales."""
OFF = "or set tiktok.enabled = false"


def clear_locations(row: Mapping) -> Iterator[Problem]:
    """Refuse a mapping whose own lists of locations contradict each other."""
    if EVERY in row.locations and len(row.locations) > 1:
        yield Problem(
            "locations",
            'has other entries beside "*", which already means every active location',
            'Keep "*" alone; a location that "*" does not cover, such as one of a fulfilment '
            "service, gets a [[tiktok.mapping]] of its own",
        )
    for name in sorted({name for name in row.locations if row.locations.count(name) > 1} - {EVERY}):
        yield Problem("locations", f'names "{name}" twice', "Remove one of them")
    if EVERY in row.exclude_locations:
        yield Problem("exclude_locations", '"*" would exclude every location', "Name them")
    for name in sorted(set(row.locations) & set(row.exclude_locations) - {EVERY}):
        yield Problem(
            "exclude_locations",
            f'names "{name}", which locations of the same mapping names too',
            "Remove it from one of the two",
        )


def sets_something(row: OverrideSettings) -> Iterator[Problem]:
    """Refuse an override that sets nothing: a key was forgotten."""
    values = (row.enabled, row.percent, row.reserve, row.zero_at, row.cap)
    if all(value is None for value in values):
        yield Problem(
            "",
            "changes nothing",
            "Set percent, reserve, zero_at, cap or enabled, or remove it",
        )


def needs_key(section: TikTokSettings) -> Iterator[Problem]:
    """Ask for the app key if tiktok.enabled is true, as the next two rules do for their keys."""
    if section.enabled and section.app_key is None:
        yield Problem(
            "app_key",
            "is required while tiktok.enabled is true",
            f"Copy it from the app's page in the Partner Center, {OFF}",
        )


def needs_secret(section: TikTokSettings) -> Iterator[Problem]:
    """Ask for the app secret."""
    if section.enabled and section.app_secret is None:
        yield Problem(
            "app_secret",
            "is required while tiktok.enabled is true",
            f"Set it (or the file tiktok-app-secret, or INVSYNCD_TIKTOK__APP_SECRET), {OFF}",
        )


def one_warehouse_each(section: TikTokSettings) -> Iterator[Problem]:
    """Refuse a location that feeds two warehouses: its units would be offered twice."""
    first: dict[str, tuple[int, Mapping]] = {}
    for number, row in enumerate(section.mapping, 1):
        for name in dict.fromkeys(row.locations):
            seen_at, seen = first.setdefault(name, (number, row))
            if name == EVERY or seen is row:
                continue
            if seen.warehouse == row.warehouse:
                yield Problem(
                    f"mapping[{number}].locations",
                    f'maps "{name}" to the same warehouse as tiktok.mapping[{seen_at}] (duplicate)',
                    "Remove it from one of the two",
                )
            else:
                yield Problem(
                    f"mapping[{number}].locations",
                    f'names "{name}", which tiktok.mapping[{seen_at}] maps to another warehouse; '
                    "a location feeds at most one warehouse",
                    "Remove it from one of the two",
                )


def excludes_by_name(section: TikTokSettings) -> Iterator[Problem]:
    """Refuse to exclude every location."""
    if EVERY in section.exclude_locations:
        yield Problem("exclude_locations", '"*" would exclude every location', f"Name them, {OFF}")


def star_stands_alone(section: TikTokSettings) -> Iterator[Problem]:
    """Refuse a second warehouse or a second "*" beside "*", which means every location already."""
    stars = [(at, row) for at, row in enumerate(section.mapping, 1) if EVERY in row.locations]
    if not stars:
        return
    star_at, star = stars[0]
    for number, row in enumerate(section.mapping, 1):
        if row is not star and row.warehouse != star.warehouse:
            yield Problem(
                f"mapping[{number}]",
                f'feeds another warehouse than tiktok.mapping[{star_at}], whose "*" already means '
                "every active location; a location feeds at most one warehouse",
                'Name the locations of each warehouse instead of "*"',
            )
    for number, row in stars[1:]:
        if row.warehouse == star.warehouse:
            yield Problem(
                f"mapping[{number}].locations",
                f'maps "*" to the same warehouse as tiktok.mapping[{star_at}] (duplicate)',
                "Remove one of the two mappings",
            )


def unique_links(section: TikTokSettings) -> Iterator[Problem]:
    """Refuse two links for one listing, because a listing sells one SKU."""
    first: dict[tuple[str, str], tuple[int, Link]] = {}
    for number, link in enumerate(section.link, 1):
        at, seen = first.setdefault((link.product_id, link.sku_id), (number, link))
        if seen is not link:
            yield Problem(
                f"link[{number}]",
                f"names the same product_id and sku_id as tiktok.link[{at}]",
                "Remove one of the two",
            )


DAY_S = 86_400


def _item(value: str) -> str:
    """Bring `gid://shopify/InventoryItem/1`, `"1"` and `1` to one spelling."""
    match = re.fullmatch(r"(?:gid://shopify/InventoryItem/)?([1-9][0-9]{0,17})", value)
    if match is None:
        raise invalid("is not the id of an inventory item", "Copy it from `invsyncd check`")
    return match[1]


ItemId = Annotated[Id, AfterValidator(_item)]


class Mapping(Section):
    """One [[tiktok.mapping]]: these locations feed this warehouse."""

    RULES: ClassVar[tuple[Rule, ...]] = (clear_locations,)

    locations: Annotated[
        tuple[Location, ...],
        Field(min_length=1, description='Names or ids, or ["*"] for every active location'),
    ]
    warehouse: Annotated[
        Id,
        Field(description="Id of the sales warehouse, or a name that only one of them has"),
    ]
    exclude_locations: Annotated[
        tuple[Location, ...],
        Field(description='Locations that "*" does not stand for here'),
    ] = ()


def _or_only(rows: tuple[Mapping, ...]) -> tuple[Mapping, ...]:
    """Without a mapping every active location feeds the only sales warehouse."""
    return rows or (Mapping(locations=(EVERY,), warehouse=ONLY),)


class OverrideSettings(Section):
    """One [[tiktok.override]]: other numbers for some SKUs; the first match wins."""

    RULES: ClassVar[tuple[Rule, ...]] = (sets_something,)

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
        one_warehouse_each,
        star_stands_alone,
        excludes_by_name,
        unique_links,
    )

    enabled: Annotated[
        Flag,
        Field(description="Say true or false: TikTok Shop is never changed without being asked"),
    ]
    app_key: Annotated[Word | None, Field(description="App key from the Partner Center")] = None
    app_secret: Annotated[
        Secret | None, Field(description="App secret from the Partner Center")
    ] = None
    refresh_token: Annotated[
        Secret | None,
        Field(description="The first refresh token; newer ones are kept in the state database"),
    ] = None
    access_token: Annotated[
        Secret | None, Field(description="The first access token, used until it expires")
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
        Percent, Field(description="Percent of the stock to offer, rounded down")
    ] = 100
    reserve: Annotated[
        Units, Field(description="Units kept back from TikTok before the percentage")
    ] = 0
    zero_at: Annotated[
        Units,
        Field(description="Units at or below which 0 is shown, against a race for the last one"),
    ] = 0
    cap: Annotated[
        Units | None,
        Field(description="The most units to show, to look scarce or to hide the real stock"),
    ] = None
    unlimited_quantity: Annotated[
        Units, Field(description="Units shown for items that are untracked or sold beyond zero")
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
    bundles: Annotated[
        Bundles,
        Field(
            description="own: a bundle shows Shopify's number of it; components: the least that its"
            " components allow"
        ),
    ] = Bundles.OWN
    exclude_locations: Annotated[
        tuple[Location, ...],
        Field(description='Locations that "*" does not stand for, in any mapping'),
    ] = ()
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
        tuple[Mapping, ...],
        AfterValidator(_or_only),
        Field(
            validate_default=True,
            description="Which locations feed which warehouse; not needed with one sales warehouse",
        ),
    ] = ()
    override: Annotated[
        tuple[OverrideSettings, ...],
        Field(description="Other numbers for some SKUs; first match wins"),
    ] = ()
    link: Annotated[
        tuple[Link, ...],
        Field(description="Listings that sell another SKU than their seller SKU"),
    ] = ()

    @property
    def counts_parts(self) -> bool:
        """Whether the components of bundles are read, and decide what those show."""
        return self.enabled and self.bundles is Bundles.COMPONENTS

    @property
    def has_seed_token(self) -> bool:
        """Whether the configuration alone, without a state database, is enough for a first run."""
        return self.refresh_token is not None or self.access_token is not None
