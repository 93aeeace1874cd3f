"""Completions for bash, zsh and fish, written out in full, so that TAB never starts the program."""

from __future__ import annotations

from collections.abc import Callable

from release.commands import Command, Option, Value, commands, program

MADE = "Completions of invsyncd; made from its command line by packaging/build.py."


def _quoted(text: str) -> str:
    """The text quoted as one word for any of the three shells."""
    return "'" + text.replace("'", "'\\''") + "'"


def _words(command: Command) -> list[str]:
    return [name for option in command.options for name in option.names]


def bash() -> str:
    """The completions for bash; they need no library."""
    main, all_commands = program(), commands()
    with_value = [name for option in main.options if option.value for name in option.names]
    values = [line for command in (main, *all_commands) for line in _bash_values(command, main)]
    after = [f"    {c.name}) {_bash_after(c)} ;;" for c in all_commands]
    names = " ".join([*(c.name for c in all_commands), *_words(main)])
    return "\n".join(
        [
            f"# {MADE}",
            "_invsyncd() {",
            '  local current=${COMP_WORDS[COMP_CWORD]} command="" i',
            "  local before=${COMP_WORDS[COMP_CWORD-1]}",
            "  COMPREPLY=()",
            "  for ((i = 1; i < COMP_CWORD; i++)); do",
            "    case ${COMP_WORDS[i]} in",
            f"    {'|'.join(with_value)}) ((i++)) ;;",
            "    -*) ;;",
            "    *) command=${COMP_WORDS[i]}; break ;;",
            "    esac",
            "  done",
            '  case "$command $before" in',
            *values,
            "  esac",
            "  case $command in",
            f'    "") _invsyncd_words {_quoted(names)} ;;',
            *after,
            "  esac",
            "}",
            "_invsyncd_words() {",
            '  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")',
            "}",
            "_invsyncd_files() {",
            "  compopt -o filenames",
            '  mapfile -t COMPREPLY < <(compgen -f -- "$current")',
            "}",
            "complete -F _invsyncd invsyncd",
            "",
        ]
    )


def _bash_values(command: Command, main: Command) -> list[str]:
    where = "" if command is main else command.name
    lines = []
    for option in command.options:
        if option.value:
            patterns = "|".join(_quoted(f"{where} {name}") for name in option.names)
            lines.append(f"    {patterns}) {_bash_value(option.value)}; return ;;")
    return lines


def _bash_value(value: Value) -> str:
    if value.is_file:
        return "_invsyncd_files"
    return f"_invsyncd_words {_quoted(' '.join(value.choices))}" if value.choices else ":"


def _bash_after(command: Command) -> str:
    choices = [choice for argument in command.arguments for choice in argument.choices]
    words = f"_invsyncd_words {_quoted(' '.join([*choices, *_words(command)]))}"
    if any(argument.is_file for argument in command.arguments):
        return f"if [[ $current == -* ]]; then {words}; else _invsyncd_files; fi"
    return words


def zsh() -> str:
    """The completions for zsh: a function that its completion system loads by name."""
    all_commands = commands()
    listed = [f"      {_quoted(f'{c.name}:{c.summary}')}" for c in all_commands]
    each = [
        line
        for c in all_commands
        for line in (f"      ({c.name})", f"        _arguments -S {_zsh_all(c)}", "        ;;")
    ]
    return "\n".join(
        [
            "#compdef invsyncd",
            f"# {MADE}",
            "_invsyncd() {",
            '  local curcontext="$curcontext" state line',
            f"  _arguments -C -S {_zsh_all(program())} '1: :->command' '*:: :->argument'",
            "  case $state in",
            "  (command)",
            "    local -a commands=(",
            *listed,
            "    )",
            "    _describe -t commands command commands",
            "    ;;",
            "  (argument)",
            "    case $line[1] in",
            *each,
            "    esac",
            "    ;;",
            "  esac",
            "}",
            '_invsyncd "$@"',
            "",
        ]
    )


def _zsh_all(command: Command) -> str:
    options = [_zsh_option(option, name) for option in command.options for name in option.names]
    arguments = [
        f"{at}:{_zsh_plain(value.label)}:{_zsh_action(value)}"
        for at, value in enumerate(command.arguments, 1)
    ]
    return " ".join(_quoted(text) for text in [*options, *arguments])


def _zsh_option(option: Option, name: str) -> str:
    others = f"({' '.join(option.names)})" if len(option.names) > 1 else ""
    value = option.value
    after = f":{_zsh_plain(value.label)}:{_zsh_action(value)}" if value else ""
    return f"{others}{name}[{_zsh_plain(option.help)}]{after}"


def _zsh_action(value: Value) -> str:
    if value.is_file:
        return "_files"
    return f"({' '.join(value.choices)})" if value.choices else " "


def _zsh_plain(text: str) -> str:
    for special in ("\\", "[", "]", ":"):
        text = text.replace(special, f"\\{special}")
    return text


def fish() -> str:
    """The completions for fish."""
    main, all_commands = program(), commands()
    names = " ".join(command.name for command in all_commands)
    none_yet = _fish_quoted(f"not __fish_seen_subcommand_from {names}")
    lines = [f"# {MADE}", "complete -c invsyncd -f"]
    lines += [f"complete -c invsyncd -n {none_yet} {_fish_option(o)}" for o in main.options]
    for command in all_commands:
        seen = _fish_quoted(f"__fish_seen_subcommand_from {command.name}")
        about = _fish_quoted(command.summary)
        lines.append(f"complete -c invsyncd -n {none_yet} -a {command.name} -d {about}")
        lines += [f"complete -c invsyncd -n {seen} {_fish_option(o)}" for o in command.options]
        lines += [f"complete -c invsyncd -n {seen}{_fish_argument(a)}" for a in command.arguments]
    return "\n".join([*lines, ""])


def _fish_option(option: Option) -> str:
    names = [f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names]
    return f"{' '.join(names)}{_fish_value(option.value)} -d {_fish_quoted(option.help)}"


def _fish_value(value: Value | None) -> str:
    if value is None:
        return ""
    return " -r" + _fish_argument(value) if value.is_file else " -x" + _fish_argument(value)


def _fish_argument(value: Value) -> str:
    if value.is_file:
        return " -F"
    return f" -a {_fish_quoted(' '.join(value.choices))}" if value.choices else ""


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELLS: dict[str, Callable[[], str]] = {
    "invsyncd.bash": bash,
    "_invsyncd": zsh,
    "invsyncd.fish": fish,
}
"""The files to write, and what makes the text of each."""
