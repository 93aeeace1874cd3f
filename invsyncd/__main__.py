"""`python -m invsyncd`, and the entry point of the installed command."""

from __future__ import annotations

from invsyncd.cli import main

if __name__ == "__main__":
    main()
