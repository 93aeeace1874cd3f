"""What TAB offers beyond commands and options: SKUs and passes, from the state as it is.

The shell runs the program for it: `_INVSYNCD_COMPLETE=bash_source invsyncd` prints the function.
Whatever goes wrong, TAB offers nothing and says nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import click

from invsyncd.config import find_config, load
from invsyncd.core.journal import MOVES_POOL
from invsyncd.errors import InvsyncError
from invsyncd.store import read_only

MOST = 50
_LAST_CHAR = chr(0x10FFFF)


def skus(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """SKUs of items that begin like this."""
    rows = _rows(
        ctx,
        "SELECT DISTINCT sku FROM item WHERE sku >= ? AND sku < ? ORDER BY sku LIMIT ?",
        (incomplete, incomplete + _LAST_CHAR, MOST),
    )
    return [sku for sku in rows if sku]


def passes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """`last`, and the newest passes that gave an item another number."""
    found = _rows(
        ctx,
        "SELECT DISTINCT pass_id FROM journal WHERE kind IN (SELECT value FROM json_each(?))"
        " ORDER BY id DESC LIMIT ?",
        (json.dumps([kind.value for kind in MOVES_POOL]), MOST),
    )
    return [name for name in ("last", *found) if name.startswith(incomplete)]


def _rows(ctx: click.Context, question: str, values: tuple[object, ...]) -> list[str]:
    try:
        given = ctx.find_root().params.get("config")
        path = find_config(given, os.environ, Path.cwd())
        state = load(path, needs_secrets=False).state.path
        with closing(read_only(state, wait_s=1.0)) as database:
            return [str(row[0]) for row in database.execute(question, values)]
    except (InvsyncError, sqlite3.Error, OSError):
        return []
