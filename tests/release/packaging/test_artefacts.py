"""The contents of the artefacts; stand-ins replace the large parts."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from release.archive import Entry, Link, Tree, ar, from_disk, tar_xz
from release.deb import Parts, content, deb
from release.elf import glibc_wanted
from release.notices import notices
from release.source import PACKAGE_DATA, Release, check_frozen, check_wheel, export, release
from release.steps import LOCKS, digest

ROOT = Path(__file__).parents[3]
MADE = Release("1.2.3", 1_780_000_000, "x86_64")


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """The real tree, and stand-ins for what the heavy tools make."""
    onedir, pages = tmp_path / "onedir", tmp_path / "pages"
    (onedir / "_internal").mkdir(parents=True)
    (onedir / "invsyncd").write_bytes(b"\x7fELF")
    (onedir / "invsyncd").chmod(0o700)
    (onedir / "_internal" / "libz.so.1").write_bytes(b"\x7fELF")
    (onedir / "_internal" / "libz.so").symlink_to("libz.so.1")
    pages.mkdir()
    for name in ("invsyncd.1", "invsyncd.bash", "_invsyncd", "invsyncd.fish"):
        (pages / name).write_text(name)
    return Parts(ROOT, onedir, pages, "2.35", "licences of others")


def ask_dpkg(path: Path, question: str) -> str:
    return subprocess.run(
        ["dpkg-deb", question, str(path)], capture_output=True, text=True, check=True
    ).stdout


needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb")


def test_the_package_holds_what_a_service_needs(parts: Parts) -> None:
    tree = content(MADE, parts)
    assert tree["/usr/bin/invsyncd"] == Link("../lib/invsyncd/invsyncd")
    assert {
        "/usr/lib/invsyncd/invsyncd",
        "/usr/lib/invsyncd/_internal/libz.so.1",
        "/usr/lib/systemd/system/invsyncd.service",
        "/usr/lib/systemd/system/invsyncd@.service",
        "/etc/invsyncd/config.example.toml",
        "/usr/share/man/man1/invsyncd.1.gz",
        "/usr/share/bash-completion/completions/invsyncd",
        "/usr/share/zsh/vendor-completions/_invsyncd",
        "/usr/share/fish/vendor_completions.d/invsyncd.fish",
        "/usr/share/doc/invsyncd/copyright",
    } <= set(tree)
    assert "/etc/invsyncd/config.toml" not in tree


def test_the_package_is_the_same_whoever_builds_it(parts: Parts) -> None:
    before = deb(MADE, parts)
    for path in parts.onedir.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1, 1))
            path.chmod(path.stat().st_mode | 0o044)
    assert deb(MADE, parts) == before


@needs_dpkg
def test_dpkg_reads_the_package(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / MADE.deb
    path.write_bytes(deb(MADE, parts))
    described = ask_dpkg(path, "--field")
    assert "Package: invsyncd\nVersion: 1.2.3\nArchitecture: amd64\n" in described
    assert "Depends: libc6 (>= 2.35), " in described
    listed = ask_dpkg(path, "--contents").splitlines()
    assert {line.split()[1] for line in listed} == {"root/root"}
    assert any(line.endswith(" ./usr/bin/invsyncd -> ../lib/invsyncd/invsyncd") for line in listed)
    assert any(line.startswith("-rwxr-xr-x") and "/invsyncd/invsyncd" in line for line in listed)


@needs_dpkg
def test_the_sums_in_the_package_are_right(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "a.deb"
    path.write_bytes(deb(MADE, parts))
    subprocess.run(["dpkg-deb", "-R", str(path), str(tmp_path / "x")], check=True)
    check = ["md5sum", "--check", "--quiet", "DEBIAN/md5sums"]
    assert subprocess.run(check, cwd=tmp_path / "x", check=False).returncode == 0


def test_a_unit_that_starts_something_else_is_not_packed(parts: Parts, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "systemd", source / "systemd")
    for name in ("config.example.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    (source / "systemd" / "wrong.service").write_text("[Service]\nExecStart=/bin/true\n")
    with pytest.raises(SystemExit, match=r"wrong\.service"):
        content(MADE, replace(parts, source=source))


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_the_shell_reads_what_dpkg_runs(name: str) -> None:
    script = ROOT / "packaging" / "debian" / name
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    assert script.read_text().startswith("#!/bin/sh\n")
    assert "\nset -e\n" in script.read_text()


@pytest.mark.parametrize(
    ("version", "debian"),
    [("1.0", "1.0"), ("1.0rc1", "1.0~rc1"), ("1.0.dev3", "1.0~dev3"), ("1.0.post1", "1.0.post1")],
)
def test_a_version_before_a_release_sorts_before_it(version: str, debian: str) -> None:
    assert replace(MADE, version=version).deb_version == debian


def test_an_archive_is_sorted_and_knows_no_builder() -> None:
    tree: Tree = {"/b/x": Entry(b"1"), "/a": Link("b")}
    with tarfile.open(fileobj=io.BytesIO(tar_xz(tree, 42))) as tar:
        members = tar.getmembers()
    assert [m.name for m in members] == [".", "./a", "./b", "./b/x"]
    assert {(m.mtime, m.uid, m.uname) for m in members} == {(42, 0, "root")}


def test_members_of_an_ar_begin_at_even_places() -> None:
    whole = ar({"one": b"123", "two": b"4"}, 42)
    assert whole.index(b"two") % 2 == 0
    assert whole.startswith(
        b"!<arch>\none             42          0     0     100644  3         `\n"
    )


def test_glibc_is_read_from_what_is_required() -> None:
    assert glibc_wanted("x GLIBC_2.2.5\n y GLIBC_2.34\n z GLIBC_2.4") == (2, 34)
    assert glibc_wanted("x GLIBC_2.2.5\n y GLIBC_ABI_DT_RELR") == (2, 36)
    assert glibc_wanted("") == (0,)


def test_a_library_whose_licence_nobody_knows_is_not_bundled(tmp_path: Path) -> None:
    assert "zlib" in notices(tmp_path, "", ["libz.so.1"])
    with pytest.raises(SystemExit, match=r"libreadline\.so\.8"):
        notices(tmp_path, "", ["libreadline.so.8"])


def test_the_build_copies_the_project_and_nothing_that_lies_about(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("invsyncd/a.py", "build/x", ".venv/x", "invsyncd/__pycache__/a.pyc"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    export(tmp_path / "copy", source)
    copied = [p for p in (tmp_path / "copy").rglob("*") if p.is_file()]
    assert copied == [tmp_path / "copy" / "invsyncd" / "a.py"]


def test_an_unpacked_sdist_dates_its_build_by_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    (tmp_path / "invsyncd").mkdir()
    (tmp_path / "invsyncd" / "__init__.py").write_text('__version__ = "4.5"\n')
    (tmp_path / "pyproject.toml").write_text("")
    os.utime(tmp_path / "pyproject.toml", (1234, 1234))
    assert (release(tmp_path).version, release(tmp_path).epoch) == ("4.5", 1234)


def test_a_folder_is_the_same_only_with_the_same_names_modes_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    seen = {digest(tmp_path)}
    (tmp_path / "a").chmod(0o755)
    seen.add(digest(tmp_path))
    (tmp_path / "a").write_text("2")
    seen.add(digest(tmp_path))
    (tmp_path / "a").rename(tmp_path / "b")
    seen.add(digest(tmp_path))
    assert len(seen) == 4
    assert list(from_disk(tmp_path, "/x")) == ["/x/b"]


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_hashes_and_name_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert text.count("==") > 10
    for block in text.split("\n")[:-1]:
        assert block.endswith("\\") or "--hash=sha256:" in block


def test_no_distribution_has_two_versions_in_the_build() -> None:
    versions = [
        line.split(" ")[0] for lock in LOCKS for line in (ROOT / lock).read_text().splitlines()
        if "==" in line
    ]  # fmt: skip
    names = [version.split("==")[0] for version in set(versions)]
    assert sorted(names) == sorted(set(names))


def test_data_that_the_wheel_must_hold_is_all_the_data_there_is() -> None:
    files = (ROOT / "invsyncd").rglob("*")
    data = {p.relative_to(ROOT).as_posix() for p in files if p.is_file() and "pyc" not in p.suffix}
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    brought = set(wheel["targets"]["wheel"]["force-include"].values())
    assert {name for name in data if not name.endswith(".py")} | brought == PACKAGE_DATA


def test_a_wheel_with_tests_or_without_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    for names in (PACKAGE_DATA | {"tests/__init__.py"}, {"invsyncd/py.typed"}):
        with zipfile.ZipFile(path, "w") as wheel:
            for name in names:
                wheel.writestr(name, "")
        with pytest.raises(SystemExit, match="the wheel lacks"):
            check_wheel(path, MADE)


def test_a_frozen_folder_without_data_is_refused(tmp_path: Path) -> None:
    for name in PACKAGE_DATA:
        path = tmp_path / "_internal" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    check_frozen(tmp_path)
    (tmp_path / "_internal" / "invsyncd" / "config.example.toml").unlink()
    with pytest.raises(SystemExit, match="the frozen folder lacks"):
        check_frozen(tmp_path)


def test_the_wheel_is_the_package_and_the_sdist_is_the_project() -> None:
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]
    assert targets["wheel"]["packages"] == ["invsyncd"]
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    tops = {name.split("/")[0] for name in listed.stdout.split("\0") if name}
    by_itself = {"pyproject.toml", "README.md", "LICENSE"}
    assert set(targets["sdist"]["only-include"]) == tops - by_itself
