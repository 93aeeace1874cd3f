"""Builds all artefacts that can be installed: `python3 packaging/build.py`.

Wheel, sdist, single binary, binary folder, Debian package and bill of materials go to dist/. A
build needs only Python and binutils: the build tools come from requirements-build.lock, by hash,
into build/. Two builds of the same commit on the same machine are identical; `--twice` makes both
and compares them.
"""

from __future__ import annotations

import argparse
import shutil
import sys

from release.source import ROOT, export
from release.steps import ELSEWHERE, KINDS, Build, Surroundings, digest, size

TOOLS = ("objcopy", "objdump", "strip")


def main() -> int:
    """Build; returns 1 when two builds differ."""
    options = _options()
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise SystemExit(f"Error: no {', '.join(missing)}\nTry: install binutils")
    kinds = options.kinds or list(KINDS)
    work = ROOT / "build"
    if work.exists():
        shutil.rmtree(work)
    export(work / "snapshot")
    first = Build(work / "snapshot", work / "first", Surroundings())
    first.make(kinds)
    identical = True
    if options.twice:
        # Another folder, umask, locale and time zone: none of these may change an artefact.
        second = Build(work / "snapshot", work / "second" / "somewhere" / "else", ELSEWHERE)
        second.make(kinds)
        identical = _compare(first, second, kinds)
    _publish(first, kinds)
    return 0 if identical else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="packaging/build.py", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"only {', '.join(KINDS)}")
    parser.add_argument("--twice", action="store_true", help="build twice and compare")
    options = parser.parse_args()
    unknown = set(options.kinds) - set(KINDS)
    if unknown:
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    return options


def _compare(first: Build, second: Build, kinds: list[str]) -> bool:
    same = True
    print(f"{'artefact':<42} {'first':<16} {'second':<16} identical")
    for kind in kinds:
        name = first.names()[kind]
        one, other = digest(first.out / name), digest(second.out / name)
        same &= one == other
        print(f"{name:<42} {one[:16]} {other[:16]} {'yes' if one == other else 'NO'}")
    return same


def _publish(build: Build, kinds: list[str]) -> None:
    """Move the artefacts to dist/, and say what they are."""
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    for old in dist.glob("invsyncd*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    sums = ""
    for kind in kinds:
        path = dist / build.names()[kind]
        shutil.move(build.out / path.name, path)
        print(f"{kind:<8} {size(path) / 1e6:6.1f} MB  {path.relative_to(ROOT)}")
        if path.is_file():
            sums += f"{digest(path)}  {path.name}\n"
    (dist / "SHA256SUMS").write_text(sums)
    if build.floor[0]:
        print(f"needs glibc {build.floor[0]} or newer, because of {', '.join(build.floor[1])}")


if __name__ == "__main__":
    sys.exit(main())
