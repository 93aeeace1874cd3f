"""A right configuration, ways to spoil it, and the problems that `load` then reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from invsyncd.config import ConfigProblems, Settings, load

GONE = object()
"""As a change: take the key away."""

RIGHT: dict[str, Any] = {
    "shopify": {"shop": "acme.myshopify.com", "access_token": "shpat_right"},
    "mirror": {"enabled": True},
    "tiktok": {
        "enabled": True,
        "app_key": "key",
        "app_secret": "secret",
        "mapping": [{"locations": ["*"], "warehouse": "7"}],
    },
}

A_TO_1 = {"locations": ["A"], "warehouse": "1"}
OVERRIDE = {"skus": ["TEE-*"], "percent": 50}
LINK = {"sku": "TEE-M", "product_id": "1", "sku_id": "2"}


def config(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """RIGHT with some dotted keys changed."""
    data = deepcopy(RIGHT)
    for key, value in (changes or {}).items():
        *path, leaf = key.split(".")
        place = data
        for part in path:
            place = place.setdefault(part, {})
        if value is GONE:
            del place[leaf]
        else:
            place[leaf] = value
    return data


def toml(value: object) -> str:
    """Write a value as inline TOML; a mapping at the top becomes `key = value` lines."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(part) for part in value) + "]"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    return repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write(directory: Path, data: Mapping[str, Any] | str) -> Path:
    path = directory / "config.toml"
    if not isinstance(data, str):
        data = "".join(f"{_quoted(key)} = {toml(value)}\n" for key, value in data.items())
    path.write_text(data, encoding="utf-8", newline="")
    return path


def loaded(
    directory: Path,
    changes: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    return load(write(directory, config(changes)), environ or {})


def told(
    directory: Path,
    changes: Mapping[str, Any] | str | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """What is said of each key; nothing when the configuration is taken."""
    data = changes if isinstance(changes, str) else config(changes)
    try:
        load(write(directory, data), environ or {})
    except ConfigProblems as problems:
        said: dict[str, str] = {}
        for problem in problems.problems:
            text = f"{problem.message}. {problem.advice}"
            said[problem.key] = f"{said[problem.key]} | {text}" if problem.key in said else text
        return said
    return {}


DEFAULTS = {
    "secrets_dir": None,
    "shopify.api_version": "2026-10",
    "shopify.endpoint": "https://acme.myshopify.com",
    "poll.interval_s": 2,
    "poll.budget_percent": 10,
    "poll.interval_min_s": 2,
    "poll.overlap_s": 120,
    "poll.catalogue_interval_s": 300,
    "poll.full_scan_interval_s": 86400,
    "mirror.product_types": (),
    "mirror.locations": (),
    "mirror.exclude_locations": (),
    "mirror.unlevelled": "follow",
    "mirror.on_conflict": "lowest",
    "mirror.sale_max": 10,
    "tiktok.endpoint": "https://open-api.tiktokglobalshop.com",
    "tiktok.auth_endpoint": "https://auth.tiktok-shops.com",
    "tiktok.percent": 100,
    "tiktok.reserve": 0,
    "tiktok.zero_at": 0,
    "tiktok.cap": None,
    "tiktok.unlimited_quantity": 999999,
    "tiktok.order_hold_s": 4500,
    "tiktok.count_mirrored": "once",
    "tiktok.bundles": "own",
    "tiktok.audit_interval_s": 900,
    "tiktok.listing_interval_s": 900,
    "tiktok.full_discovery_interval_s": 86400,
    "tiktok.exclude_locations": (),
    "tiktok.override": (),
    "tiktok.link": (),
    "guard.max_zeroed_percent": 30,
    "guard.max_changed_percent": 0,
    "server.listen": "127.0.0.1:8787",
    "server.token": None,
    "server.allowed_hosts": (),
    "server.actions": False,
    "server.public_url": None,
    "state.path": Path("/var/lib/invsyncd/state.db"),
    "alerts.urls": (),
    "alerts.stale_after_s": 300,
    "daemon.shutdown_s": 20,
    "log.format": "text",
    "log.level": "info",
}


def value_at(settings: Settings, key: str) -> object:
    value: object = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


def secret_at(settings: Settings, key: str) -> str:
    value: Any = value_at(settings, key)
    return str(value.get_secret_value())


def put(path: Path, text: str, mode: int = 0o600) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    path.chmod(mode)
