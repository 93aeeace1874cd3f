"""Where values come from: environment, then secret files, then the TOML file.

This file only judges whether a source can be read. What the values mean is for the model.
"""

from __future__ import annotations

import difflib
import json
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from invsyncd.config.fields import every_key, sections
from invsyncd.config.problems import ConfigProblems, Problem
from invsyncd.config.settings import Settings
from invsyncd.config.toml_errors import where_and_why
from invsyncd.config.unit import Unit, decrypted
from invsyncd.errors import ConfigError

ENV_PREFIX = "INVSYNCD_"
ENV_OURS = frozenset({"INVSYNCD_CONFIG"})
"""Variables that name no key but are read elsewhere."""

CONFIG_BYTES_MAX = 1_000_000
SECRET_BYTES_MAX = 16_384

Document = dict[str, Any]


class Sources:
    """One configuration while it is put together: values, their origins, and problems.

    Call the methods in the order of precedence: a value that is already there is kept.
    """

    def __init__(self, environ: Mapping[str, str], base: Path) -> None:
        self.values: dict[tuple[str, ...], object] = {}
        self.origins: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.secret_problems: list[Problem] = []
        """What is wrong with secret files; no matter to a command that needs no secrets."""
        self._environ = environ
        self._base = base

    def take_environment(self) -> None:
        """Read every INVSYNCD_… variable; report those that name no key."""
        known = {env_name(key): (key, field) for key, field in leaves()}
        for name in sorted(self._environ):
            if not name.startswith(ENV_PREFIX) or name in ENV_OURS:
                continue
            if name in known:
                key, field = known[name]
                self._put(key, from_text(self._environ[name], field.annotation), name)
            else:
                self.problems.append(_unknown_variable(name, list(known)))

    def take_secret_files(self, secrets_dir: object) -> None:
        """Read the credentials of the service manager, then the files in `secrets_dir`."""
        credentials = self._environ.get("CREDENTIALS_DIRECTORY")
        if credentials:
            self._take_directory("$CREDENTIALS_DIRECTORY", Path(credentials), private=True)
        if isinstance(secrets_dir, str) and secrets_dir and "\0" not in secrets_dir:
            path = anchored(secrets_dir, self._base)
            self._take_directory("secrets_dir", Path(path), private=False)

    def take_unit(self, unit: Unit | None, document: Document) -> None:
        """Read what the unit of this configuration is given, for a command outside the unit."""
        if unit is None or self._environ.get("CREDENTIALS_DIRECTORY"):
            return
        for key, field in leaves():
            if is_secret(field) and tuple(key.split(".")) not in self.values:
                self._take_credential(unit, key)
        table = document.get("state")
        if unit.prefix != unit.name and not (isinstance(table, dict) and table.get("path")):
            self.values.setdefault(("state", "path"), str(unit.state))  # of an instance

    def _take_credential(self, unit: Unit, key: str) -> None:
        name = secret_file(key)
        for path in unit.places(name):
            if os.path.isfile(path) and os.access(path, os.R_OK):
                self._take_file(key, path, private=True)
                return
        text = decrypted(unit.encrypted(name), name)
        if text is not None:
            self._put(key, text, f"the file {unit.encrypted(name)}")

    def over(self, document: Document) -> Document:
        """Merge these values into the document; the model reports a section that is no table."""
        merged = {k: dict(v) if isinstance(v, dict) else v for k, v in document.items()}
        for (*path, leaf), value in self.values.items():
            table: object = merged
            for part in path:
                table = table.setdefault(part, {}) if isinstance(table, dict) else None
            if isinstance(table, dict):
                table[leaf] = value
        return merged

    def _take_directory(self, label: str, directory: Path, *, private: bool) -> None:
        if not os.path.isdir(directory):  # Path.is_dir would raise for some of these
            self.secret_problems.append(
                Problem(label, f"{directory} is not a readable directory", "Correct the path")
            )
            return
        for key, field in leaves():
            path = directory / secret_file(key)
            if is_secret(field) and tuple(key.split(".")) not in self.values:
                self._take_file(key, path, private=private)

    def _take_file(self, key: str, path: Path, *, private: bool) -> None:
        try:
            text = _read_secret(path, private=private)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            why = Problem(key, f"the file {path} {_why(error)}", _fix(error, path))
            self.secret_problems.append(why)
            # The file is there: without a value, the key would be reported as missing as well.
            text = UNREAD
        self._put(key, text, f"the file {path}")

    def _put(self, key: str, value: object, origin: str) -> None:
        self.values.setdefault(tuple(key.split(".")), value)
        self.origins.setdefault(key, origin)


UNREAD = "not-read-and-not-needed"
"""Stands for a secret that could not be read. It is never used, because that is a problem."""


class _ExposedError(ValueError):
    """A secret file that other users can read."""


def leaves() -> Iterator[tuple[str, FieldInfo]]:
    """List the keys that hold a value or a list of tables, but not the keys in such a list."""
    for key, field in every_key(Settings):
        inner = sections(field.annotation)
        if "[]" not in key and (inner is None or inner[1]):
            yield key, field


def env_name(key: str) -> str:
    """The name of the environment variable that sets a key."""
    return ENV_PREFIX + key.upper().replace(".", "__")


def secret_file(key: str) -> str:
    """The name of the file that holds a secret."""
    return key.replace(".", "-").replace("_", "-")


def is_secret(field: FieldInfo) -> bool:
    """Whether a key holds a secret, or a list of secrets."""
    annotation = field.annotation
    inside = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
    return SecretStr in _parts(inside)


def from_text(text: str, annotation: object) -> object:
    """Convert a variable's text to the TOML type of its key; return the text if that fails."""
    parts = set(_parts(annotation))
    if bool in parts and text.lower() in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
        return text.lower() in {"true", "yes", "on", "1"}
    if parts.isdisjoint({bool, int, float, tuple}):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def anchored(path: str, base: Path) -> str:
    """A path of the configuration: a relative one starts at the directory of the config file."""
    path = os.path.expanduser(path)  # leaves an unknown ~ to the model, unlike Path.expanduser
    return path if path.startswith("~") else str(base / path)


def read_toml(path: Path) -> Document:
    """Read the config file; raises ConfigProblems if it cannot be read."""
    text = ""
    try:
        with path.open("rb") as file:
            raw = file.read(CONFIG_BYTES_MAX + 1)
        if len(raw) > CONFIG_BYTES_MAX:
            raise _unreadable(path, f"is larger than {CONFIG_BYTES_MAX:,} bytes", "Check the path")
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise _unreadable(path, "is saved as UTF-16", "Save it as UTF-8 (in Notepad: Encoding)")
        # Editors on Windows put a byte order mark at the start, which TOML does not allow.
        text = raw.decode("utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no configuration at {path}",
            advice="check the path, or run `invsyncd init`, which asks and writes one",
        ) from None
    except IsADirectoryError:
        raise ConfigError(
            f"the configuration {path} is a directory",
            advice="name the file in it, such as config.toml",
        ) from None
    except OSError as error:
        raise _unreadable(
            path, f"cannot be read: {_reason(error)}", "Check its path and permissions"
        ) from None
    except UnicodeDecodeError as error:
        raise _unreadable(
            path, f"is not UTF-8 text (byte {error.start})", "Save it as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(path, *where_and_why(text, str(error))) from None
    except (ValueError, RecursionError):
        raise _unreadable(
            path, "is not valid TOML: a value is too large or too deep", "Shorten that value"
        ) from None


def _parts(annotation: object) -> Iterator[object]:
    """The classes inside `X | None` and Annotated; Literal and Enum count as text."""
    origin = get_origin(annotation)
    if origin is tuple:
        yield tuple
    elif origin is Literal:
        yield str
    elif isinstance(annotation, type):
        yield str if issubclass(annotation, Enum) else annotation
    else:
        for part in get_args(annotation):
            yield from _parts(part)


def _read_secret(path: Path, *, private: bool) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("is not a regular file")
    if not private and status.st_mode & 0o077:
        raise _ExposedError("can be read by other users")
    with path.open("rb") as file:
        raw = file.read(SECRET_BYTES_MAX + 1)
    if len(raw) > SECRET_BYTES_MAX:
        raise ValueError(f"is larger than {SECRET_BYTES_MAX:,} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _why(error: Exception) -> str:
    return f"cannot be read: {_reason(error)}" if isinstance(error, OSError) else str(error)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _fix(error: Exception, path: Path) -> str:
    if isinstance(error, _ExposedError):
        return f"chmod 600 {path}"
    return "It must be a text file that the daemon's user may read"


def _unknown_variable(name: str, known: list[str]) -> Problem:
    near = difflib.get_close_matches(name.upper(), known, 1, 0.75)
    shown = name if name.isprintable() and name.isascii() else json.dumps(name)
    if near:
        return Problem(shown, f"names no known key; did you mean {near[0]}?")
    return Problem(shown, "names no known key", "Unset it; keys are named INVSYNCD_SECTION__KEY")


def _unreadable(path: Path, message: str, advice: str) -> ConfigProblems:
    return ConfigProblems(str(path), [Problem("", message, advice)])
