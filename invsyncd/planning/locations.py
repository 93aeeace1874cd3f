"""Which locations the configured names mean, today and after a rename or a closing in Shopify.

A name that was never there is an error: a location that cannot be found must not quietly drop out
of the mirror (law 8). A name that once meant a location goes on meaning that location, by its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from invsyncd.config import Settings
from invsyncd.core.model import Location, LocationList
from invsyncd.errors import ConfigError

FBT: Final = "tiktok fbt"

LocationIds = Mapping[str, int]  # which location a configured name meant when it was last seen
NO_IDS: Final[LocationIds] = MappingProxyType({})


def find_locations(
    names: Iterable[str], active: Sequence[Location], key: str, remembered: LocationIds = NO_IDS
) -> set[int]:
    """Ids of the active locations with these names or ids; ConfigError for one that never was.

    A location that was renamed since is still the same one; one that was deactivated is left out.
    `location_notes` says both.
    """
    found: set[int] = set()
    for name in names:
        ids = _called(name, active)
        if len(ids) > 1:
            raise ConfigError(
                f'{key}: {len(ids)} locations are named "{name}"',
                advice=f"use the id instead: one of {', '.join(map(str, sorted(ids)))}",
            )
        if not ids and name not in remembered:
            known = ", ".join(f'"{loc.name}"' for loc in active) or "none"
            raise ConfigError(
                f'{key}: the shop has no active location "{name}"',
                advice=f"its active locations are: {known}",
            )
        found |= ids or {loc.id for loc in active if loc.id == remembered[name]}
    return found


def every_location(
    excluded: Iterable[str], active: Sequence[Location], remembered: LocationIds = NO_IDS
) -> set[int]:
    """Ids of the active locations that nobody else manages, without the excluded names and ids.

    An excluded name that never was is no error; a location that was renamed stays excluded.
    """
    names = set(excluded)
    left_out = names | {str(remembered[name]) for name in names if name in remembered}
    return {
        loc.id
        for loc in active
        if not loc.managed and not keeps_fbt(loc) and left_out.isdisjoint((loc.name, str(loc.id)))
    }


def _called(name: str, locations: Iterable[Location]) -> set[int]:
    """The ids of the locations with this name or id."""
    return {loc.id for loc in locations if name in (loc.name, str(loc.id))}


def keeps_fbt(location: Location) -> bool:
    """Whether a location shows, inside Shopify, the stock that TikTok itself fulfils (FBT).

    TikTok's own app creates it under the name "TikTok FBT Warehouse" (documented).
    """
    return FBT in location.name.casefold()


def named_locations(settings: Settings) -> list[tuple[str, str]]:
    """Every location that the configuration names, with the key that names it."""
    mirror, tiktok = settings.mirror, settings.tiktok
    named = [("mirror.locations", name) for name in mirror.locations]
    named += [("mirror.exclude_locations", name) for name in mirror.exclude_locations]
    named += [("tiktok.exclude_locations", name) for name in tiktok.exclude_locations]
    for number, row in enumerate(tiktok.mapping, 1):
        key = f"tiktok.mapping[{number}]"
        named += [(f"{key}.locations", name) for name in row.locations if name != "*"]
        named += [(f"{key}.exclude_locations", name) for name in row.exclude_locations]
    return named


def location_ids(
    settings: Settings, locations: Sequence[Location], remembered: LocationIds
) -> dict[str, int]:
    """Which location each configured name means: today's, or else the one that had that name."""
    found: dict[str, int] = {}
    for _, name in named_locations(settings):
        ids = _called(name, locations)
        if len(ids) == 1:
            found[name] = ids.pop()
        elif not ids and name in remembered:
            found[name] = remembered[name]
    return found


def unreadable_locations(
    found: LocationList, known: Mapping[int, str]
) -> dict[str, tuple[int | None, str]]:
    """What people should know of locations that cannot be read: by sentence (id, reason).

    `known` are the names of the known locations, by id.
    """
    notes: dict[str, tuple[int | None, str]] = {}
    for place, why in found.odd.items():
        name = f'"{known[place]}" ({place})' if place in known else str(place)
        goes_on = "it goes on as it was known" if place in known else "it waits until it can be"
        notes[f"Shopify's answer about location {name} cannot be read: {why}; {goes_on}"] = (
            place,
            why,
        )
    for why in found.lost:
        text = f"Shopify's answer about one location cannot be read: {why}"
        notes[f"{text}; whichever it is, it goes on as it was known"] = (None, why)
    return notes


def location_notes(
    settings: Settings, locations: Sequence[Location], remembered: LocationIds
) -> list[str]:
    """What people should know of configured locations that were renamed or deactivated."""
    by_id = {loc.id: loc for loc in locations}
    notes: list[str] = []
    for key, name in named_locations(settings):
        here = by_id.get(remembered.get(name, 0))
        if here is not None and not here.active and "exclude" not in key:
            notes.append(
                f'{key} names "{name}", which was deactivated in Shopify and is left out: take the'
                " name out, or activate the location again"
            )
        elif here is not None and name not in (here.name, str(here.id)):
            notes.append(
                f'{key} names "{name}", which is called "{here.name}" in Shopify now and goes on'
                f" as the same location: write the new name, or the id {here.id}"
            )
    return notes
