"""Reads the result of pip-audit: whether anything in the lock files is known to be vulnerable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit. `found` has a sentence a vulnerability; `unknown` are names."""

    looked_up: int
    unknown: Sequence[str]
    found: Sequence[str]

    @property
    def says(self) -> str:
        """One line for people. It tells an audit without lookups from one without findings."""
        if not self.looked_up:
            return "not audited: the registry has no data on vulnerabilities"
        missing = f"; no data on {', '.join(self.unknown)}" if self.unknown else ""
        return f"{self.looked_up} requirements audited, {len(self.found)} vulnerabilities{missing}"


def read(report: str) -> Audit:
    """Read pip-audit's JSON; ValueError for anything else."""
    dependencies = json.loads(report)["dependencies"]
    known = [one for one in dependencies if "skip_reason" not in one]
    found = [
        f"{one['name']} {one['version']}: {bad['id']}, fixed in {_versions(bad)}"
        for one in known
        for bad in one["vulns"]
    ]
    unknown = sorted(one["name"] for one in dependencies if "skip_reason" in one)
    return Audit(len(known), unknown, found)


def _versions(vulnerability: dict[str, list[str]]) -> str:
    return ", ".join(vulnerability["fix_versions"]) or "no version yet"
