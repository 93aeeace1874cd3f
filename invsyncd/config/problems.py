"""Problems of a configuration, as sentences for the operator; never with a value in them.

A value can be a secret in the wrong place. So a sentence names the key, what is expected, and what
to do, and never repeats what was given.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from invsyncd.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

KEY_CHARS_MAX = 64
"""A key longer than this is cut in messages: it is junk, and the line must stay readable."""

RULES_BROKEN = "rules_broken"
"""Error type of rules over several keys. `load` runs the rules again to report each one alone."""

INVALID = "invalid"
"""Error type of a check that brings its own sentence and advice."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to change: where, what is wrong, what to do."""

    key: str
    message: str
    advice: str = ""

    def __str__(self) -> str:
        """One line for the terminal."""
        text = f"{self.key}: {self.message}" if self.key else self.message
        return printable(_sentence(text) + (f" {_sentence(self.advice)}" if self.advice else ""))

    def under(self, prefix: str) -> Problem:
        """Give the same problem with the name of the section around it."""
        return replace(self, key=join(prefix, self.key))


class ConfigProblems(ConfigError):
    """Everything that is wrong with one configuration, at once."""

    def __init__(self, name: str, problems: Iterable[Problem], *, advice: str = "") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        title = f"{printable(name)} has {count} problem{'s' if count != 1 else ''}"
        super().__init__(
            "\n".join([title, *(f"  {problem}" for problem in self.problems)]),
            advice=advice or "config.example.toml explains every key",
        )


def printable(text: str) -> str:
    """Escape line breaks and control characters, so that a foreign name stays on its line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def join(prefix: str, key: str) -> str:
    """Put a key under a section: `tiktok` + `mapping[2]`."""
    return f"{prefix}.{key}" if prefix and key else prefix or key


def spell(loc: Iterable[str | int]) -> str:
    """Write the path of a key, counting from 1: the second [[tiktok.mapping]] is `mapping[2]`."""
    text = ""
    for part in loc:
        text = f"{text}[{part + 1}]" if isinstance(part, int) else join(text, _plain(part))
    return text


def from_details(
    details: Iterable[ErrorDetails], known: Mapping[str, str | None]
) -> Iterable[Problem]:
    """Turn pydantic's errors into problems. `known` holds every key with its description.

    Three kinds are left out: rules over several keys (see RULES_BROKEN); defaults that depend on
    a key which is itself reported; and lists that are too short only because their entries were
    refused.
    """
    details = list(details)
    lists = {detail["loc"][:-1] for detail in details}
    for detail in details:
        kind, loc = detail["type"], detail["loc"]
        if kind in {RULES_BROKEN, "default_factory_not_called"}:
            continue
        if kind == "too_short" and loc in lists:
            continue
        if kind == "extra_forbidden":
            yield unknown(loc, known)
        else:
            message, advice = _sentence_of(kind, detail.get("ctx", {}))
            if kind == "missing":
                advice = known.get(_pattern(loc)) or ""
            yield Problem(spell(loc), message, advice)


def unknown(loc: tuple[str | int, ...], known: Iterable[str]) -> Problem:
    """Name the known key that was probably meant."""
    names = list(known)
    parent, leaf = _pattern(loc[:-1]), _plain(str(loc[-1]))
    siblings = [name for name in names if name.rpartition(".")[0] == parent]
    near = (
        difflib.get_close_matches(join(parent, leaf), siblings, 1, 0.75)
        or [name for name in names if name.rpartition(".")[2] == leaf]
        or difflib.get_close_matches(join(parent, leaf), names, 1, 0.75)
    )
    if near:
        return Problem(spell(loc), f"unknown key; did you mean {near[0].replace('[]', '')}?")
    here = ", ".join(name.rpartition(".")[2] for name in siblings)
    return Problem(spell(loc), "unknown key", f"Known here: {here}" if here else "Remove it")


def _pattern(loc: Iterable[str | int]) -> str:
    return re.sub(r"\[\d+\]", "[]", spell(loc))


def _plain(part: str) -> str:
    """Quote anything but a bare key: no line break or control character reaches the terminal."""
    part = part if len(part) <= KEY_CHARS_MAX else part[:KEY_CHARS_MAX] + "…"
    return part if re.fullmatch(r"[\w…-]+", part, re.ASCII) else json.dumps(part)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else text + "."


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "is required",
    "bool_type": lambda _: "must be true or false, without quotes",
    "int_type": lambda _: "must be a whole number, without quotes",
    "float_type": lambda _: "must be a number, without quotes",
    "finite_number": lambda _: "must be a finite number",
    "string_type": lambda _: "must be text in quotes",
    "string_too_short": lambda _: "is empty",
    "too_short": lambda _: "must name at least one",
    "tuple_type": lambda _: "must be a list, written [ … ] or, for tables, [[ … ]]",
    "path_type": lambda _: "must be a path in quotes",
    "model_type": lambda _: "must be a section with keys",
    "enum": lambda ctx: f"must be one of {ctx['expected']}",
    "literal_error": lambda ctx: f"must be one of {ctx['expected']}",
    "greater_than_equal": lambda ctx: f"must be at least {ctx['ge']:g}",
    "less_than_equal": lambda ctx: f"must be at most {ctx['le']:g}",
}


def _sentence_of(kind: str, ctx: Mapping[str, Any]) -> tuple[str, str]:
    if kind == INVALID:
        return str(ctx["message"]), str(ctx["advice"])
    if kind in _SENTENCES:
        return _SENTENCES[kind](ctx), ""
    # Never pydantic's own text: it may hold the input.
    return f"is not acceptable ({kind})", ""
