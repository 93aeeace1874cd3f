"""Makes the manual page from `invsyncd.1.in` and the options and commands of the program."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from release.commands import Command, Option, Value, commands, program


def manual(template: str, version: str, epoch: int) -> str:
    """Fill the template; `epoch` in Unix seconds dates the page."""
    day = datetime.fromtimestamp(epoch, UTC)
    filled = {
        "@DATE@": f"{day:%B} {day.day}, {day.year}",
        "@VERSION@": version,
        "@OPTIONS@": _options(program().options),
        "@COMMANDS@": "\n".join(_command(command) for command in commands()),
    }
    for mark, text in filled.items():
        if mark not in template:
            raise ValueError(f"the manual's template has no {mark}")
        template = template.replace(mark, text)
    # troff reads bytes: what is not ASCII has to be named.
    return re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", template)


def _command(command: Command) -> str:
    heading = [f".It Xo Cm {_word(command.name)}"]
    for option in command.options:
        if "--help" not in option.names:
            form = f"Fl {_flag(option.names[0])}" + _argument(option.value)
            heading.append(f".{form}" if option.required else f".Op {form}")
    heading += [f".{_argument(argument).strip()}" for argument in command.arguments]
    text = "\n.Pp\n".join(_text(paragraph) for paragraph in command.help)
    own = tuple(option for option in command.options if "--help" not in option.names)
    return "\n".join([*heading, ".Xc", text, *([_options(own)] if own else [])])


def _options(options: tuple[Option, ...]) -> str:
    lines = [".Bl -tag -width Ds"]
    for option in options:
        names = " , ".join(f"Fl {_flag(name)}" for name in option.names)
        lines += [f".It {names}{_argument(option.value)}", _text(option.help)]
    return "\n".join([*lines, ".El"])


def _argument(value: Value | None) -> str:
    if value is None:
        return ""
    if value.choices:
        return " " + r" \*(Ba ".join(f"Cm {_word(choice)}" for choice in value.choices)
    return f" Ar {_word(value.label)}"


def _flag(name: str) -> str:
    # .Fl puts one dash in front by itself.
    return _word(name[1:])


def _word(word: str) -> str:
    """One argument of a macro: quoted when it has blanks, its dashes for copying."""
    escaped = word.replace("\\", "\\e").replace("-", "\\-")
    return f'"{escaped}"' if " " in escaped else escaped


def _text(text: str) -> str:
    """Text that holds no macro, however it begins; each sentence on a line of its own."""
    escaped = text.replace("\\", "\\e").replace("--", "\\-\\-")
    escaped = re.sub(r"\. +(?=[A-Z])", ".\n", escaped)
    return f"\\&{escaped}" if escaped[:1] in {".", "'"} else escaped
