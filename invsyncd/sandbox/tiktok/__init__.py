"""A fake TikTok Shop: the true state of a marketplace, and an Open API in front of it."""
