"""Requests to other servers: sending, retries and rates, without knowledge of any API."""
