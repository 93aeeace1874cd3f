"""Runs in the bundle before anything else: finds the machine's certificate authorities.

The bundle brings an OpenSSL of its own, which looks for them where the build machine keeps them
(on Debian in /usr/lib/ssl). Elsewhere it would trust nobody, and every request would fail. The
requests library, which sends alerts, brings a list of its own, which ages with the bundle: it is
given the machine's instead. Nothing is weakened here: where no file is found, verification fails,
and says so.

What the operator set in the environment is left alone.
"""

from __future__ import annotations

import os

# `ssl` itself is slow to import and aiohttp reads the authorities while it is imported; this is
# the part of it that knows where OpenSSL looks.
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
