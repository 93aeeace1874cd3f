"""How a moment is given on the command line."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import click


class Since(click.ParamType[int]):
    """A moment, or an age; becomes Unix seconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read one value; fails in click's way."""
        age = re.fullmatch(r"(\d{1,6})([mhd])", str(value))
        if age:
            return int(time.time()) - int(age[1]) * {"m": 60, "h": 3600, "d": 86400}[age[2]]
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither a moment like 2026-11-22T08:30 nor an age like 12h")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
