"""The GraphQL documents of a look at the catalogue: what was updated, and all of it in bulk.

Which stamp an edit moves is documented for one case only: a stock adjustment updates the product.
So items, variants and products are each asked what was updated, and each answers with what it can
tell. Prices (by the recorded arithmetic): 13, 35 and 13 points for a full page, 2 each for an empty
one, 10 for the count, 18 for the variants of up to 250 products.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# limit: null counts to the end (documented); the default stops at 10,000.
COUNT_VARIANTS: Final = """
query CountVariants {
  productVariantsCount(limit: null) { count precision }
}
"""

UPDATED_ITEMS: Final = """
query UpdatedItems($after: String, $query: String!) {
  inventoryItems(first: 250, after: $after, query: $query) {
    edges { node { id sku tracked } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

UPDATED_VARIANTS: Final = """
query UpdatedVariants($after: String, $query: String!) {
  productVariants(first: 250, after: $after, query: $query) {
    edges {
      node {
        inventoryPolicy
        requiresComponents
        inventoryItem { id sku tracked }
        product { productType status }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

# Only type and status are asked for: stock that moves stamps the product (documented), so after a
# busy quarter of an hour these pages are full of products of which nothing else is new.
UPDATED_PRODUCTS: Final = """
query UpdatedProducts($after: String, $query: String!) {
  products(first: 250, after: $after, query: $query) {
    edges { node { id productType status } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

# nodes costs the same for one id and for many (recorded for 8), so products are asked for together.
PRODUCTS: Final = """
query Products($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Product {
      id
      productType
      status
      variants(first: 50) {
        edges { node { inventoryPolicy requiresComponents inventoryItem { id sku tracked } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

# A product has up to 2,048 variants (documented).
PRODUCT_VARIANTS: Final = """
query ProductVariants($id: ID!, $after: String) {
  product(id: $id) {
    id
    variants(first: 250, after: $after) {
      edges { node { inventoryPolicy requiresComponents inventoryItem { id sku tracked } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

# What a look at the whole catalogue runs in bulk: one line a variant. Not a request of its own.
CATALOGUE_ROWS: Final = """
{
  productVariants {
    edges {
      node {
        id
        inventoryPolicy
        requiresComponents
        inventoryItem { id sku tracked }
        product { id productType status }
      }
    }
  }
}
"""

# Which items still exist: a search never shows what was deleted.
EXISTING_ITEMS: Final = """
query ExistingItems($ids: [ID!]!) {
  nodes(ids: $ids) { id }
}
"""

CATALOGUE_ALL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "EXISTING_ITEMS": EXISTING_ITEMS,
        "COUNT_VARIANTS": COUNT_VARIANTS,
        "UPDATED_ITEMS": UPDATED_ITEMS,
        "UPDATED_VARIANTS": UPDATED_VARIANTS,
        "UPDATED_PRODUCTS": UPDATED_PRODUCTS,
        "PRODUCTS": PRODUCTS,
        "PRODUCT_VARIANTS": PRODUCT_VARIANTS,
    }
)
