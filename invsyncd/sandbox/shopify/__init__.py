"""A fake Shopify: the true state of a shop, and an Admin GraphQL API in front of it."""
