"""Builds the JSON document behind the status page, the API and the `status` command.

The document stays small in a shop of any size: it has counts, and the first few of each list. If
the state database does not answer, the document has what is known without the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from invsyncd import __version__
from invsyncd.core.model import Target
from invsyncd.errors import ConfigError, StateError
from invsyncd.explain.journal_groups import grouped, listing_key
from invsyncd.explain.journal_text import entry_summary
from invsyncd.explain.rules_text import mirror_sentences, tiktok_sentences
from invsyncd.planning.interventions import paused_targets
from invsyncd.planning.maximum import maximum_json
from invsyncd.planning.rulebook import Rulebook, warehouse_names
from invsyncd.status.checks import fold_checks
from invsyncd.status.health import Health
from invsyncd.status.listings import held_answers, held_json, listings_json
from invsyncd.status.target_health import UNTRIED
from invsyncd.store import Store
from invsyncd.text import ends_hold
from invsyncd.web.words import advice

FIRST_MAX = 8
ROWS_MAX = 14
LINES_EACH = 8  # lines that are read for each that is shown: many are writes of one item


async def facts(
    store: Store, health: Health, shop: str, now: float, rulebook: Rulebook | None = None
) -> dict[str, Any]:
    """The document; `now` is in Unix seconds. With `rulebook` held items have their choices."""
    found: dict[str, Any] = {
        "version": __version__,
        "shop": shop,
        "now": int(now),
        **health.status(),
        "wrong": wrong(health),
        "owed_since": {t.value: h.oldest_undelivered for t, h in health.targets.items()},
        "lag": health.latency.as_json(list(health.targets)),
        "pauses": {},
        "holds": None,
        "parked": None,
        "journal": [],
    }
    with suppress(StateError):  # the health reports it
        found["items"] = await store.census.items()
        found["pauses"] = await _pauses(store)
        found["holds"] = await _held(store, rulebook)
        if Target.TIKTOK in health.targets:
            count = await store.listing_census.parked_count()
            first = await store.listing_census.parked_first(FIRST_MAX)
            found["parked"] = {"count": count, "first": first}
            found["max_quantity"] = await maximum_json(store)
        found["journal"] = await _journal(store, ROWS_MAX)
    return found


async def with_listings(
    found: Mapping[str, Any], store: Store, rulebook: Rulebook
) -> dict[str, Any]:
    """The document with all held items and the counts of listings, which read every listing."""
    groups: dict[str, Any] = {}
    with suppress(StateError):
        groups["held"] = await held_json(store, rulebook)
    if Target.TIKTOK.value in found["targets"]:
        with suppress(ConfigError, StateError):  # the health reports it
            groups["listings"] = await listings_json(store, rulebook)
    return {**found, **groups}


async def rules_json(store: Store, rulebook: Rulebook) -> dict[str, list[str]]:
    """The rules in force as sentences, by target."""
    locations = [known.location for known in await store.locations.all()]
    try:
        rules = await rulebook.rules()
    except ConfigError as error:
        return {"shopify": [f"The configuration does not fit the shop: {error}."], "tiktok": []}
    warehouses = await rulebook.warehouses() or []
    tiktok = tiktok_sentences(rules, locations, warehouses)
    if not tiktok and rulebook.offers_error is not None:
        tiktok = [f"Nothing is written: {rulebook.offers_error}."]
    return {"shopify": mirror_sentences(rules, locations), "tiktok": tiktok}


def wrong(health: Health) -> list[dict[str, Any]]:
    """Every cause: whether it is only a note, what to do, and what follows from it."""
    dead = {target.value for target, state in health.targets.items() if state.dead}
    by_hand = {f"{t.value}:paused" for t, state in health.targets.items() if state.paused_by_hand}
    return [
        {
            "check": one.check.name,
            "note": not one.fails,
            "says": one.says,
            "try": advice(
                one.check.name,
                dead=one.check.name.partition(":")[0] in dead,
                tried=not one.check.output.endswith(UNTRIED),
            )
            if one.check.name not in by_hand
            else "",  # it says itself what ends it, and there is no mistake to take back
            "follows": [check.output for check in one.follows],
        }
        for one in fold_checks(health.checks(), health.targets)
    ]


async def _pauses(store: Store) -> dict[str, Any]:
    """Every paused target: why, by which passes, and by whom if a person paused it."""
    return {
        target.value: {
            "because": pause.because,
            "passes": list(pause.passes),
            "by_hand": pause.by_hand,
        }
        for target, pause in (await paused_targets(store)).items()
    }


async def _choices(
    store: Store, rulebook: Rulebook | None, skus: list[str]
) -> Mapping[str, list[dict[str, Any]]]:
    """What each choice would give, by the SKU of a held item; nothing without rules."""
    if rulebook is None or not skus:
        return {}
    known = await store.levels.items_of_skus(set(skus))
    items = {item: sku for sku, those in known.items() for item in those}
    answers = await held_answers(store, rulebook, list(items))
    return {items[item]: [x.as_json() for x in those] for item, those in answers.items()}


async def _held(store: Store, rulebook: Rulebook | None) -> dict[str, Any]:
    count, skus = await store.census.held_first(FIRST_MAX)
    gives = await _choices(store, rulebook, skus)
    locations = await store.locations.names()
    first = []
    for sku in skus:
        rows = [row for row in await store.journal.read(sku=sku, limit=10) if row.get("held")]
        because = entry_summary(rows[-1], locations) if rows else ""
        resolve, offered = ends_hold(sku), gives.get(sku, [])
        first.append({"sku": sku, "because": because, "resolve": resolve, "choices": offered})
    return {"count": count, "first": first}


async def _journal(store: Store, limit: int) -> list[dict[str, Any]]:
    """The newest lines of the journal as sentences, newest first; the writes of an item as one."""
    rows = await store.journal.read(limit=limit * LINES_EACH)
    keys = {key for row in rows if (key := listing_key(row)) is not None}
    names = {x.key: x.seller_sku for x in await store.listings.by_keys(keys) if x.seller_sku}
    lines = grouped(rows, await store.locations.names(), await warehouse_names(store), names)
    return lines[:limit]
