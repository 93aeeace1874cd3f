"""A fake Shopify, a fake TikTok Shop, and the demo that runs the real daemon against them."""
