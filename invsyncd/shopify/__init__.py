"""Shopify's Admin GraphQL API, spoken strictly: what it cannot mean is Garbled, never guessed."""
