"""JSON to the catalogue of items: variants, products, what bundles are made of. Strict and pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from invsyncd.core.model import Catalogue, Component
from invsyncd.net.decode import Shape
from invsyncd.shopify.parse import nodes, number, whole_units


@dataclass(frozen=True, slots=True)
class Variants:
    """What some of an item's variants say."""

    continues: bool = False
    product_types: frozenset[str] = frozenset()
    on_sale: bool = False
    bundle: bool = False

    def __or__(self, other: Variants) -> Variants:
        return Variants(
            self.continues or other.continues,
            self.product_types | other.product_types,
            self.on_sale or other.on_sale,
            self.bundle or other.bundle,
        )


def variants(connection: Shape) -> Variants:
    """What one page of an item's variants says."""
    found = Variants()
    for node in nodes(connection):
        product = product_facts(node.at("product"))
        found |= Variants(
            continues(node.at("inventoryPolicy")),
            frozenset({product.type}),
            product.on_sale,
            node.at("requiresComponents").flag(),
        )
    return found


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What an item takes from its product. `on_sale`: neither a draft nor archived."""

    type: str
    on_sale: bool


def product_facts(product: Shape) -> ProductFacts:
    """Type and status of a product. Statuses are ACTIVE, ARCHIVED, DRAFT and UNLISTED (schema);
    who has the link can buy what is unlisted."""
    status = product.at("status").text()
    return _product_facts(product.at("productType").text(), status not in {"ARCHIVED", "DRAFT"})


# Few types, many products: the catalogue remembers the facts of some 50,000 of them.
_product_facts = lru_cache(maxsize=1024)(ProductFacts)


def continues(policy: Shape) -> bool:
    """Whether a variant of this inventory policy keeps selling when it is out of stock."""
    if policy.text() not in {"DENY", "CONTINUE"}:
        raise policy.garbled("neither DENY nor CONTINUE")
    return policy.text() == "CONTINUE"


def catalogue(node: Shape, found: Variants) -> Catalogue:
    """One item with what all its variants say."""
    sku = node.at("sku")
    return Catalogue(
        item=number(node.at("id"), "InventoryItem"),
        sku="" if sku.null else sku.text(),
        tracked=node.at("tracked").flag(),
        continues=found.continues,
        product_types=tuple(sorted(found.product_types)),
        on_sale=found.on_sale,
        bundle=found.bundle,
    )


def components(node: Shape) -> tuple[Component, ...]:
    """What one unit of an item takes, by the variants of it that are bundles.

    Raises InvalidResponse for a list that is not whole, and where two variants disagree.
    """
    found: set[tuple[Component, ...]] = set()
    connection = node.at("variants")
    for variant in _whole(connection):
        if variant.at("requiresComponents").flag():
            taken: dict[int, int] = {}
            for one in _whole(variant.at("productVariantComponents")):
                part = one.at("productVariant").at("inventoryItem").at("id")
                units = whole_units(one, "quantity")
                if units < 1:
                    raise one.at("quantity").garbled("a bundle takes at least 1 unit")
                item = number(part, "InventoryItem")
                taken[item] = taken.get(item, 0) + units
            found.add(tuple(sorted(Component(*pair) for pair in taken.items())))
    if len(found) > 1:
        raise connection.garbled("its variants are made of different components")
    return next(iter(found), ())


def _whole(connection: Shape) -> list[Shape]:
    """The nodes of a connection that has only one page."""
    if connection.at("pageInfo").at("hasNextPage").flag():
        raise connection.garbled("longer than Shopify documents")
    return nodes(connection)
