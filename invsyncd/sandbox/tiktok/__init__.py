"""A fake TikTok Shop: the truth of a marketplace, and an Open API that shows it."""
