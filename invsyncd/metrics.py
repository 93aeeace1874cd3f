"""Prometheus metrics by its naming conventions; item and SKU are never labels.

One registry per running daemon, no global state.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from invsyncd import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Everything that the daemon counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"invsyncd_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"invsyncd_{name}", text, labels, registry=self.registry)

        self.build = gauge("build_info", "Constant 1, with the version as label", "version")
        self.build.labels(__version__).set(1)
        self.ready = gauge("ready", "1 when /readyz answers 200")
        self.passes = counter("passes_total", "Passes by result", "result")
        self.pass_seconds = Histogram(
            "invsyncd_pass_duration_seconds",
            "Duration of a pass up to its last confirmed Shopify write",
            registry=self.registry,
        )
        self.changes = counter("changes_total", "True deltas of available")
        self.contradictions = counter("contradictions_total", "Contradictory counts")
        self.writes = counter("writes_total", "Writes by target and outcome", "target", "outcome")
        self.undelivered = gauge("undelivered_writes", "Writes that are owed", "target")
        self.undelivered_since = gauge(
            "undelivered_oldest_timestamp_seconds",
            "Since when the oldest owed write waits; 0 when none does",
            "target",
        )
        self.held = gauge("held_items", "Items on hold until somebody resolves them")
        self.authorised = gauge("authorised", "1 while the target takes our credentials", "target")
        self.last_success = gauge(
            "last_success_timestamp_seconds", "Last round that went well", "target"
        )
        self.requests = counter("http_requests_total", "Requests by outcome", "api", "op", "code")
        self.request_seconds = Histogram(
            "invsyncd_http_request_duration_seconds",
            "Duration of requests",
            ("api", "op"),
            registry=self.registry,
        )
        self.points = gauge("shopify_points_available", "Points left in Shopify's bucket")
        self.points_rate = gauge("shopify_points_restore_rate", "Points restored per second")
        self.throttled = gauge("shopify_throttled", "Throttled answers since the start")

        self.other_writers = gauge(
            "tiktok_other_writer_listings", "Listings that another program writes too"
        )
        self.refresh_token_expires = gauge(
            "tiktok_refresh_token_expires_timestamp_seconds",
            "When the seller's authorisation ends; 0 while that is not known",
        )

    def on_request(self, api: str, op: str, code: int | str, seconds: float) -> None:
        """Count one request; what `net.http` calls."""
        self.requests.labels(api, op, str(code)).inc()
        self.request_seconds.labels(api, op).observe(seconds)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
