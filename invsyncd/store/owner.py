"""Gives files that root makes in a service's state directory to the service.

Otherwise the daemon could not open what a person's command has left there. SQLite itself does this
for its own files beside a database.
"""

from __future__ import annotations

import os
from pathlib import Path


def give_to_service(path: Path) -> None:
    """Give a new file to the owner of its directory, if we are root and that owner is not."""
    if os.geteuid() != 0:
        return
    owner = path.parent.stat()
    if owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid)
