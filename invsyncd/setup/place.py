"""Where a set-up puts its files, with which modes and owners, and the command that starts it.

There are three kinds. A service: the configuration in /etc/invsyncd may be read by everybody and
holds no secret; the secrets lie in /etc/credstore, and the unit hands them to the daemon. A folder:
everything beside the configuration, for its user alone. A container: the same, in two folders that
must be mounted.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from invsyncd.config.load import SYSTEM_CONFIG
from invsyncd.errors import ConfigError, InvsyncError
from invsyncd.store.owner import give_to_service

UNIT_FOLDER: Final = SYSTEM_CONFIG.parent
CREDSTORE: Final = Path("/etc/credstore")
STATE: Final = Path("/var/lib")
SECRETS = "secrets"
OTHER = {  # a file that would be a second way to sign in, by the one that is written
    "shopify-client-secret": "shopify-access-token",
    "shopify-access-token": "shopify-client-secret",
}


class PlaceKind(StrEnum):
    """What will run the daemon."""

    SERVICE = "service"
    FOLDER = "folder"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything goes. `values` are the keys of the configuration that follow from it."""

    kind: PlaceKind
    config: Path
    secrets: Path
    prefix: str = ""
    """In front of the name of each secret's file."""
    unit: str = ""
    state: Path | None = None
    """The state database, where the unit and not the configuration says it."""

    @property
    def values(self) -> dict[str, str]:
        """The keys of the configuration that follow from the place; relative to its folder."""
        if self.kind is PlaceKind.SERVICE:
            return {}
        if self.kind is PlaceKind.CONTAINER:
            return {"secrets_dir": SECRETS}
        return {"secrets_dir": SECRETS, "state.path": "state.db"}

    @property
    def variables(self) -> dict[str, str]:
        """What the unit sets in the environment of the daemon."""
        return {"INVSYNCD_STATE__PATH": str(self.state)} if self.state else {}

    def secret(self, name: str) -> Path:
        """The file of one secret."""
        return self.secrets / f"{self.prefix}{name}"

    @property
    def words(self) -> list[str]:
        """Where everything will be, for people."""
        files = f"{self.secrets}/{self.prefix}*" if self.prefix else f"{self.secrets}/"
        return [f"configuration  {self.config}", f"secrets        {files} (mode 0600)"]

    def start(self, program: str, *, again: bool = False) -> str:
        """The one command that starts the daemon; `program` is how this program is called.

        `again`: there was a configuration, so a daemon may run that must read the new secrets.
        """
        if self.kind is PlaceKind.SERVICE and again:
            return f"systemctl enable {self.unit} && systemctl restart {self.unit}"
        if self.kind is PlaceKind.SERVICE:
            return f"systemctl enable --now {self.unit}"
        if self.kind is PlaceKind.CONTAINER:
            return f"docker run -d --restart unless-stopped {MOUNTS} IMAGE run"
        return f"{program} --config {shlex.quote(str(self.config))} run"


CONTAINER_STATE: Final = STATE / "invsyncd"
MOUNTS: Final = f"-v invsyncd-config:{UNIT_FOLDER} -v invsyncd-state:{CONTAINER_STATE}"


WHERE: Final = "run this as root for a service, or name a file of yours by --config"
IN_CONTAINER: Final = f"docker run -it --rm {MOUNTS} IMAGE init"


def setup_place(kind: PlaceKind, config: Path, root: Path = Path("/")) -> Place:
    """The place of one kind. `root` is / but in tests."""
    if kind is PlaceKind.SERVICE:
        if config.parent != root / UNIT_FOLDER.relative_to("/"):
            raise ConfigError(
                f"a service reads its configuration in {UNIT_FOLDER}, not {config}",
                advice="leave --config out, or give --for folder",
            )
        name = "" if config.stem == "config" else config.stem
        return Place(
            kind,
            config,
            root / CREDSTORE.relative_to("/"),
            prefix=f"invsyncd-{name}." if name else "invsyncd.",
            unit=f"invsyncd@{name}" if name else "invsyncd",
            state=root / "var/lib" / (f"invsyncd-{name}" if name else "invsyncd") / "state.db",
        )
    return Place(kind, config, config.parent / SECRETS)


def is_container(environ: Mapping[str, str]) -> bool:
    """Whether this is a container whose files go with it."""
    marks = (Path("/.dockerenv"), Path("/run/.containerenv"))
    named = environ.get("container") not in (None, "systemd-nspawn")
    return named or any(mark.exists() for mark in marks)


def likely_kind(
    config: Path | None, environ: Mapping[str, str], mounted: Sequence[str]
) -> PlaceKind:
    """What will probably run the daemon, on this machine and with this --config."""
    ours = config is None or config.parent == UNIT_FOLDER
    if ours and is_container(environ) and is_under(UNIT_FOLDER, mounted):
        return PlaceKind.CONTAINER
    under_systemd = os.geteuid() == 0 and Path("/run/systemd/system").is_dir()
    if under_systemd and ours:
        return PlaceKind.SERVICE
    return PlaceKind.FOLDER


def check_mounted(place: Place, mounted: Sequence[str]) -> None:
    """ConfigError where a container would lose what is written; it says what to mount."""
    needed = (place.config.parent, CONTAINER_STATE)
    lost = [str(folder) for folder in needed if not is_under(folder, mounted)]
    if place.kind is PlaceKind.CONTAINER and lost:
        raise ConfigError(
            f"{' and '.join(lost)} would be gone with this container",
            advice=f"mount them: {IN_CONTAINER}",
        )


def check_writable(place: Place) -> None:
    """ConfigError where the files cannot be made: found at the end, a consent would be lost."""
    for path in (place.config, place.secrets, place.state or place.config):
        folder = next(above for above in (path, *path.parents) if above.is_dir())
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ConfigError(f"cannot write in {folder}", advice=WHERE)


def mount_points() -> list[str]:
    """Where something is mounted in this container; empty where that cannot be read."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.split()[4] for line in lines if len(line.split()) > 4]


def is_under(folder: Path, mounted: Sequence[str]) -> bool:
    """Whether this folder is on something mounted, so that it outlives the container."""
    return any(point != "/" and folder.is_relative_to(point) for point in mounted)


def write(place: Place, text: str, secrets: Mapping[str, str], now: float) -> list[str]:
    """Write configuration and secrets; returns a line for each, also for what was there before.

    An existing configuration is kept as a copy. A secret that would be a second way to sign in is
    moved aside.
    """
    stamp = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
    lines: list[str] = []
    try:
        _folder(place.config.parent, 0o755 if place.kind is PlaceKind.SERVICE else 0o700)
        _folder(place.secrets, 0o700)
        for name, value in secrets.items():
            path, other = place.secret(name), place.secret(OTHER.get(name, name))
            if other != path and other.exists():
                other.rename(other.with_name(f"{other.name}.{stamp}.bak"))
                lines.append(f"moved aside  {other}: the configuration signs in the other way now")
            lines.append(f"{'replaced' if path.exists() else 'wrote'}  {path}")
            _put(path, f"{value}\n", 0o600)
        if place.config.exists():
            copy = place.config.with_name(f"{place.config.name}.{stamp}.bak")
            _copy(place.config, copy)
            lines.append(f"kept  {copy}: what {place.config.name} was before")
        _put(place.config, text, 0o644 if place.kind is PlaceKind.SERVICE else 0o600)
        lines.append(f"wrote  {place.config}")
    except OSError as error:
        where = error.filename or place.config
        raise InvsyncError(
            f"cannot write {where}: {error.strerror}",
            advice=WHERE,
        ) from None
    return lines


def give_away(path: Path) -> None:
    """Give the files of a state database to the owner of its folder, if root made them."""
    for file in path.parent.glob(f"{path.name}*"):
        give_to_service(file)


def _folder(path: Path, mode: int) -> None:
    if path.is_dir():
        return
    path.mkdir(parents=True)
    path.chmod(mode)  # whatever the umask
    give_to_service(path)


def _copy(path: Path, copy: Path) -> None:
    """The same file under another name: mode and owner too, for it may hold secrets."""
    before = path.stat()
    _put(copy, path.read_text(encoding="utf-8", errors="surrogateescape"), before.st_mode & 0o777)
    if os.geteuid() == 0:
        shutil.chown(copy, before.st_uid, before.st_gid)


def _put(path: Path, text: str, mode: int) -> None:
    """A whole file or none; never readable by others on the way, and with the owner it had."""
    owner = path.stat() if path.exists() else path.parent.stat()
    made = path.with_name(f".{path.name}.new")
    made.unlink(missing_ok=True)
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:
        os.chown(made, owner.st_uid, owner.st_gid)
    made.chmod(mode)
    made.replace(path)
