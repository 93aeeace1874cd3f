"""Tests that a bundle verifies TLS with the authorities of several systems.

Run `python3 packaging/tls.py` as root. An HTTPS server on loopback has a certificate of a temporary
authority. `invsyncd check` is run against that server in a mount namespace whose /etc and OpenSSL
folder look like those of another system. The check must reach the server if that system's bundle
holds the authority, and must refuse the server if not.
"""

from __future__ import annotations

import argparse
import http.server
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from release.source import ROOT

OPENSSL_FOLDERS = ("/usr/lib/ssl", "/usr/local/ssl", "/etc/pki", "/etc/ssl")
SYSTEMS = {
    "Debian, Ubuntu": "/etc/ssl/certs/ca-certificates.crt",
    "RHEL 8, 9": "/etc/pki/tls/certs/ca-bundle.crt",
    "RHEL 10, Fedora": "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "SUSE": "/etc/ssl/ca-bundle.pem",
    "no authorities at all": None,
}
CONFIG = """\
[shopify]
shop = "acme.myshopify.com"
endpoint = "https://localhost:{port}"
access_token = "shpat_none"
[mirror]
enabled = true
[tiktok]
enabled = false
[state]
path = "{folder}/state.db"
"""
ANSWER = b'{"errors": "this is the server of packaging/tls.py"}'

# $1 the authority's bundle, $2 where it goes or nothing, $3 a scratch folder; then the command.
ENTER = """\
set -e
bundle=$1 place=$2 scratch=$3; shift 3
mount --make-rprivate /
mount -t tmpfs none "$scratch"; mkdir "$scratch/upper" "$scratch/work"
mount -t overlay none -o "lowerdir=/etc,upperdir=$scratch/upper,workdir=$scratch/work" /etc
for folder in {folders}; do
    [ ! -d "$folder" ] || mount -t tmpfs none "$folder"
done
if [ -n "$place" ]; then mkdir -p "$(dirname "$place")"; cp "$bundle" "$place"; fi
exec "$@"
""".format(folders=" ".join(OPENSSL_FOLDERS))


class Server(http.server.BaseHTTPRequestHandler):
    """Refuses every request. The result is whether a request came at all."""

    asked = 0

    def do_POST(self) -> None:
        """Answer 401."""
        type(self).asked += 1
        self.send_response(401)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    do_GET = do_POST  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def main() -> int:
    """Print one line for each system; returns 1 if one of them is not as it should be."""
    parser = argparse.ArgumentParser(prog="packaging/tls.py", description=__doc__)
    parser.add_argument("binary", nargs="?", type=Path, default=ROOT / "dist/invsyncd/invsyncd")
    binary = parser.parse_args().binary.resolve()
    if os.geteuid() != 0:
        raise SystemExit("Error: mount namespaces need root\nTry: sudo python3 packaging/tls.py")
    right = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = _certificates(folder)
        server = _serve(folder)
        config = folder / "config.toml"
        config.write_text(CONFIG.format(port=server.server_address[1], folder=folder))
        for system, place in SYSTEMS.items():
            Server.asked = 0
            said = _check(binary, config, authority, place, folder)
            as_it_must = (Server.asked > 0) == (place is not None)
            right &= as_it_must
            reached = "verified" if Server.asked else f"refused: {said}"
            print(f"{'ok' if as_it_must else 'WRONG':<6} {system:<22} {reached}")
        server.shutdown()
    return 0 if right else 1


def _check(binary: Path, config: Path, authority: Path, place: str | None, folder: Path) -> str:
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    command = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        ENTER,
        "sh",
        str(authority),
        place or "",
        str(scratch),
    ]
    answer = subprocess.run(
        [*command, str(binary), "--config", str(config), "check"],
        capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    lines = (answer.stdout + answer.stderr).splitlines()
    return next((line.strip() for line in lines if "localhost" in line), " ".join(lines)[:300])


def _certificates(folder: Path) -> Path:
    """An authority, and a certificate of it for localhost; returns the authority's bundle."""
    if shutil.which("openssl") is None:
        raise SystemExit("Error: no openssl\nTry: install openssl")
    common = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    ca = ["-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key"]
    for name, more in (
        ("ca", ["-subj", "/CN=An authority for the moment"]),
        ("server", ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", *ca]),
    ):
        out = ["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"]
        subprocess.run([*common, *more, *out], check=True, capture_output=True)
    return folder / "ca.pem"


def _serve(folder: Path) -> http.server.ThreadingHTTPServer:
    server = http.server.ThreadingHTTPServer(("localhost", 0), Server)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    sys.exit(main())
