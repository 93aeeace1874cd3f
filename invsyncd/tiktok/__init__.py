"""TikTok Shop's Open API: signed calls, rotating tokens, listings and their stock."""
