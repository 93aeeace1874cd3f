"""Finds the secrets of a unit of ours, for a command that a person runs beside it.

systemd gives a unit its credentials in a directory of its own, and takes them from its credential
stores. A command outside the unit knows neither. It looks in both, as far as this user may read
them: first at what the running unit was given, then in the stores.

The configuration's name says which unit it is: /etc/invsyncd/config.toml is that of `invsyncd`,
/etc/invsyncd/NAME.toml that of `invsyncd@NAME`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
DECRYPT_S_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: its name for systemd, and how its files and its state directory are named."""

    name: str
    prefix: str

    @property
    def state(self) -> Path:
        """The state database in the unit's state directory."""
        return ROOT / "var/lib" / self.prefix / "state.db"

    def places(self, secret: str) -> Iterator[Path]:
        """Where the secret may stand as plain text, the strongest place first."""
        yield ROOT / "run/credentials" / f"{self.name}.service" / secret
        for store in ("etc/credstore", "run/credstore"):
            yield ROOT / store / f"{self.prefix}.{secret}"

    def encrypted(self, secret: str) -> Path:
        """Where the secret may stand encrypted with this machine's key."""
        return ROOT / "etc/credstore.encrypted" / f"{self.prefix}.{secret}"


def unit_of(config: Path) -> Unit | None:
    """The unit that runs with this configuration; None for one that no unit of ours reads."""
    path = Path(os.path.abspath(config))
    if path.parent != ROOT / "etc/invsyncd" or path.suffix != ".toml":
        return None
    if path.stem == "config":
        return Unit("invsyncd", "invsyncd")
    return Unit(f"invsyncd@{path.stem}", f"invsyncd-{path.stem}")


def closed_stores(unit: Unit) -> list[str]:
    """The credential stores of this machine in which this user may not read the unit's secrets."""
    stores = [ROOT / name for name in ("etc/credstore", "etc/credstore.encrypted")]
    return [str(x) for x in stores if os.path.isdir(x) and not _is_open(x, unit)]


def _is_open(store: Path, unit: Unit) -> bool:
    if not os.access(store, os.R_OK | os.X_OK):
        return False
    return all(os.access(file, os.R_OK) for file in store.glob(f"{unit.prefix}.*"))


def decrypted(path: Path, secret: str) -> str | None:
    """An encrypted secret; None if it is not there, or if systemd cannot decrypt it here."""
    command = shutil.which("systemd-creds")
    if command is None or not os.access(path, os.R_OK):
        return None
    try:
        done = subprocess.run(  # noqa: S603 - systemd's own program, and a path of ours
            [command, "decrypt", f"--name={secret}", str(path), "-"],
            capture_output=True,
            check=True,
            timeout=DECRYPT_S_MAX,
        )
        return done.stdout.decode().removesuffix("\n")
    except (subprocess.SubprocessError, OSError, UnicodeDecodeError):
        return None
