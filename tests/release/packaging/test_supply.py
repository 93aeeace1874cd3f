"""The bill of materials lists what ships, and an audit claims no more than it looked up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from release.audit import read
from release.supply import PURLS, bill, machine_parts

PARTS = {"openssl": "3.0.17", "sqlite": "3.40.1"}


def component(name: str, version: str) -> dict[str, Any]:
    return {"name": name, "version": version, "bom-ref": f"{name}=={version}", "type": "library"}


def environment(*components: dict[str, Any]) -> str:
    return json.dumps(
        {
            "components": list(components),
            "dependencies": [{"ref": one["bom-ref"]} for one in components],
            "metadata": {"component": {"name": "invsyncd"}},
        }
    )


def test_the_bill_names_the_requirements_and_what_the_bundle_takes_from_the_machine() -> None:
    made = json.loads(bill(environment(component("yarl", "1.2")), "0.9.1", PARTS))
    assert [(one["name"], one["version"]) for one in made["components"]] == [
        ("yarl", "1.2"),
        ("openssl", "3.0.17"),
        ("sqlite", "3.40.1"),
    ]
    assert made["metadata"]["component"] == {"name": "invsyncd", "version": "0.9.1"}


def test_what_only_installs_is_not_on_the_bill() -> None:
    found = environment(component("pip", "26"), component("yarl", "1.2"))
    made = json.loads(bill(found, "0.9.1", {}))
    assert [one["name"] for one in made["components"]] == ["yarl"]
    assert made["dependencies"] == [{"ref": "yarl==1.2"}]


def test_an_empty_bill_is_refused() -> None:
    with pytest.raises(SystemExit, match="names no component"):
        bill(environment(component("pip", "26")), "0.9.1", PARTS)


def test_every_part_of_this_machine_has_a_version_and_an_address() -> None:
    parts = machine_parts()
    assert set(parts) == set(PURLS)
    assert all(version[0].isdigit() for version in parts.values())


def report(*dependencies: dict[str, Any]) -> str:
    return json.dumps({"dependencies": list(dependencies), "fixes": []})


SAFE = {"name": "yarl", "version": "1.2", "vulns": []}
LOST = {"name": "rich", "skip_reason": "not found"}
BAD = {
    "name": "idna",
    "version": "3.1",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.2", "3.3"], "aliases": []}],
}


def test_a_known_vulnerability_is_named_with_the_versions_that_end_it() -> None:
    seen = read(report(SAFE, BAD))
    assert seen.found == ["idna 3.1: PYSEC-1, fixed in 3.2, 3.3"]
    assert seen.says == "2 requirements audited, 1 vulnerabilities"


def test_what_the_registry_does_not_know_is_said_and_never_counted_as_safe() -> None:
    assert read(report(SAFE, LOST)).says == (
        "1 requirements audited, 0 vulnerabilities; no data on rich"
    )
    assert read(report(LOST)).says.startswith("not audited")


def test_an_answer_without_dependencies_is_no_audit() -> None:
    for text in ("", "{}", "[]"):
        with pytest.raises((ValueError, KeyError, TypeError)):
            read(text)
