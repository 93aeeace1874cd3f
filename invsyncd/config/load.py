"""Loads Settings from all sources, or reports every problem at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from invsyncd.config.draft import broken_rules
from invsyncd.config.fields import every_key
from invsyncd.config.problems import ConfigProblems, Problem, from_details, unknown
from invsyncd.config.settings import Settings
from invsyncd.config.sources import (
    UNREAD,
    Document,
    Sources,
    anchored,
    is_secret,
    leaves,
    read_toml,
)
from invsyncd.config.unit import Unit, closed_stores, unit_of
from invsyncd.errors import ConfigError
from invsyncd.text import listed

SYSTEM_CONFIG = Path("/etc/invsyncd/config.toml")


def find_config(
    explicit: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    system: Path = SYSTEM_CONFIG,
) -> Path:
    """Find the file: --config, then $INVSYNCD_CONFIG, then ./config.toml, then /etc.

    A file that was named is returned as it is: if it is missing, `load` reports that.
    """
    named = explicit or environ.get("INVSYNCD_CONFIG")
    if named:
        return cwd / named
    candidates = (cwd / "config.toml", system)
    for path in candidates:
        if os.path.lexists(path):
            return path
    raise ConfigError(
        "no configuration found: --config and $INVSYNCD_CONFIG are not given, and there is neither "
        f"{candidates[0]} nor {candidates[1]}",
        advice="run `invsyncd init`, which asks and writes one, or start `invsyncd sandbox`, which "
        "writes one that works at once",
    )


def load(
    path: Path, environ: Mapping[str, str] = os.environ, *, needs_secrets: bool = True
) -> Settings:
    """Read, merge and check one configuration.

    If no secrets are needed, one that is missing or cannot be read is no problem. Its value is then
    UNREAD, and is never to be sent anywhere.
    """
    document = read_toml(path)
    sources = Sources(environ, path.parent)
    sources.take_environment()
    sources.take_secret_files(sources.values.get(("secrets_dir",), document.get("secrets_dir")))
    unit = unit_of(path)
    sources.take_unit(unit, document)
    merged = _completed(sources.over(document), path.parent)
    if not needs_secrets:
        _without_secrets(merged)
    known = {key: field.description for key, field in every_key(Settings)}
    unknown_names = [name for name in merged if name not in Settings.model_fields]
    secret_problems = sources.secret_problems if needs_secrets else ()
    problems = [
        *sources.problems,
        *secret_problems,
        *(unknown((name,), known) for name in unknown_names),
    ]
    # Unknown names are removed: some would be arguments of Settings itself (`_env_file`).
    for name in unknown_names:
        del merged[name]
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        problems += from_details(details, known)
        problems += broken_rules(Settings, merged)
    else:
        if not problems:
            return settings
    # Raised outside the except clause, so that the library's error, which holds the input, is not
    # chained.
    presented = _presented(problems, sources.origins)
    advice = _where_secrets_are(presented, unit) if unit is not None else ""
    raise ConfigProblems(str(path), presented, advice=advice)


def _without_secrets(document: Document) -> None:
    """Put UNREAD where a secret is required and missing."""
    shopify, tiktok = document["shopify"], document["tiktok"]
    if isinstance(shopify, dict) and not {"access_token", "client_secret"} & set(shopify):
        shopify["client_secret" if "client_id" in shopify else "access_token"] = UNREAD
    if isinstance(tiktok, dict) and tiktok.get("enabled"):
        tiktok.setdefault("app_secret", UNREAD)
    server = document.get("server")
    if isinstance(server, dict) and ("listen" in server or "actions" in server):
        server.setdefault("token", UNREAD)


def _where_secrets_are(problems: Iterable[Problem], unit: Unit) -> str:
    """What to do where a secret is missing, and this user may not read the unit's store."""
    secrets = {key for key, field in leaves() if is_secret(field)}
    closed = closed_stores(unit)
    if not closed or secrets.isdisjoint(problem.key for problem in problems):
        return ""
    return f"run it as root: the unit's secrets are in {listed(closed)}, which you may not read"


def _completed(document: Document, base: Path) -> Document:
    """Add absent sections and make paths absolute, so that messages are precise.

    Without a [tiktok] section, the problem then names tiktok.enabled, which the operator must set.
    """
    for name in ("shopify", "mirror", "tiktok"):
        document.setdefault(name, {})
    for table, key in ((document, "secrets_dir"), (document.get("state"), "path")):
        if isinstance(table, dict) and isinstance(table.get(key), str) and table[key]:
            table[key] = anchored(table[key], base)
    return document


def _presented(problems: Iterable[Problem], origins: Mapping[str, str]) -> list[Problem]:
    """Sort by section, as in the example file, and name the source of values from elsewhere."""
    order = {name: at for at, name in enumerate(Settings.model_fields)}

    def position(problem: Problem) -> int:
        return order.get(problem.key.partition(".")[0].partition("[")[0], -1)

    def with_origin(problem: Problem) -> Problem:
        origin = origins.get(problem.key.partition("[")[0])
        if origin is None or origin in problem.message:
            return problem
        return replace(problem, message=f"{problem.message} (set by {origin})")

    return [with_origin(problem) for problem in sorted(dict.fromkeys(problems), key=position)]
