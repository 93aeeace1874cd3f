"""Prometheus metrics of the daemon, named by its conventions; item and SKU are never labels.

Each running daemon has one registry. There is no global state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from invsyncd import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Points(Protocol):
    """What the Shopify client knows of its bucket: points, points per second, refusals."""

    @property
    def available(self) -> float:
        """Points left."""

    @property
    def restore_rate(self) -> float:
        """Points restored per second."""

    @property
    def others_per_s(self) -> float:
        """Points per second that other programs take."""

    @property
    def throttled(self) -> int:
        """The number of answers that asked us to slow down."""


class LabelledCounter(Collector):
    """A counter whose value another object keeps and gives at each scrape.

    The library's own counter cannot do that. The value may begin at 0 again, as after a reload;
    Prometheus takes that for a restart.
    """

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self._name, self._text = name, text
        self._function: Callable[[], float] = lambda: 0
        registry.register(self)

    def set_function(self, function: Callable[[], float]) -> None:
        """Set the function that gives the value."""
        self._function = function

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The present value."""
        yield CounterMetricFamily(self._name, self._text, value=self._function())


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
        self.tasks = gauge("tasks", "asyncio tasks that have not ended; a steady rise is a leak")
        self.passes = counter("passes_total", "Passes by result", "result")
        self.pass_seconds = Histogram(
            "invsyncd_pass_duration_seconds",
            "Duration of a pass up to its last confirmed Shopify write",
            registry=self.registry,
        )
        self.lag_seconds = Histogram(
            "invsyncd_change_to_target_seconds",
            "Seconds from a change, by Shopify's stamp, to its first confirmed write",
            ("target",),
            registry=self.registry,
            buckets=(1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 900, 3600),
        )
        self.changes = counter("changes_total", "True deltas of available")
        self.contradictions = counter("contradictions_total", "Contradictory counts")
        self.writes = counter("writes_total", "Writes by target and outcome", "target", "outcome")
        self.undelivered = gauge("undelivered_writes", "Writes that are owed", "target")
        self.undelivered_since = gauge(
            "undelivered_oldest_timestamp_seconds",
            "Since when the oldest owed write has waited; 0 if none is owed",
            "target",
        )
        self._of_targets(gauge)
        self._of_requests(counter, gauge)

    def _of_targets(self, gauge: Callable[..., Gauge]) -> None:
        self.held = gauge("held_items", "Items on hold until somebody resolves them")
        self.authorised = gauge("authorised", "1 while our credentials are accepted", "target")
        self.paused = gauge("paused", "1 while the target waits for a resume", "target")
        self.refresh_ends = gauge(
            "refresh_token_expiry_timestamp_seconds",
            "When the target's authorisation ends; a refresh does not extend it",
            "target",
        )
        self.last_success = gauge(
            "last_success_timestamp_seconds", "Last round that went well", "target"
        )
        self.other_writers = gauge(
            "tiktok_other_writer_listings", "Listings that another program writes too", "target"
        )

    def _of_requests(self, counter: Callable[..., Counter], gauge: Callable[..., Gauge]) -> None:
        self.requests = counter("http_requests_total", "Requests by outcome", "api", "op", "code")
        self.request_seconds = Histogram(
            "invsyncd_http_request_duration_seconds",
            "Duration of requests",
            ("api", "op"),
            registry=self.registry,
        )
        self.api_outdated = gauge(
            "shopify_api_outdated", "1 while Shopify serves another version, or says that ours ends"
        )
        self._points = gauge("shopify_points_available", "Points left in Shopify's bucket")
        self._points_rate = gauge("shopify_points_restore_rate", "Points restored per second")
        self._points_others = gauge(
            "shopify_points_others_rate",
            "Points per second that other programs seem to take from the same bucket",
        )
        self._throttled = LabelledCounter(
            "invsyncd_shopify_throttled_total", "Answers that asked to slow down", self.registry
        )

    def forget(self, target: str) -> None:
        """Remove the gauges of a target that is no longer served. Its counters stay."""
        for gauge in (
            self.undelivered,
            self.undelivered_since,
            self.authorised,
            self.paused,
            self.refresh_ends,
            self.last_success,
            self.other_writers,
        ):
            gauge.remove(target)

    def follow_points(self, stats: Callable[[], Points]) -> None:
        """Set the function that gives Shopify's points; called at each scrape."""
        self._points.set_function(lambda: stats().available)
        self._points_rate.set_function(lambda: stats().restore_rate)
        self._points_others.set_function(lambda: stats().others_per_s)
        self._throttled.set_function(lambda: stats().throttled)

    def on_request(self, api: str, op: str, code: int | str, seconds: float) -> None:
        """Count one request; called by `net.http`."""
        self.requests.labels(api, op, str(code)).inc()
        self.request_seconds.labels(api, op).observe(seconds)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
