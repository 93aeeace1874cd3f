"""The entry point of the bundle: the same as that of the installed command."""

from __future__ import annotations

from invsyncd.cli import main

main()
