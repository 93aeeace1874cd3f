"""The rules of the [tiktok] section that look at several keys at once.

Their one concern is that a unit is never offered twice: a location feeds at most one warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from invsyncd.config.problems import Problem

if TYPE_CHECKING:
    from invsyncd.config.tiktok import Link, Mapping, Override, TikTokSettings

EVERY = "*"
OFF = "or set tiktok.enabled = false"


def rows_make_sense(row: Mapping) -> Iterator[Problem]:
    """Check what one mapping says of itself."""
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


def says_something(row: Override) -> Iterator[Problem]:
    """Refuse an override without effect: a key was forgotten."""
    values = (row.enabled, row.percent, row.reserve, row.zero_at, row.cap)
    if all(value is None for value in values):
        yield Problem(
            "", "changes nothing", "Set one of percent, reserve, zero_at, cap, enabled, or drop it"
        )


def needs_key(section: TikTokSettings) -> Iterator[Problem]:
    """Ask for the app key only when TikTok is wanted; so with the two below."""
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


def needs_mapping(section: TikTokSettings) -> Iterator[Problem]:
    """Ask for a mapping."""
    if section.enabled and not section.mapping:
        yield Problem(
            "mapping",
            "is required while tiktok.enabled is true",
            f"Add a [[tiktok.mapping]] with locations and warehouse, {OFF}",
        )


def one_warehouse_each(section: TikTokSettings) -> Iterator[Problem]:
    """A location that fed two warehouses would have its units offered twice."""
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


def star_stands_alone(section: TikTokSettings) -> Iterator[Problem]:
    """Refuse a second warehouse, and a second star, beside "*": it takes every location already."""
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
    """A listing sells one SKU."""
    first: dict[tuple[str, str], tuple[int, Link]] = {}
    for number, link in enumerate(section.link, 1):
        at, seen = first.setdefault((link.product_id, link.sku_id), (number, link))
        if seen is not link:
            yield Problem(
                f"link[{number}]",
                f"names the same product_id and sku_id as tiktok.link[{at}]",
                "Remove one of the two",
            )
