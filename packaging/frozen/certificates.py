"""Runs in the bundle before anything else: finds the machine's certificate authorities.

The OpenSSL of the bundle searches the authorities where the build machine keeps them (on Debian in
/usr/lib/ssl). On other systems it would trust nobody, and every request would fail. The requests
library, which sends alerts, has a list of its own that ages with the bundle; it gets the machine's
list instead. This weakens nothing: if no file is found, verification fails with an error.

Variables that the operator set in the environment are left alone.
"""

from __future__ import annotations

import os

# Not `ssl`: that module is slow to import. `_ssl` is the part of it that knows where OpenSSL looks.
# aiohttp reads the authorities while it is imported, so this must run before.
from _ssl import get_default_verify_paths

# The same places, in the same order of popularity, as other self-contained programs look at.
FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine, Gentoo
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL and its kin, Fedora
    "/etc/pki/tls/certs/ca-bundle.crt",  # older ones of these
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, BSD
)


def find() -> None:
    """Set the variables that OpenSSL and requests read, unless the operator did."""
    file_variable, file, folder_variable, _ = get_default_verify_paths()
    if folder_variable in os.environ:
        return
    for path in (os.environ.get(file_variable, file), *FILES):
        if os.path.isfile(path):
            os.environ.setdefault(file_variable, path)
            os.environ.setdefault("REQUESTS_CA_BUNDLE", path)
            return


find()
