"""Reports on listings and held items, from the store alone, without a call.

Listings come in groups: how many, the first of them, and what to do. Held items come with the
command that ends each hold. `status`, `check` and `/api/status` show them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from invsyncd.config.example import toml
from invsyncd.config.tiktok import Link
from invsyncd.core.interventions import Choice, choices
from invsyncd.core.model import Standing
from invsyncd.core.near_skus import nearest
from invsyncd.errors import ConfigError
from invsyncd.planning.rulebook import Rulebook
from invsyncd.store import Store
from invsyncd.store.census import FIRST_MAX, Ambiguous
from invsyncd.store.notices import Subject
from invsyncd.text import ends_hold, offered


@dataclass(frozen=True, slots=True)
class Group:
    """Listings with one thing in common, the `trait`. `first` are at most twenty of `count`."""

    name: str
    trait: str
    count: int
    first: tuple[str, ...] = ()
    advice: str = ""

    def __str__(self) -> str:
        """One line: the count, the trait, and the first listings."""
        more = self.count - len(self.first)
        names = ", ".join(self.first) + (f" … and {more} more" if self.first and more > 0 else "")
        return f"{self.count} {self.trait}" + (f": {names}" if names else "")


async def listing_groups(store: Store, rulebook: Rulebook) -> list[Group]:
    """Every group that is not empty."""
    found = [
        await _lost(store),
        await _unreadable(store),
        *await _unmatched(store),
        *await _matched(store),
        *await _lacking(store, rulebook),
        await _dead_links(store, rulebook.links),
    ]
    return [group for group in found if group.count]


async def listings_json(store: Store, rulebook: Rulebook) -> dict[str, Any]:
    """How many listings there are, and the groups by name, for programs."""
    total, matched = await store.listing_census.matched()
    groups: dict[str, list[dict[str, Any]]] = {}
    for group in await listing_groups(store, rulebook):
        one = {"says": group.trait, "count": group.count, "first": list(group.first)}
        groups.setdefault(group.name, []).append(one)
    return {"known": total, "matched": matched, "groups": groups}


NEAR_MAX = 200  # listings without an item for which a near SKU is sought
NOTED_MAX = 3  # names in one sentence of the health
UNREADABLE = (Subject.LISTINGS, Subject.STOCK, Subject.WAREHOUSES)
_SAVE_AGAIN = (
    "open the product in Seller Center and save it again; it is tried again by itself. If it stays,"
    " show TikTok's support the place in the answer"
)


async def listing_notes(store: Store) -> dict[str, str]:
    """What people should know of single listings, for the health: sentences by check."""
    groups = {"tiktok:lost": await _lost(store), "tiktok:set_aside": await _unreadable(store)}
    return {
        name: "; ".join(
            filter(None, (f"tiktok: {replace(group, first=group.first[:NOTED_MAX])}", group.advice))
        )
        for name, group in groups.items()
        if group.count
    }


async def _lost(store: Store) -> Group:
    """Listings that were written and are not any more. The reason of each ends with the step."""
    found = await store.notices.of(Subject.LOST)
    return Group(
        "lost",
        "lost: written before, and not any more",
        len(found),
        tuple(f"{x.name}: {x.why}" for x in found[:FIRST_MAX]),
    )


async def _unreadable(store: Store) -> Group:
    """What of TikTok's answers cannot be read: listings, their stock, warehouses."""
    found = [x for subject in UNREADABLE for x in await store.notices.of(subject)]
    return Group(
        "set_aside",
        "set aside, because TikTok's answer about it cannot be read",
        len(found),
        tuple(f"{x.name} ({x.why})" for x in found[:FIRST_MAX]),
        _SAVE_AGAIN,
    )


async def _unmatched(store: Store) -> list[Group]:
    census = store.listing_census
    empty, unknown = await census.without_sku(), await census.unknown()
    count, ambiguous = await census.ambiguous()
    return [
        Group(
            "without_sku",
            "without a seller SKU",
            empty.count,
            empty.first,
            "set a seller SKU at TikTok Shop, or a [[tiktok.link]]",
        ),
        Group(
            "unknown_sku",
            "with a SKU that no known item has",
            unknown.count,
            unknown.first,
            "compare the SKUs exactly, upper and lower case too, or set a [[tiktok.link]]",
        ),
        Group(
            "ambiguous_sku",
            "with a SKU that several items have",
            count,
            tuple(row.sku for row in ambiguous),
            _link_block(ambiguous[0]) if ambiguous else "",
        ),
    ]


async def near_misses(store: Store) -> list[Group]:
    """Listings whose SKU differs from an item's only in case, blanks or separators.

    Reads every item: for `check`, not for a page that renews itself.
    """
    unknown = await store.listing_census.unknown_first(NEAR_MAX)
    if not unknown:
        return []
    pairs = nearest([sku for sku, _, _ in unknown], await store.census.skus())
    near = [row for row in unknown if row[0] in pairs]
    if not near:
        return []
    blocks = [
        f'[[tiktok.link]]\nsku = {toml(pairs[sku])}\nproduct_id = "{product}"\nsku_id = "{sku_id}"'
        for sku, product, sku_id in near[:FIRST_MAX]
    ]
    return [
        Group(
            "near_sku",
            "that nearly have a SKU of Shopify",
            len(near),
            tuple(f'"{sku}" is "{pairs[sku]}" there' for sku, _, _ in near[:FIRST_MAX]),
            "make the two SKUs equal, upper and lower case too, or add to the configuration:\n"
            + "\n".join(blocks),
        )
    ]


def _link_block(row: Ambiguous) -> str:
    """A link for the configuration. Only the choice of the item is left to a person."""
    others = ", ".join(map(str, row.items[1:]))
    return (
        "they are not written until you say which: give each item its own SKU, or link each"
        " listing to one of the items, such as:\n"
        f'[[tiktok.link]]\nsku = {toml(row.sku)}\nproduct_id = "{row.product_id}"\n'
        f'sku_id = "{row.sku_id}"\nitem = {row.items[0]}  # or {others}'
    )


async def _matched(store: Store) -> list[Group]:
    census = store.listing_census
    shared = await census.shared_skus()
    parked, reasons = await census.parked()
    return [
        Group(
            "shared_sku",
            "SKUs in several listings; each listing shows the quantity",
            len(shared),
            tuple(f"{sku} ({n} listings)" for sku, n in shared[:FIRST_MAX]),
        ),
        *(Group("parked", f"parked: {reason}", n) for reason, n in reasons),
        Group(
            "parked",
            "parked for other reasons",
            parked - sum(n for _, n in reasons),
        ),
        Group(
            "items_without_listing", "items without a listing", await census.items_without_listing()
        ),
    ]


async def _lacking(store: Store, rulebook: Rulebook) -> list[Group]:
    rules = await rulebook.rules()
    names = {w.id: w.name for w in await rulebook.warehouses() or ()}
    groups: list[Group] = []
    mapped = set(rules.offers.sources) if rules.offers is not None else set[str]()
    for warehouse in sorted(mapped - set(rules.closed)):
        lacking = await store.listing_census.lacking(warehouse)
        name = names.get(warehouse, warehouse)
        trait = f'not stocked in the mapped warehouse "{name}" ({warehouse})'
        advice = "stock them there at TikTok Shop: a write may not add a warehouse"
        groups.append(Group("lacking_warehouse", trait, lacking.count, lacking.first, advice))
    return groups


async def _dead_links(store: Store, links: Sequence[Link]) -> Group:
    keys = [(link.product_id, link.sku_id) for link in links]
    known = {x.key: x for x in await store.listings.by_keys(keys)}
    dead: list[str] = []
    for link in links:
        listing = known.get((link.product_id, link.sku_id))
        where = f"{link.product_id}/{link.sku_id}"
        if listing is None:
            dead.append(f"{where} (no such listing)")
        elif listing.item is None:
            item = f" on item {link.item}" if link.item is not None else ""
            dead.append(f"{where} (no single item has the SKU {link.sku}{item})")
    return Group(
        "dead_link",
        "links that point to nothing",
        len(dead),
        tuple(dead[:FIRST_MAX]),
        "correct the ids and the SKU of each [[tiktok.link]], or remove it",
    )


async def held_json(store: Store, rulebook: Rulebook) -> list[dict[str, Any]]:
    """Every held item, with what each choice would give and the command that ends its hold."""
    held = await store.census.held()
    gives = await held_choices(store, rulebook, [item for item, _ in held])
    return [
        {"sku": sku, "item": item, "choices": gives.get(item, ""), "resolve": ends_hold(sku)}
        for item, sku in held
    ]


async def held_choices(store: Store, rulebook: Rulebook, items: Sequence[int]) -> dict[int, str]:
    """What each choice would give in words, by held item."""
    found = await held_answers(store, rulebook, items)
    return {item: offered([(x.name, x.units) for x in those]) for item, those in found.items()}


async def held_answers(
    store: Store, rulebook: Rulebook, items: Sequence[int]
) -> dict[int, tuple[Choice, ...]]:
    """The choices of those items that are held; nothing while the rules do not fit the shop."""
    try:
        rules = await rulebook.rules()
    except ConfigError:
        return {}
    names = await store.locations.names()
    return {
        item: choices(state, rules.scope.locations, names)
        for item, state in (await store.levels.states(items)).items()
        if state.item.standing is Standing.HELD
    }
