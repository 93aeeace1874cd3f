"""Commands that measure and print tables; nothing here passes or fails."""
