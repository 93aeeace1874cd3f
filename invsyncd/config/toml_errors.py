"""Says where a TOML file is wrong, and what was probably meant.

A line may hold a secret, so only what stands before its `=` is ever shown.
"""

from __future__ import annotations

import re

QUOTES = "“”„‟«»‘’‚‹›"
_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false", "none": "", "null": ""}
_SHOWN_MAX = 60
_CLOSE_QUOTES = "Close the quotes on the same line, and put nothing behind them"

_KEY = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=\s*(.*)")


def where_and_why(text: str, error: str) -> tuple[str, str]:
    """(what is wrong, what to do) for a text that is no TOML; `error` is the library's sentence."""
    lines = text.splitlines() or [""]
    number = _line_of(error, len(lines))
    line = lines[number - 1]
    if "nclosed" in error or "nterminated" in error or "Illegal character '\\n'" in error:
        number, line = _opened_before(lines, number)
    shown = _shown(line)
    place = f"line {number}, `{shown}`" if shown else f"line {number}"
    return f"is not valid TOML at {place}: {error.partition(' (at ')[0].lower()}", _cause(
        line, error
    )


def _line_of(error: str, last: int) -> int:
    found = re.search(r"at line (\d+)", error)
    return min(int(found[1]), last) if found else last


def _opened_before(lines: list[str], number: int) -> tuple[int, str]:
    """The line with the odd number of quotes: an open quote is only noticed further on."""
    for at in range(number, 0, -1):
        if lines[at - 1].partition("#")[0].count('"') % 2:
            return at, lines[at - 1]
    return number, lines[number - 1]


def _shown(line: str) -> str:
    """What is safe to show: a header, or a key without its value."""
    if re.fullmatch(r"\s*\[\[?[\w. -]*\]?\]?\s*(#.*)?", line):
        return line.partition("#")[0].strip()[:_SHOWN_MAX]
    match = re.match(r"\s*([A-Za-z0-9_.-]{1,60})\s*([=:])", line)
    return f"{match[1]} {match[2]} …" if match else ""


def _cause(line: str, error: str) -> str:
    """What to do, by what the line looks like."""
    match = _KEY.match(line)
    if "overwrite" in error or "twice" in error or "redefine" in error:
        return "It stands in the file twice: keep one of the two"
    if any(quote in line for quote in QUOTES):
        return 'Use straight quotes, "like these": an editor has put curly ones there'
    if match is not None:
        return _cause_of_value(match[1], match[2].partition("#")[0].strip())
    if re.match(r"\s*\[", line):
        return "Close the bracket: [section], or [[section.list]]"
    if re.match(r"\s*[A-Za-z0-9_.-]+\s*:", line):
        return 'Write = between key and value, as in key = "value"; TOML has no colon there'
    return 'Write each key on a line of its own, as in key = "value"'


def _cause_of_value(key: str, value: str) -> str:
    word = value.lower()
    if word in {"true", "false"}:
        return f"Write {key} = {word}, in small letters"
    if word in _WORDS:
        meant = f"{key} = {_WORDS[word]}" if _WORDS[word] else f"nothing: remove the line {key}"
        return f"Write {meant}; TOML has only true and false"
    begins = {
        "": f'Write a value behind it, as in {key} = "…", or remove the line',
        "'": _CLOSE_QUOTES,
        '"': _CLOSE_QUOTES,
        "[": 'Close the list, and quote each text in it: ["Berlin", "Hamburg"]',
    }
    text = f'Text stands in quotes: {key} = "…"; a number has no unit and no comma'
    return begins.get(value[:1], text)
