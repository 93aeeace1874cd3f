"""Writes the manual page and the completions: `python packaging/pages.py FOLDER`.

This is a program of its own because it imports invsyncd: the build runs it in an environment that
has the package.
"""

from __future__ import annotations

import sys
from pathlib import Path

from release.completions import SHELLS
from release.manual import manual
from release.source import release

TEMPLATE = Path(__file__).with_name("invsyncd.1.in")


def main() -> None:
    """Write four files, each named as it is installed."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    made = release()
    page = manual(TEMPLATE.read_text(encoding="utf-8"), made.version, made.epoch)
    (folder / "invsyncd.1").write_text(page, encoding="utf-8")
    for name, write in SHELLS.items():
        (folder / name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
