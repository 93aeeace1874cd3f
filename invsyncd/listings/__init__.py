"""The TikTok side: find the listings, read their stock, deliver what they should show."""
