"""The alert rules and the dashboard use valid PromQL and metrics that /metrics prints.

promtool checks the rules as Prometheus reads them, and plays them against series, where there is
one on the PATH (Debian's package `prometheus` has it). A running Grafana is not part of this:
its own types load the dashboard.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families

from invsyncd.cli import group
from invsyncd.metrics import Metrics

ROOT = Path(__file__).parents[3]
RULES = ROOT / "monitoring" / "invsyncd.rules.yml"
BOARD = ROOT / "monitoring" / "invsyncd-dashboard.json"
PLAY = Path(__file__).parent / "rules_test.yml"
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
SUBJECTS = {
    "ready",
    "last_success_timestamp_seconds",
    "paused",
    "authorised",
    "held_items",
    "undelivered_oldest_timestamp_seconds",
    "shopify_throttled_total",
    "refresh_token_expiry_timestamp_seconds",
}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(BOARD.read_text())
    return found


def targets() -> list[dict[str, Any]]:
    return [target for panel in board()["panels"] for target in panel["targets"]]


def filled_in(expr: str) -> str:
    """As Grafana would send it."""
    return expr.replace("$__rate_interval", "5m").replace("$instance", ".*")


EXPRESSIONS = [
    *(rule["expr"] for rule in rules()),
    *(filled_in(target["expr"]) for target in targets()),
]


def selected(node: Any) -> Iterator[tuple[str, set[str]]]:
    """Every metric that an expression asks for, with the labels that it filters by."""
    if isinstance(node, promql_parser.VectorSelector):
        labels = {matcher.name for matcher in node.matchers.matchers}
        yield str(node.name), labels
    for name in ("expr", "lhs", "rhs", "vector_selector", "args", "param"):
        inner = getattr(node, name, None)
        if isinstance(inner, list):
            for part in inner:
                yield from selected(part)
        elif inner is not None:
            yield from selected(inner)


def printed() -> set[str]:
    """Every name that /metrics prints samples of, once everything has happened."""
    found = set()
    for family in text_string_to_metric_families(Metrics().text().decode()):
        found |= {family.name + suffix for suffix in SUFFIXES.get(family.type, ("",))}
    return found


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_every_expression_is_promql_and_asks_for_what_is_printed(expr: str) -> None:
    asked = {name for name, _ in selected(promql_parser.parse(expr))}
    assert asked
    assert asked <= printed()
    # What the walk finds is all that stands there: a metric that it overlooked would go unchecked.
    assert set(re.findall(r"invsyncd_[a-z_]+", expr)) == asked


def test_the_rules_speak_of_everything_that_can_go_wrong() -> None:
    text = " ".join(rule["expr"] for rule in rules())
    assert {name for name in SUBJECTS if f"invsyncd_{name}" not in text} == set()


def test_every_rule_says_how_bad_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description"}


def test_commands_in_the_rules_are_commands() -> None:
    text = RULES.read_text()
    assert set(re.findall(r"[ :]invsyncd ([a-z-]+)", text)) - {"is"} <= set(group.commands)


def test_metrics_are_named_by_the_conventions() -> None:
    for family in text_string_to_metric_families(Metrics().text().decode()):
        assert family.name.startswith("invsyncd_")
        assert not re.search(r"_(ms|minutes|percent|count|bucket|sum)$", family.name)
        assert (family.type == "counter") == (f"{family.name}_total" in printed())
        assert "total" not in family.name


def test_each_panel_has_an_id_a_place_and_a_target_of_its_own() -> None:
    panels = board()["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids)
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs
        assert len(set(refs)) == len(refs)


def test_panels_do_not_overlap() -> None:
    cells: list[tuple[int, int]] = []
    for panel in board()["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        rows, columns = range(at["y"], at["y"] + at["h"]), range(at["x"], at["x"] + at["w"])
        cells += itertools.product(columns, rows)
    assert len(set(cells)) == len(cells)


def test_nothing_is_tied_to_one_data_source_or_one_daemon() -> None:
    variables = {variable["name"]: variable for variable in board()["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    sources = re.findall(r'"uid": "([^"]+)"', json.dumps(board()))
    assert set(sources) == {"${datasource}", "invsyncd"}
    for target in targets():
        for _, labels in selected(promql_parser.parse(filled_in(target["expr"]))):
            assert "instance" in labels


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """What stands in `given` and not in `kept`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        inner = [lost(given[k], kept[k], f"{path}.{k}") for k in given if k in kept]
        return [f"{path}.{k}" for k in given if k not in kept] + list(itertools.chain(*inner))
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        pairs = enumerate(zip(given, kept, strict=True))
        return list(itertools.chain(*(lost(a, b, f"{path}[{at}]") for at, (a, b) in pairs)))
    return [] if given == kept else [path]


def test_grafana_s_own_types_load_the_dashboard_and_lose_nothing() -> None:
    register_default_plugins()
    loaded = Dashboard.from_json(board())
    assert lost(board(), json.loads(JSONEncoder().encode(loaded))) == []
    assert len(loaded.panels or []) == 15


needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")


def promtool(*arguments: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["promtool", *arguments], input=given, capture_output=True, check=False)


@needs_promtool
def test_prometheus_takes_the_rules() -> None:
    done = promtool("check", "rules", RULES)
    assert (done.returncode, b"10 rules found" in done.stdout) == (0, True), done.stderr


@needs_promtool
def test_each_alert_fires_when_it_should_and_not_before() -> None:
    done = promtool("test", "rules", PLAY)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_has_nothing_to_say_about_the_metrics() -> None:
    done = promtool("check", "metrics", given=Metrics().text())
    assert (done.returncode, done.stderr) == (0, b"")
