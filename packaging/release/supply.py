"""Writes the CycloneDX bill of materials of a release.

The Python part comes from an environment that holds only the exact requirements. What the frozen
program also takes from the build machine is added by name and version.
"""

from __future__ import annotations

import json
import platform
import sqlite3
import ssl
import zlib
from collections.abc import Mapping
from typing import Any

NOT_SHIPPED = frozenset({"pip", "setuptools"})  # in every new environment, in no artefact

PURLS = {
    "cpython": "pkg:generic/cpython@{}",
    "openssl": "pkg:generic/openssl@{}",
    "sqlite": "pkg:generic/sqlite@{}",
    "zlib": "pkg:generic/zlib@{}",
}


def machine_parts() -> dict[str, str]:
    """Versions of what the bundle takes from this machine, by name."""
    return {
        "cpython": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION.split()[1],
        "sqlite": sqlite3.sqlite_version,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }


def bill(environment: str, version: str, parts: Mapping[str, str]) -> str:
    """The bill of one release as JSON, from what the tool says of the environment.

    `parts` are versions by name, as of `machine_parts`. SystemExit when the tool found nothing: an
    empty bill reads as "no dependencies".
    """
    made: dict[str, Any] = json.loads(environment)
    shipped = [one for one in made.get("components", []) if one["name"] not in NOT_SHIPPED]
    if not shipped:
        raise SystemExit("Error: the bill of materials names no component")
    gone = {one["bom-ref"] for one in made["components"]} - {one["bom-ref"] for one in shipped}
    made["components"] = shipped + [
        {
            "type": "library",
            "name": name,
            "version": found,
            "bom-ref": f"{name}@{found}",
            "purl": PURLS[name].format(found),
            "scope": "optional",  # only in the frozen program; elsewhere it is the system's own
        }
        for name, found in sorted(parts.items())
    ]
    made["dependencies"] = [one for one in made["dependencies"] if one["ref"] not in gone]
    made["metadata"]["component"]["version"] = version
    return json.dumps(made, indent=1, sort_keys=True) + "\n"
