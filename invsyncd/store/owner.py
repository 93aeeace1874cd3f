"""Who owns, and who may read, the files in the state directory: the service, whoever made them.

Otherwise the daemon could not open what a person's command has left there. SQLite itself does this
for its own files beside a database.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def give_to_service(path: Path) -> None:
    """Give a new file to the owner of its directory, if we are root and that owner is not."""
    if os.geteuid() != 0:
        return
    owner = path.parent.stat()
    if owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def set_mode(path: Path) -> None:
    """Let only its owner read a file, or the group of a directory that is shared on purpose.

    Neither may do more than the owner could before. Such a directory is writable for its group, and
    gives its group to new files (mode 2770). SQLite gives the mode of a database to the files that
    it makes beside it.
    """
    folder = path.parent.stat().st_mode
    is_shared = folder & stat.S_ISGID and folder & stat.S_IRWXG == stat.S_IRWXG
    with suppress(FileNotFoundError, PermissionError):  # another member may have made it
        mode = stat.S_IMODE(path.stat().st_mode)
        owners = mode & 0o600  # what somebody made read-only stays so
        allowed = owners | owners >> 3 if is_shared else owners
        if mode != allowed:
            path.chmod(allowed)
