"""Commands for people to paste into a shell."""

from __future__ import annotations

import shlex


def command(*words: str, sku: str) -> str:
    """A command to paste into a shell, its SKU last: quoted, and never taken for an option."""
    return shlex.join(["invsyncd", *words, *(["--"] if sku.startswith("-") else []), sku])


def ends_hold(sku: str) -> str:
    """The command that ends a hold; `lowest` never offers more than somebody counted."""
    if sku.startswith("-"):
        return command("resolve", "--use", "lowest", sku=sku)
    return f"invsyncd resolve {shlex.quote(sku)} --use lowest"
