"""The whole gate, as people and CI run it: `python -m tests`.

Format, lint, import contracts, strict types, then the tests; in CI, where this is root, also the
package under a real systemd. It stops at the first step that fails; what is given on the command
line is passed to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
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


def main() -> int:
    """Run every step; returns the exit code of the first that failed."""
    for step in STEPS + (IN_CI if os.environ.get("CI") else ()):
        tool, *arguments = [*step, *(sys.argv[1:] if step[0] == "pytest" else [])]
        print(f"\n$ {tool} {' '.join(arguments)}", flush=True)
        code = subprocess.run([BIN / tool, *arguments], cwd=ROOT, check=False).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
