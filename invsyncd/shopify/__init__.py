"""Shopify's Admin GraphQL API: calls, parsing and errors. A broken answer is refused."""
