"""What one row of the catalogue says, and whether it differs from what is stored. Pure.

A row speaks of one variant, or of the item without its variants. Other variants may say otherwise.
So a row that differs changes nothing by itself; the item is then read directly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from invsyncd.core.model import Catalogue, Item


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """What one row says of an item; None where the row does not say.

    An `unreadable` row only names the item, which is then read directly.
    """

    item: int
    sku: str
    tracked: bool
    continues: bool | None = None
    product_type: str | None = None
    on_sale: bool | None = None
    bundle: bool | None = None
    unreadable: bool = False


def differs(seen: CatalogueRow, known: Catalogue) -> bool:
    """Whether the item may differ from what is known of it.

    An item of several product types always may: one of them may have left with another variant.
    """
    if seen.unreadable or (seen.sku, seen.tracked) != (known.sku, known.tracked):
        return True
    said = (
        (seen.continues, known.continues),
        (seen.on_sale, known.on_sale),
        (seen.bundle, known.bundle),
    )
    if any(now is not None and now != before for now, before in said):
        return True
    return seen.product_type is not None and known.product_types != (seen.product_type,)


def with_catalogue(item: Item, entry: Catalogue) -> Item:
    """The item with what the catalogue says of it now."""
    return replace(
        item,
        sku=entry.sku,
        tracked=entry.tracked,
        continues=entry.continues,
        product_types=entry.product_types,
        on_sale=entry.on_sale,
        bundle=entry.bundle,
        components=entry.components,
    )


def merged_rows(rows: Iterable[CatalogueRow], so_far: dict[int, Catalogue]) -> dict[int, Catalogue]:
    """One catalogue entry for each item, from the rows of its variants, in any order.

    `so_far` holds the entries that earlier rows of the same reading gave.
    """
    entries = dict(so_far)
    for row in rows:
        nothing = Catalogue(row.item, row.sku, row.tracked, False, (), on_sale=False)
        before = entries.get(row.item, nothing)
        types = set(before.product_types)
        if row.product_type is not None:
            types.add(row.product_type)
        entries[row.item] = replace(
            before,
            sku=row.sku,
            tracked=row.tracked,
            continues=before.continues or bool(row.continues),
            product_types=tuple(sorted(types)),
            on_sale=before.on_sale or row.on_sale is not False,
            bundle=before.bundle or bool(row.bundle),
        )
    return entries
