"""The Shopify side: poll, commit, deliver."""
