"""invsyncd keeps Shopify locations and TikTok Shop listings at one true quantity."""

__version__ = "0.1.0"
