"""The Shopify side: polls, commits what changed, and delivers."""
