"""plan: what can be known of a new configuration without asking the shops, and what cannot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from invsyncd.config import Settings
from invsyncd.config.problems import ConfigProblems, Problem
from invsyncd.core.model import Location
from invsyncd.engine.compare import Compared, Comparison, OnPage
from invsyncd.engine.rulebook import Rulebook
from invsyncd.engine.rules import find_locations, find_warehouse
from invsyncd.errors import ConfigError
from invsyncd.store import BASELINE, Store
from invsyncd.tiktok.shop import Warehouse


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The comparison; `unknown` are sentences about what it could not take into account."""

    compared: Compared
    unknown: tuple[str, ...]
    as_of: str | None


async def foresee(
    store: Store, running: Settings, new: Settings, now: int, *, name: str, on_page: OnPage
) -> Foreseen:
    """Compare two configurations over a private copy of the state.

    ConfigError with every name in the new one (the file `name`) that the shop does not have.
    """
    unknown = _of_other_state(running, new)
    if await store.facts.get(BASELINE) is None:
        unknown.append("no first baseline is complete: most of the stock is not known yet")
    rulebook = Rulebook(new, store)
    locations, warehouses = await rulebook.locations(), await rulebook.warehouses()
    if locations:
        _say_strangers(new, locations, name)
    new, strangers = _without_strangers(new, warehouses)
    unknown += strangers
    old_rules = await Rulebook(running, store).rules()
    new_rules = await Rulebook(new, store).rules()
    fed_before = old_rules.offers.sources.keys() if old_rules.offers else set()
    for warehouse in sorted(
        new_rules.offers.sources.keys() - fed_before if new_rules.offers else ()
    ):
        lacking = await store.listing_census.lacking(warehouse)
        if lacking.count:
            unknown.append(
                f"warehouse {warehouse}: {lacking.count} listings were never seen stocked there;"
                " whether they are, only TikTok knows"
            )
    compared = await Comparison(store, old_rules, new_rules, now).run(new, on_page)
    read = [k.read_at for k in await store.locations.all() if k.location.active and k.read_at]
    as_of = datetime.fromtimestamp(min(read), UTC).isoformat(timespec="seconds") if read else None
    return Foreseen(compared, tuple(unknown), as_of)


def _of_other_state(running: Settings, new: Settings) -> list[str]:
    found = []
    if running.shopify.shop != new.shopify.shop:
        found.append("shopify.shop is another shop: nothing is known of its stock here")
    if running.state.path != new.state.path:
        found.append(
            "state.path is another one: the daemon would take a first baseline there, and see"
            " every item for the first time"
        )
    return found


def _say_strangers(new: Settings, locations: list[Location], name: str) -> None:
    """Raise with every location that the shop does not have, not only the first."""
    active = [location for location in locations if location.active]
    named = [("mirror.locations", one) for one in new.mirror.locations]
    for number, row in enumerate(new.tiktok.mapping if new.tiktok.enabled else (), 1):
        key = f"tiktok.mapping[{number}].locations"
        named += [(key, one) for one in row.locations if one != "*"]
    problems = []
    for key, one in named:
        try:
            find_locations([one], active, key)
        except ConfigError as error:
            problems.append(Problem("", str(error), error.advice))
    if problems:
        raise ConfigProblems(name, problems)


def _without_strangers(
    new: Settings, warehouses: list[Warehouse] | None
) -> tuple[Settings, list[str]]:
    """Leave out the mappings to warehouses that were never seen: TikTok alone knows them."""
    if not new.tiktok.enabled:
        return new, []
    if warehouses is None:
        says = "TikTok's warehouses were never read: what its listings would show is not known"
        return new, [says]
    known, unknown = [], []
    for row in new.tiktok.mapping:
        try:
            find_warehouse(row.warehouse, warehouses)
            known.append(row)
        except ConfigError as error:
            unknown.append(f"{error}, as far as was seen: its listings are left out of this plan")
    tiktok = new.tiktok.model_copy(update={"mapping": tuple(known)})
    return new.model_copy(update={"tiktok": tiktok}), unknown
