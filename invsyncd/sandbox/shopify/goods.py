"""The catalogue of the fake shop: items, variants and products, and their edits.

Pure and in memory. Quantities are in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeAlias

from invsyncd.sandbox.shopify.ledger import Ledger
from invsyncd.sandbox.shopify.records import Component, Item, Product, Variant

Sku: TypeAlias = str | int
"""A SKU, or the id of an item (items may have no SKU, or share one)."""
COMPONENTS_MAX = 30


class Stamps(StrEnum):
    """Which `updatedAt` an edit of the catalogue moves. Not documented, so each may be true."""

    OWN = "own"
    """That of the edited record: SKU and tracking belong to the item, policy to the variant."""
    VARIANT = "variant"
    """That of the variant, where people edit all of these."""
    ALL = "all"
    """Those of the item, its variants and their products."""


class Goods:
    """Everything for sale, with the merchant's edits. The clock never runs backwards."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.items: dict[int, Item] = {}
        self.variants: dict[int, Variant] = {}
        self.products: dict[int, Product] = {}
        self.ledger = Ledger()
        self.stamps = Stamps.OWN
        self._clock = clock
        self._latest = 0.0
        self._by_sku: dict[str, list[int]] = {}
        self._made = [0, 0]
        """How many items and variants were ever made. Ids are not reused."""

    def now(self) -> float:
        """Seconds since the epoch, by the shop's own clock."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def add_item(
        self,
        sku: str | None,
        *,
        stock: Mapping[int, int],
        tracked: bool = True,
        policy: str = "DENY",
        product_type: str = "",
        title: str = "",
        mutable: bool = True,
        bundle: bool = False,
        product: int | None = None,
    ) -> int:
        """Add an item with one variant. `stock` is location id → available units.

        The variant belongs to a new product, or to the product with the given id.
        """
        now = self.now()
        made = Item(44_000_000_000_001 + self._made[0], sku, tracked, mutable, now, now)
        if bundle:
            made.bundle, made.mutable = True, False
        self._made[0] += 1
        self.items[made.id] = made
        if sku is not None:
            self._by_sku.setdefault(sku, []).append(made.id)
        about = {"product_type": product_type, "policy": policy, "title": title}
        self.add_variant(made.id, product=product, **about)
        for location, units in stock.items():
            level = self.ledger.open(made.id, location, now, active=True)
            self.ledger.move(level, {"available": units}, now, reason="correction")
        return made.id

    def bundle(self, sku: Sku, parts: Mapping[Sku, int]) -> None:
        """Make the item a bundle of so many units of others, as an app of bundles does.

        As Shopify does (documented), it takes 1 to 30 components, none of them a bundle. No stamp
        moves but the variant's: which one does is not documented.
        """
        item = self.items[self.item(sku)]
        made = [self.items[self.item(part)].variants[0] for part in parts]
        if not 0 < len(made) <= COMPONENTS_MAX:
            raise ValueError(f"a bundle has 1 to {COMPONENTS_MAX} components")
        if any(self.items[variant.item].bundle for variant in made):
            raise ValueError("NESTED_PARENT_PRODUCT_VARIANT")
        item.bundle, item.mutable = True, False
        item.components = [
            Component(variant.id, variant, units)
            for variant, units in zip(made, parts.values(), strict=True)
        ]
        self._stamp(item, *item.variants)

    def add_variant(
        self,
        item: int,
        *,
        product_type: str = "",
        policy: str = "DENY",
        title: str = "",
        product: int | None = None,
    ) -> int:
        """Add a variant of the item, in a new product or in the given one; returns its id."""
        self._made[1] += 1
        nth, now = self._made[1], self.now()
        name = title or self.items[item].sku or f"Product {nth}"
        if product is None:
            product = 7_000_000_000_000 + nth
            self.products[product] = Product(product, name, product_type, now, now)
        of = self.products[product]
        made = Variant(41_000_000_000_000 + nth, item, of, policy, now, now)
        self.variants[made.id] = made
        of.variants.append(made)
        self.items[item].variants.append(made)
        return made.id

    def item(self, sku: Sku) -> int:
        """The id of the (first) item with this SKU."""
        if isinstance(sku, int):
            return self.items[sku].id
        return self._by_sku[sku][0]

    def same_sku(self, sku: str) -> list[int]:
        """The ids of all items with this SKU."""
        return list(self._by_sku.get(sku, []))

    def set_tracked(self, sku: Sku, tracked: bool) -> None:
        """Track the item's stock, or stop tracking."""
        item = self.items[self.item(sku)]
        item.tracked = tracked
        self._stamp(item, item)

    def set_policy(self, sku: Sku, policy: str) -> None:
        """Set DENY or CONTINUE (selling when out of stock) on each variant of the item."""
        item = self.items[self.item(sku)]
        for variant in item.variants:
            variant.policy = policy
        self._stamp(item, *item.variants)

    def set_product_type(self, sku: Sku, product_type: str) -> None:
        """Change the product type of the product of each variant of the item."""
        item = self.items[self.item(sku)]
        products = [variant.product for variant in item.variants]
        for product in products:
            product.product_type, product.updated_at = product_type, self.now()
        if self.stamps is Stamps.ALL:
            self._stamp(item, *products)

    def set_status(self, item: int, status: str) -> None:
        """Make the product of each variant of the item ACTIVE, DRAFT, ARCHIVED or UNLISTED."""
        record = self.items[item]
        products = [variant.product for variant in record.variants]
        for product in products:
            product.status, product.updated_at = status, self.now()
        if self.stamps is Stamps.ALL:
            self._stamp(record, *products)

    def set_sku(self, item: int, sku: str | None) -> None:
        """Rename the item."""
        record = self.items[item]
        if record.sku is not None:
            self._by_sku[record.sku].remove(item)
        if sku is not None:
            self._by_sku.setdefault(sku, []).append(item)
        record.sku = sku
        self._stamp(record, record)

    def delete(self, sku: Sku) -> None:
        """Delete the item with its variants, its levels, and products without further variants."""
        item = self.items.pop(self.item(sku))
        if item.sku is not None:
            self._by_sku[item.sku].remove(item.id)
        for other in self.items.values():
            other.components = [
                part for part in other.components if part.product_variant.item != item.id
            ]
        for variant in item.variants:
            del self.variants[variant.id]
            variant.product.variants.remove(variant)
            if not variant.product.variants:
                del self.products[variant.product.id]
        self.ledger.drop(item.id)

    def touched(self, product: Product) -> float:
        """The product's `updatedAt`. An adjustment of stock counts as an update (documented)."""
        adjusted_at = self.ledger.adjusted_at
        return max([product.updated_at, *(adjusted_at.get(v.item, 0) for v in product.variants)])

    def _stamp(self, item: Item, *edited: Item | Variant | Product) -> None:
        """Move the stamps that an edit of these records moves."""
        stamped: list[Item | Variant | Product] = list(edited)
        if self.stamps is Stamps.VARIANT:
            stamped = list(item.variants)
        elif self.stamps is Stamps.ALL:
            stamped += [item, *item.variants, *(variant.product for variant in item.variants)]
        for record in stamped:
            record.updated_at = self.now()
