"""Every GraphQL document that we send, by name.

They are written for Admin API 2026-10; the tests check each one against the official schema. They
select few fields, because each costs points and some need scopes (`read_locations` for more than a
location's id). Connections are read through `edges`: an empty page then refunds almost all of its
price (recorded), `nodes` does not. Sizes stand in the text, so that one operation has one price.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from invsyncd.net.admission import Urgency
from invsyncd.shopify.catalogue_documents import CATALOGUE_ALL

CATALOGUE_URGENCY: Final[Mapping[str, Urgency]] = MappingProxyType(
    dict.fromkeys(CATALOGUE_ALL, Urgency.CATALOGUE)
)

LEVELS_PER_READ: Final = 250  # documented maximum of a list of ids, and of `first`
ITEMS_PER_READ: Final = 50
ITEMS_PER_CATALOGUE: Final = 100
IDS_PER_READ: Final = 250  # documented maximum of a list of ids

LOCATIONS: Final = """
query Locations($after: String) {
  locations(first: 250, after: $after, includeInactive: true, includeLegacy: true) {
    edges { node { id name isActive isFulfillmentService } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_LEVEL: Final = """
fragment Level on InventoryLevel {
  updatedAt
  isActive
  quantities(names: ["available", "committed", "on_hand", "incoming"]) { name quantity updatedAt }
}
"""

# includeInactive: a level that was deactivated must show itself, or it would look unchanged. The
# item is named by the level's own id (recorded), which spares eleven points a page: 25.
POLL: Final = (
    """
query Poll($location: ID!, $after: String, $query: String) {
  location(id: $location) {
    id
    isActive
    inventoryLevels(first: 250, after: $after, query: $query, includeInactive: true) {
      edges { node { id ...Level } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + _LEVEL
)

# The first pages of many locations at once, for the price of one: a list of objects costs the same
# whatever its length (recorded for other objects; the answer's cost shows whether it holds here).
POLL_TOGETHER: Final = (
    """
query PollTogether($locations: [ID!]!, $query: String!) {
  nodes(ids: $locations) {
    ... on Location {
      id
      isActive
      inventoryLevels(first: 250, query: $query, includeInactive: true) {
        edges { node { id ...Level } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""
    + _LEVEL
)

# The same pages without what stands in them: 14 points, and 3 to read what they list directly (a
# list of objects costs the same whatever its length: recorded to 8 ids, beyond it inferred).
LIST_LEVELS: Final = """
query ListLevels($location: ID!, $after: String, $query: String) {
  location(id: $location) {
    id
    isActive
    inventoryLevels(first: 250, after: $after, query: $query, includeInactive: true) {
      edges { node { id updatedAt } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

READ_LEVELS: Final = (
    """
query ReadLevels($ids: [ID!]!, $location: ID!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id
      inventoryLevel(locationId: $location, includeInactive: true) { ...Level }
    }
  }
}
"""
    + _LEVEL
)

READ_ITEMS: Final = (
    """
query ReadItems($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id
      inventoryLevels(first: 50, includeInactive: true) {
        edges { node { ...Level location { id } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""
    + _LEVEL
)

ITEM_LEVELS: Final = (
    """
query ItemLevels($id: ID!, $after: String) {
  inventoryItem(id: $id) {
    id
    inventoryLevels(first: 250, after: $after, includeInactive: true) {
      edges { node { ...Level location { id } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + _LEVEL
)

CATALOGUE: Final = """
query Catalogue($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id
      sku
      tracked
      variants(first: 20) {
        edges { node { inventoryPolicy requiresComponents product { productType status } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

ITEM_VARIANTS: Final = """
query ItemVariants($id: ID!, $after: String) {
  inventoryItem(id: $id) {
    id
    variants(first: 100, after: $after) {
      edges { node { inventoryPolicy requiresComponents product { productType status } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

# Asked only of bundles, because the connection would make every CATALOGUE dear: 24 points (by the
# recorded arithmetic) for up to 100 bundles. A bundle has up to 30 components, and none of them is
# a bundle (documented).
COMPONENTS: Final = """
query Components($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id
      variants(first: 2) {
        edges {
          node {
            requiresComponents
            productVariantComponents(first: 30) {
              edges { node { quantity productVariant { inventoryItem { id } } } }
              pageInfo { hasNextPage }
            }
          }
        }
        pageInfo { hasNextPage }
      }
    }
  }
}
"""

# createdAt of the group is the server's own time of the write; the group is null when every row
# already had its value (recorded).
SET_QUANTITIES: Final = """
mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { createdAt }
    userErrors { field message code }
  }
}
"""

# Counts come as strings, `url` is null until the end and for a file without rows (recorded).
RUN_SCAN: Final = """
mutation RunScan($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id createdAt }
    userErrors { field message code }
  }
}
"""

SCAN_STATUS: Final = """
query ScanStatus($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount url }
}
"""

# What a scan runs in bulk: not a request of its own, and nameless like every recorded one. Bulk
# operations ignore page sizes, want `edges { node` and the `id` of a parent (documented).
SCAN_ROWS: Final = """
{
  locations(includeInactive: true, includeLegacy: true) {
    edges {
      node {
        id
        inventoryLevels(includeInactive: true) {
          edges {
            node {
              id
              updatedAt
              isActive
              item { id }
              quantities(names: ["available", "committed", "on_hand", "incoming"]) {
                name
                quantity
                updatedAt
              }
            }
          }
        }
      }
    }
  }
}
"""

# The same for what was updated lately; `$since` stands for the filter, as nothing else takes one.
SCAN_ROWS_SINCE: Final = SCAN_ROWS.replace(
    "inventoryLevels(includeInactive: true)",
    'inventoryLevels(includeInactive: true, query: "$since")',
)

SCOPES: Final = """
query Scopes {
  currentAppInstallation { accessScopes { handle } }
}
"""

ALL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "LOCATIONS": LOCATIONS,
        "POLL": POLL,
        "POLL_TOGETHER": POLL_TOGETHER,
        "LIST_LEVELS": LIST_LEVELS,
        "READ_LEVELS": READ_LEVELS,
        "READ_ITEMS": READ_ITEMS,
        "ITEM_LEVELS": ITEM_LEVELS,
        "CATALOGUE": CATALOGUE,
        "ITEM_VARIANTS": ITEM_VARIANTS,
        "COMPONENTS": COMPONENTS,
        "SET_QUANTITIES": SET_QUANTITIES,
        "RUN_SCAN": RUN_SCAN,
        "SCAN_STATUS": SCAN_STATUS,
        "SCOPES": SCOPES,
        **CATALOGUE_ALL,
    }
)

URGENCY: Final[Mapping[str, Urgency]] = MappingProxyType(
    {
        "SET_QUANTITIES": Urgency.WRITE,
        "READ_ITEMS": Urgency.READ,
        "ITEM_LEVELS": Urgency.READ,
        "POLL": Urgency.POLL,
        "POLL_TOGETHER": Urgency.POLL,
        "LIST_LEVELS": Urgency.POLL,
        "READ_LEVELS": Urgency.POLL,
        "LOCATIONS": Urgency.POLL,
        "CATALOGUE": Urgency.CATALOGUE,
        "ITEM_VARIANTS": Urgency.CATALOGUE,
        "COMPONENTS": Urgency.CATALOGUE,
        "RUN_SCAN": Urgency.SCAN,
        "SCAN_STATUS": Urgency.SCAN,
        "SCOPES": Urgency.READ,
        **CATALOGUE_URGENCY,
    }
)
"""How long each operation's request may be passed by others; see `net.turns`."""
