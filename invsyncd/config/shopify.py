"""The sections [shopify], [poll] and [mirror]: which shop, how often to read, what to mirror."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from invsyncd.config.fields import (
    Endpoint,
    Flag,
    Location,
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
from invsyncd.core.model import OnConflict, Unlevelled

DAY_S = 86_400


API_VERSION_MIN = "2026-04"  # in older ones changeFromQuantity and idempotency keys are optional


def _shop(value: str) -> str:
    value = value.lower()
    if "admin.shopify.com" in value:
        raise invalid(
            "is an address of Shopify's admin",
            "In admin.shopify.com/store/NAME the NAME counts: write NAME.myshopify.com, unless the "
            "admin's Settings, Domains show another .myshopify.com name",
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+", value):
        raise invalid(
            "is not a shop's host name",
            "Write the name that ends in .myshopify.com, without https:// and without a path",
        )
    return value


def _api_version(value: str) -> str:
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", value, re.ASCII):
        raise invalid("is not an API version", 'Write year and month, such as "2026-10"')
    if value < API_VERSION_MIN:
        raise invalid(
            f"is older than {API_VERSION_MIN}, the first version in which a stock write names the "
            "value it replaces",
            'Set "2026-10", or remove the line',
        )
    return value


def _own_endpoint(data: dict[str, Any]) -> str:
    return f"https://{data.get('shop', '')}"


KEPT_APART = {"shpss_": "a client secret", "shpat_": "an access token"}


def _each_in_its_place(section: ShopifySettings) -> Iterator[Problem]:
    """Shopify marks its secrets by how they begin. One in another's place is never accepted."""
    places = {
        "access_token": (section.access_token, "an access token", "shpat_"),
        "client_id": (section.client_id, "a client ID", ""),
        "client_secret": (section.client_secret, "a client secret", "shpss_"),
    }
    for key, (value, wanted, mark) in places.items():
        text = value if isinstance(value, str) else value.get_secret_value() if value else ""
        for begins, what in KEPT_APART.items():
            if begins != mark and text.startswith(begins):
                yield Problem(
                    key,
                    f"is {what}, not {wanted}: it begins with {begins}",
                    f"Set {what} as {'client_secret' if begins == 'shpss_' else 'access_token'}, "
                    f"and copy {wanted} from the app's settings",
                )


def _one_grant(section: ShopifySettings) -> Iterator[Problem]:
    """Ask for exactly one way to sign in; with two, it is unclear which one is meant."""
    token, client_id, secret = section.access_token, section.client_id, section.client_secret
    where = "(or the file shopify-{0}, or INVSYNCD_SHOPIFY__{1})"
    if token and (client_id or secret):
        yield Problem(
            "access_token",
            "is set beside client_id or client_secret",
            "Keep one way to sign in: access_token alone, or client_id with client_secret",
        )
    elif not token and not client_id and not secret:
        yield Problem(
            "access_token",
            "is required, unless client_id and client_secret are set",
            "Set it " + where.format("access-token", "ACCESS_TOKEN"),
        )
    elif client_id and not secret:
        yield Problem(
            "client_secret",
            "is required beside client_id",
            "Set it " + where.format("client-secret", "CLIENT_SECRET"),
        )
    elif secret and not client_id:
        yield Problem(
            "client_id",
            "is required beside client_secret",
            "Copy the client ID of the same app from its settings",
        )


def _admin_host(section: ShopifySettings) -> Iterator[Problem]:
    if (
        not section.shop.endswith(".myshopify.com")
        and section.endpoint == f"https://{section.shop}"
    ):
        yield Problem(
            "shop",
            "does not end in .myshopify.com",
            "A shop's own domain does not answer the Admin API: write the .myshopify.com name",
        )


class ShopifySettings(Section):
    """Which shop, and how to sign in."""

    RULES: ClassVar[tuple[Rule, ...]] = (_one_grant, _each_in_its_place, _admin_host)

    shop: Annotated[
        Word,
        AfterValidator(_shop),
        Field(description="The shop's own name, which ends in .myshopify.com"),
    ]
    access_token: Annotated[
        Secret | None,
        Field(description="Admin API token of a custom app; replaces client_id and client_secret"),
    ] = None
    client_id: Annotated[
        Word | None,
        Field(description="Client credentials grant: invsyncd fetches and renews the token"),
    ] = None
    client_secret: Annotated[
        Secret | None, Field(description="The secret that belongs to client_id")
    ] = None
    api_version: Annotated[
        str,
        AfterValidator(_api_version),
        Field(description="Admin API version, year and month; Shopify keeps each one for a year"),
    ] = "2026-10"
    endpoint: Annotated[
        Endpoint,
        Field(description="Where the Admin API answers; another one only for the sandbox"),
    ] = Field(default_factory=_own_endpoint)


def _own_interval(data: dict[str, Any]) -> float:
    return float(data.get("interval_s", 0.0))


def _faster_is_shorter(section: PollSettings) -> Iterator[Problem]:
    if section.interval_min_s > section.interval_s:
        yield Problem(
            "interval_min_s",
            f"is longer than poll.interval_s, {section.interval_s:g}",
            "Make it shorter, or remove it to poll at one interval",
        )


class PollSettings(Section):
    """How often Shopify is read."""

    RULES: ClassVar[tuple[Rule, ...]] = (_faster_is_shorter,)

    interval_s: Annotated[
        Seconds,
        Field(
            ge=0.01,
            le=3600,
            description="Seconds between two polls; shorter finds sales sooner and costs more API",
        ),
    ] = 2.0
    budget_percent: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="The share of Shopify's restored points that quiet polls may take",
        ),
    ] = 10
    interval_min_s: Annotated[
        Seconds,
        Field(
            ge=0.01,
            le=3600,
            description="Seconds between two polls while there are changes; if not set: interval_s",
        ),
    ] = Field(default_factory=_own_interval)
    overlap_s: Annotated[
        Seconds,
        Field(
            ge=0,
            le=DAY_S,
            description="Seconds that Shopify's search may be late before polls miss a change",
        ),
    ] = 120.0
    catalogue_interval_s: Annotated[
        Seconds,
        Field(
            ge=0.01,
            le=DAY_S,
            description="Seconds between readings of SKUs, tracking, policy and product type",
        ),
    ] = 300.0
    full_scan_interval_s: Annotated[
        Seconds,
        Field(
            ge=0.01,
            le=30 * DAY_S,
            description="Seconds between full scans, which find what polls have missed",
        ),
    ] = float(DAY_S)


def _one_list(section: MirrorSettings) -> Iterator[Problem]:
    for name in sorted(set(section.locations) & set(section.exclude_locations)):
        yield Problem(
            "exclude_locations",
            f'names "{name}", which mirror.locations names too',
            "Remove it from one of the two",
        )


def _no_star(section: MirrorSettings) -> Iterator[Problem]:
    if "*" in section.locations:
        yield Problem(
            "locations", '"*" is not used here', "Leave the list empty: that means every location"
        )
    if "*" in section.exclude_locations:
        yield Problem(
            "exclude_locations", '"*" would exclude every location', "Set mirror.enabled = false"
        )


class MirrorSettings(Section):
    """Which levels show the same number, and what happens if counts contradict each other."""

    RULES: ClassVar[tuple[Rule, ...]] = (_one_list, _no_star)

    enabled: Annotated[
        Flag,
        Field(
            description="Say true or false: mirroring overwrites the stock of other locations, "
            "so there is no default"
        ),
    ]
    product_types: Annotated[
        tuple[Text, ...],
        Field(description="Exact product types to mirror; empty means all products"),
    ] = ()
    locations: Annotated[
        tuple[Location, ...],
        Field(
            description="Names or ids; empty means every active location that no fulfilment "
            "service manages"
        ),
    ] = ()
    exclude_locations: Annotated[
        tuple[Location, ...], Field(description="Names or ids of locations to leave alone")
    ] = ()
    unlevelled: Annotated[
        Unlevelled,
        Field(description="What to do with levels that differ when they are first seen"),
    ] = Unlevelled.FOLLOW
    on_conflict: Annotated[
        OnConflict,
        Field(description="Which number wins when several locations were counted differently"),
    ] = OnConflict.LOWEST
    sale_max: Annotated[
        Units,
        Field(
            description="The most units of one till sale; a larger fall is read as a stock count"
        ),
    ] = 10
