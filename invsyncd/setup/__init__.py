"""The guided set-up: what to ask, what an answer means, what is tried, and what is written."""
