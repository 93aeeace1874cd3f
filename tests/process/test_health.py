"""Readiness and liveness as the contract states them, by a clock that the test holds."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from invsyncd import __version__
from invsyncd.core.model import Target
from invsyncd.metrics import CONTENT_TYPE, Metrics
from invsyncd.status.health import Health

START = 1_795_300_000.0
INTERVAL_S = 15


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    """Everything as it should be."""
    made = Health(clock, INTERVAL_S, list(Target))
    made.baseline = True
    made.location_names = {1: "Berlin", 2: "Hamburg", 3: "Munich"}
    made.read_at = {1: START, 2: START}
    for target in Target:
        made.went_well(target)
    return made


def reasons(health: Health) -> list[str]:
    """Why it is not ready; empty when it is."""
    ready, document = health.document()
    failed = [name for name, (check,) in document["checks"].items() if check["status"] == "fail"]
    assert ready is (not failed)
    assert document["status"] == ("pass" if ready else "fail")
    assert all(document["checks"][name][0].get("output") for name in failed)
    return failed


def test_a_process_that_only_just_started_is_not_ready(clock: Clock) -> None:
    assert reasons(Health(clock, INTERVAL_S, list(Target))) == [
        "baseline",
        "shopify:authorised",
        "tiktok:authorised",
    ]


def test_it_is_ready_when_nothing_is_wrong(health: Health) -> None:
    assert reasons(health) == []
    assert health.document()[1]["notes"] == []


def test_without_a_complete_baseline_it_is_not_ready(health: Health) -> None:
    health.baseline = False
    assert reasons(health) == ["baseline"]


def test_a_location_may_be_3_intervals_and_30_s_old_and_no_older(
    health: Health, clock: Clock
) -> None:
    clock.now = START + 3 * INTERVAL_S + 30
    assert reasons(health) == []
    clock.now += 1
    health.read_at[2] = clock.now
    assert reasons(health) == ["shopify:poll_age:Berlin"]
    assert 'location "Berlin" was last read 76 s ago' in health.document()[1]["notes"]


def test_a_location_that_was_never_read_is_a_reason(health: Health) -> None:
    health.read_at[3] = None
    assert reasons(health) == ["shopify:poll_age:Munich"]
    assert 'location "Munich" was never read' in health.document()[1]["notes"]


@pytest.mark.parametrize("target", Target)
def test_a_target_that_takes_no_credentials_is_a_reason_until_it_takes_them(
    health: Health, target: Target
) -> None:
    assert health.unauthorised(target, "HTTP 401")
    assert reasons(health) == [f"{target.value}:authorised"]
    assert f"{target.value}: HTTP 401" in health.document()[1]["notes"]
    assert health.went_well(target)
    assert reasons(health) == []


def test_other_trouble_is_named_before_it_makes_anything_old(health: Health) -> None:
    health.troubled(Target.TIKTOK, "no answer within 30 s")
    assert reasons(health) == []
    assert health.document()[1]["notes"] == ["tiktok: no answer within 30 s"]


def test_trouble_after_dead_credentials_does_not_mean_that_they_live(health: Health) -> None:
    health.unauthorised(Target.SHOPIFY, "HTTP 401")
    health.troubled(Target.SHOPIFY, "no answer within 30 s")
    assert reasons(health) == ["shopify:authorised"]


@pytest.mark.parametrize("target", Target)
def test_a_paused_target_is_a_reason(health: Health, target: Target) -> None:
    health.targets[target].paused = "12 of 20 listings would show 0"
    assert reasons(health) == [f"{target.value}:paused"]
    assert "12 of 20 listings would show 0" in health.document()[1]["notes"]


@pytest.mark.parametrize("target", Target)
def test_an_undelivered_write_may_be_5_minutes_old_and_no_older(
    health: Health, clock: Clock, target: Target
) -> None:
    def berlin_moves_on() -> None:
        health.read_at = dict.fromkeys(health.read_at, clock.now)

    health.undelivered(target, [(1, 1)], 1)
    clock.now += 200
    health.undelivered(target, [(1, 1), (2, 1)], 2)
    clock.now += 100
    berlin_moves_on()
    assert reasons(health) == []
    clock.now += 1
    assert reasons(health) == [f"{target.value}:undelivered_age"]
    notes = health.document()[1]["notes"]
    assert any(x.startswith(f"{target.value}: 2 writes wait, the oldest 301 s (") for x in notes)
    health.undelivered(target, [(2, 1)], 1)
    assert reasons(health) == []


def test_a_write_that_is_owed_again_is_young_again(health: Health, clock: Clock) -> None:
    health.undelivered(Target.TIKTOK, [("1", "a")], 1)
    health.undelivered(Target.TIKTOK, [], 0)
    clock.now += 400
    health.undelivered(Target.TIKTOK, [("1", "a")], 1)
    assert health.targets[Target.TIKTOK].oldest_undelivered == clock.now


def test_a_target_that_is_not_enabled_is_no_reason(clock: Clock) -> None:
    health = Health(clock, INTERVAL_S, [Target.SHOPIFY])
    health.baseline = True
    health.went_well(Target.SHOPIFY)
    for tell in (health.unauthorised, health.troubled):
        assert tell(Target.TIKTOK, "whatever") is False
    assert health.went_well(Target.TIKTOK) is False
    assert reasons(health) == []


@pytest.mark.parametrize(
    "tell", [Health.unauthorised, Health.troubled], ids=["unauthorised", "troubled"]
)
def test_only_a_transition_is_news(
    health: Health, tell: Callable[[Health, Target, str], bool]
) -> None:
    assert tell(health, Target.TIKTOK, "HTTP 500")
    assert not tell(health, Target.TIKTOK, "HTTP 500")
    assert tell(health, Target.TIKTOK, "HTTP 502")
    assert health.went_well(Target.TIKTOK)
    assert not health.went_well(Target.TIKTOK)


def test_a_reload_does_not_make_it_less_ready(health: Health, clock: Clock) -> None:
    clock.now += 10
    after = Health(clock, INTERVAL_S, list(Target))
    after.carry_over(health)
    assert reasons(after) == []
    assert after.started_at == START


def test_a_reload_that_switches_a_target_on_waits_for_it(clock: Clock) -> None:
    before = Health(clock, INTERVAL_S, [Target.SHOPIFY])
    before.baseline = True
    before.went_well(Target.SHOPIFY)
    after = Health(clock, INTERVAL_S, list(Target))
    after.carry_over(before)
    assert reasons(after) == ["tiktok:authorised"]


def test_status_has_plain_times_and_every_reason(health: Health) -> None:
    health.unauthorised(Target.TIKTOK, "HTTP 401")
    status = health.status()
    assert status["ready"] is False
    assert status["reasons"] == ["tiktok: HTTP 401"]
    assert status["started_at"] == status["locations"]["Berlin"] == "2026-11-21T22:26:40+00:00"
    assert status["targets"]["tiktok"] == {
        "authorised": False,
        "trouble": "HTTP 401",
        "paused": "",
        "undelivered": 0,
    }


NAMES = {
    "invsyncd_build_info",
    "invsyncd_ready",
    "invsyncd_passes_total",
    "invsyncd_pass_duration_seconds_bucket",
    "invsyncd_changes_total",
    "invsyncd_contradictions_total",
    "invsyncd_writes_total",
    "invsyncd_undelivered_writes",
    "invsyncd_undelivered_oldest_timestamp_seconds",
    "invsyncd_held_items",
    "invsyncd_authorised",
    "invsyncd_last_success_timestamp_seconds",
    "invsyncd_http_requests_total",
    "invsyncd_http_request_duration_seconds_bucket",
}


def test_metrics_parse_and_follow_the_naming_conventions() -> None:
    metrics = Metrics()
    metrics.on_request("shopify", "POLL", 200, 0.1)
    metrics.passes.labels("ok").inc()
    for target in Target:
        metrics.writes.labels(target.value, "applied").inc()
        for gauge in (
            metrics.undelivered,
            metrics.undelivered_since,
            metrics.authorised,
            metrics.last_success,
        ):
            gauge.labels(target.value).set(1)
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(metrics.text().decode()))
    samples = [sample for family in families for sample in family.samples]
    assert {sample.name for sample in samples} >= NAMES
    assert all(re.fullmatch(r"invsyncd_[a-z_]+", sample.name) for sample in samples)
    assert all(family.documentation for family in families)
    labels = {label for sample in samples for label in sample.labels}
    assert labels.isdisjoint({"sku", "item", "location"})
    build = next(sample for sample in samples if sample.name == "invsyncd_build_info")
    assert (build.labels, build.value) == ({"version": __version__}, 1)


def test_two_daemons_in_one_process_do_not_share_their_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.changes.inc()
    assert b"invsyncd_changes_total 1.0" in one.text()
    assert b"invsyncd_changes_total 0.0" in other.text()


def test_a_database_that_cannot_be_written_is_a_reason_by_itself(health: Health) -> None:
    health.state_trouble[Target.SHOPIFY] = "the state database cannot be used: disk is full"
    assert reasons(health) == ["state:writable"]
    assert health.live()


def test_changes_from_before_a_target_was_switched_on_are_no_lag_of_it(clock: Clock) -> None:
    without = Health(clock, INTERVAL_S, [Target.SHOPIFY])
    without.latency.changed([("TEE", START)])
    clock.now += 7200
    health = Health(clock, INTERVAL_S, list(Target))
    health.carry_over(without)
    health.latency.arrived(Target.TIKTOK, "TEE")
    health.latency.arrived(Target.SHOPIFY, "TEE")
    told = health.latency.as_json(list(Target))["targets"]
    assert sum(quarter["count"] for quarter in told["tiktok"]["series"]) == 0
    assert sum(quarter["count"] for quarter in told["shopify"]["series"]) == 1
