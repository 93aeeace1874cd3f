"""Runs the whole gate, for people and CI: `python -m tests`.

The gate is format, lint, import contracts, strict types, then the tests; in CI, where this is root,
also the package under a real systemd. It stops at the first step that fails.

With arguments only the tests run, in this process and without workers, so that a small change is
tested in seconds: `python -m tests -k merge` collects only the files that hold the word, and
`python -m tests tests/unit/core` only that folder. All arguments are passed to pytest.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

BIN = Path(sys.executable).parent

# Half of the time is waiting for processes and clocks: two workers a core.
WORKERS = str(2 * (os.cpu_count() or 1))

STEPS: tuple[tuple[str, ...], ...] = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("lint-imports",),
    ("mypy",),
    ("pytest", "-q", "-n", WORKERS, "--dist", "worksteal"),
)
IN_CI: tuple[tuple[str, ...], ...] = (
    ("python", "packaging/build.py", "deb", "sbom"),
    ("python", "-m", "tests.systemd"),
)
OPERATORS = frozenset({"and", "or", "not"})


def main() -> int:
    """Run every step, or with arguments some tests; returns the exit code of the first failure."""
    if sys.argv[1:]:
        return _run("pytest", "-q", *files_of(sys.argv[1:]), *sys.argv[1:])
    for step in STEPS + (IN_CI if os.environ.get("CI") else ()):
        code = _run(*step)
        if code != 0:
            return code
    return 0


def files_of(arguments: Sequence[str]) -> list[str]:
    """The test files that `-k WORDS` can match, so that nothing else is imported.

    A test can match by its own name or by the name of its file, folder or class, and each of these
    stands in the file or in its path. Empty without `-k`, where a path is given, and where the
    expression says `not`: then pytest itself decides.
    """
    if "-k" not in arguments[:-1] or any(not x.startswith("-") and "/" in x for x in arguments):
        return []
    words = re.findall(r"\w+", arguments[list(arguments).index("-k") + 1].lower())
    if "not" in words:
        return []
    wanted = [word for word in words if word not in OPERATORS]
    return [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if any(word in f"{path.relative_to(ROOT)} {path.read_text()}".lower() for word in wanted)
    ]


def _run(tool: str, *arguments: str) -> int:
    print(f"\n$ {tool} {' '.join(arguments)}", flush=True)
    return subprocess.run([BIN / tool, *arguments], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
