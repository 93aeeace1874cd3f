"""How this program was called: for commands that people paste as they stand."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "invsyncd"


def program() -> str:
    """The words that start this program again: its name if the shell finds it, else its path."""
    called = Path(sys.argv[0])
    if not called.name.startswith(NAME):
        return f"{shlex.quote(_short(sys.executable))} -m {NAME}"
    found = shutil.which(called.name)
    if found is not None and os.path.realpath(found) == os.path.realpath(called):
        return called.name
    return shlex.quote(_short(os.path.abspath(called), here="./"))


def _short(path: str, here: str = "") -> str:
    """The path as seen from here, if it lies below."""
    below = os.path.relpath(path)
    return path if below.startswith("..") else f"{here}{below}"
