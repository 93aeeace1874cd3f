"""The whole gate, as people and CI run it: `python -m tests`.

Format, lint, import contracts, strict types, then the tests. It stops at the first step that
fails; what is given on the command line is passed to pytest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

BIN = Path(sys.executable).parent

STEPS: tuple[tuple[str, ...], ...] = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("lint-imports",),
    ("mypy",),
    ("pytest", "-q", "-n", "auto", "--dist", "worksteal"),
)


def main() -> int:
    """Run every step; returns the exit code of the first that failed."""
    for step in STEPS:
        tool, *arguments = [*step, *(sys.argv[1:] if step[0] == "pytest" else [])]
        print(f"\n$ {tool} {' '.join(arguments)}", flush=True)
        code = subprocess.run([BIN / tool, *arguments], cwd=ROOT, check=False).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
