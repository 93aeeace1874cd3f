"""Shopify's Admin GraphQL API. An answer that breaks its promises is refused, never guessed."""
