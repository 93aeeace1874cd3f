"""The TikTok side: finds the listings, reads their stock, delivers what they should show."""
