"""The annotated example configuration, and the configuration that is made from it.

The example stands at the top level of the source tree. The wheel, and so the single binary, has a
copy of it in the package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from invsyncd.errors import InvsyncError

NAME: Final = "config.example.toml"
_HEADER = re.compile(r"^#?(\[\[?[a-z_.]+\]\]?)$")
_KEY = re.compile(r"^#?([a-z_]+) = ")

Value = str | bool | int | float | Sequence[str]


def example_text() -> str:
    """The annotated example of this very version."""
    installed = resources.files("invsyncd").joinpath(NAME)
    checkout = Path(__file__).parents[2] / NAME
    for place in (installed, checkout):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise InvsyncError(f"{NAME} is not in this installation", advice="install invsyncd again")


def config_from(
    example: str,
    values: Mapping[str, Value],
    rows: Sequence[Mapping[str, Value]] = (),
) -> str:
    """The example with these values, and every other key switched off.

    `values` are named `section.key`; `rows` are the [[tiktok.mapping]] tables. A key that is not in
    the example is an error of ours.
    """
    lines: list[str] = []
    left = dict(values)
    section, mapping = "", "[[tiktok.mapping]]"
    for line in example.splitlines():
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            section = header[1]
            if section == mapping and not rows:
                line = _off(line)  # noqa: PLW2901
        elif key and section == mapping:
            line = _set(key[1], rows[0].get(key[1]) if rows else None, line)  # noqa: PLW2901
        elif key:
            line = _set(key[1], left.pop(_joined(section, key[1]), None), line)  # noqa: PLW2901
        lines.append(line)
        if rows and section == mapping and key and key[1] == "exclude_locations":
            lines += _more(mapping, rows[1:])
    if left:
        raise ValueError(f"not in the example: {', '.join(left)}")
    return "\n".join(lines) + "\n"


def toml(value: Value) -> str:
    """A value as TOML writes it. A JSON string is a TOML string, but for the character DEL."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return f"[{', '.join(map(toml, value))}]"


def _joined(section: str, key: str) -> str:
    name = section.strip("[]")
    return f"{name}.{key}" if name else key


def _set(key: str, value: Value | None, line: str) -> str:
    """The line of a key with its value; a key without one is switched off."""
    return _off(line) if value is None else f"{key} = {toml(value)}"


def _off(line: str) -> str:
    return line if line.startswith("#") else f"#{line}"


def _more(header: str, rows: Sequence[Mapping[str, Value]]) -> Iterator[str]:
    for row in rows:
        yield from ("", header, *(f"{key} = {toml(value)}" for key, value in row.items()))
