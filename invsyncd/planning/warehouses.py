"""Which TikTok warehouses the configured names mean, today and after a rename at TikTok.

A name that was never there is an error. A name that once meant a warehouse goes on meaning that
one, by its id: a rename, a second warehouse of that name, or a list that lacks it stops no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from invsyncd.config import Settings
from invsyncd.config.tiktok import ONLY
from invsyncd.core.marketplace import Warehouse, WarehouseList
from invsyncd.errors import ConfigError
from invsyncd.text import plural

WarehouseIds = Mapping[str, str]  # which warehouse a configured name meant when it was last read
NO_WAREHOUSE_IDS: Final[WarehouseIds] = MappingProxyType({})
_LACKING = (
    "TikTok's list of warehouses lacks it, and it goes on as it was known; if it is gone, take it"
    " out of tiktok.mapping"
)


def find_warehouse(
    name: str, warehouses: Sequence[Warehouse], remembered: WarehouseIds = NO_WAREHOUSE_IDS
) -> str:
    """The id of a sales warehouse, given its id or a name that only one of them has.

    Where that is no single one any more, the name means the warehouse that it meant before.
    """
    ids = _called(name, warehouses)
    if len(ids) == 1:
        return ids.pop()
    before = remembered.get(name, "")
    if before in (ids or {w.id for w in warehouses}):
        return before
    sales = [w for w in warehouses if w.sales]
    known = ", ".join(f'"{w.name}" ({w.id})' for w in sales) or "none"
    if name == ONLY:
        raise _no_choice(len(sales), known)
    what = "no sales warehouse" if not ids else f"{len(ids)} sales warehouses named"
    returns = not ids and any(name in (w.id, w.name) for w in warehouses)
    raise ConfigError(
        f'tiktok.mapping: the TikTok shop has {what} "{name}"'
        + ("; that one is for returns" if returns else ""),
        advice=f"its sales warehouses are: {known}",
    )


def _no_choice(count: int, known: str) -> ConfigError:
    """The error where nothing is mapped, and the shop has not exactly one sales warehouse."""
    if not count:
        return ConfigError(
            "the TikTok shop has no sales warehouse", advice="add one in TikTok's Seller Center"
        )
    return ConfigError(
        f"the TikTok shop has {count} sales warehouses, and no tiktok.mapping says which locations"
        " feed which",
        advice="add a [[tiktok.mapping]] with locations and warehouse for each that shall be fed;"
        f" its sales warehouses are: {known}",
    )


def warehouse_ids(
    settings: Settings, warehouses: Sequence[Warehouse], remembered: WarehouseIds
) -> dict[str, str]:
    """Which warehouse each configured name means: today's, or else the one that had that name."""
    found: dict[str, str] = {}
    for row in settings.tiktok.mapping:
        ids = _called(row.warehouse, warehouses)
        if len(ids) == 1:
            found[row.warehouse] = ids.pop()
        elif row.warehouse in remembered:
            found[row.warehouse] = remembered[row.warehouse]
    return found


def with_lacking(
    found: WarehouseList, known: Iterable[Warehouse], mapped: WarehouseIds
) -> WarehouseList:
    """The list, with the `known` warehouses among its odd ones that a mapping names and it lacks.

    Missing is not gone: each write names only the warehouses in which a listing was just shown.
    """
    there = {w.id for w in found.readable} | found.odd.keys()
    lacking = [w for w in known if w.id in mapped.values() and w.id not in there]
    return WarehouseList(found.readable, found.odd | {w.id: _LACKING for w in lacking})


def warehouse_notes(
    settings: Settings, warehouses: Sequence[Warehouse], remembered: WarehouseIds
) -> list[str]:
    """What people should know of mapped warehouses whose name is not theirs alone any more."""
    by_id = {w.id: w for w in warehouses}
    notes: list[str] = []
    for number, row in enumerate(settings.tiktok.mapping, 1):
        here = by_id.get(remembered.get(row.warehouse, ""))
        called = _called(row.warehouse, warehouses)
        if here is None or len(called) == 1:
            continue
        if row.warehouse == ONLY:
            notes.append(
                f"TikTok has {plural(len(called), 'sales warehouse')} now, and no tiktok.mapping"
                f' says which locations feed which; "{here.name}" ({here.id}) goes on as before:'
                " write a [[tiktok.mapping]] for each that shall be fed"
            )
            continue
        why = (
            "which several warehouses are called at TikTok now"
            if row.warehouse == here.name
            else f'which is called "{here.name}" at TikTok now'
        )
        notes.append(
            f'tiktok.mapping[{number}] names "{row.warehouse}", {why}; it goes on as the same'
            f" warehouse: write the id {here.id}"
        )
    return notes


def _called(name: str, warehouses: Iterable[Warehouse]) -> set[str]:
    """The ids of the sales warehouses with this id, or else with this name."""
    sales = [w for w in warehouses if w.sales]
    if name == ONLY:
        return {w.id for w in sales}
    return {w.id for w in sales if w.id == name} or {w.id for w in sales if w.name == name}
