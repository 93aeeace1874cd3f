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
from invsyncd.config.sources import Document, Sources, anchored, read_toml
from invsyncd.errors import ConfigError

SYSTEM_CONFIG = Path("/etc/invsyncd/config.toml")


def find_config(
    explicit: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    system: Path = SYSTEM_CONFIG,
) -> Path:
    """Find the file: --config, then $INVSYNCD_CONFIG, then ./config.toml, then /etc.

    A file that was named is not looked for: if it is missing, `load` says so.
    """
    named = explicit or environ.get("INVSYNCD_CONFIG")
    if named:
        return cwd / named
    places = (cwd / "config.toml", system)
    for place in places:
        if os.path.lexists(place):
            return place
    looked = ", ".join(str(place) for place in places)
    raise ConfigError(
        f"no configuration found; looked at --config and $INVSYNCD_CONFIG (not given), {looked}",
        advice="copy config.example.toml to config.toml and fill it in, or start "
        "`invsyncd sandbox`, which writes one that works at once",
    )


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read, merge and check one configuration."""
    document = read_toml(path)
    sources = Sources(environ, path.parent)
    sources.take_environment()
    sources.take_secret_files(sources.values.get(("secrets_dir",), document.get("secrets_dir")))
    merged = _whole(sources.over(document), path.parent)
    known = {key: field.description for key, field in every_key(Settings)}
    strangers = [name for name in merged if name not in Settings.model_fields]
    problems = [*sources.problems, *(unknown((name,), known) for name in strangers)]
    # Unknown names stop here: some would be arguments of Settings itself (`_env_file`).
    for name in strangers:
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
    # Outside the except clause: the library's own error, which knows the input, is not chained.
    raise ConfigProblems(str(path), _told(problems, sources.origins))


def _whole(document: Document, base: Path) -> Document:
    """Fill in what makes messages precise: absent sections, absolute paths.

    With an empty [tiktok] it is tiktok.enabled that is missing, which is what the operator needs.
    """
    for name in ("shopify", "mirror", "tiktok"):
        document.setdefault(name, {})
    for place, key in ((document, "secrets_dir"), (document.get("state"), "path")):
        if isinstance(place, dict) and isinstance(place.get(key), str) and place[key]:
            place[key] = anchored(place[key], base)
    return document


def _told(problems: Iterable[Problem], origins: Mapping[str, str]) -> list[Problem]:
    """Sort by section, as in the example file, and say which values did not come from the file."""
    order = {name: at for at, name in enumerate(Settings.model_fields)}

    def place(problem: Problem) -> int:
        return order.get(problem.key.partition(".")[0].partition("[")[0], -1)

    def told(problem: Problem) -> Problem:
        origin = origins.get(problem.key.partition("[")[0])
        if origin is None or origin in problem.message:
            return problem
        return replace(problem, message=f"{problem.message} (set by {origin})")

    return [told(problem) for problem in sorted(dict.fromkeys(problems), key=place)]
