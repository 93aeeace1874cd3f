"""A fake Shopify: the truth of a shop, and an Admin GraphQL API that shows it."""
