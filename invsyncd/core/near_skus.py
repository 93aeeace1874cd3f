"""Finds the SKU that a seller SKU was probably meant to be: for people, not for matching. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_NOISE = re.compile(r"[\s_./-]+")


def bare(sku: str) -> str:
    """The SKU without case, blanks and separators; what is not ASCII stays."""
    return _NOISE.sub("", sku.casefold())


def nearest(wanted: Iterable[str], known: Iterable[str]) -> Mapping[str, str]:
    """For each of `wanted` the one known SKU that differs only in case, blanks and separators.

    None is given where two known SKUs are as near: nobody should have to guess which.
    """
    sought = {bare(sku): sku for sku in wanted if bare(sku)}
    found: dict[str, set[str]] = {}
    for sku in known:
        if (key := bare(sku)) in sought:
            found.setdefault(key, set()).add(sku)
    names = {sku: found.get(bare(sku), set()) for sku in sought.values()}
    return {sku: next(iter(near)) for sku, near in names.items() if len(near) == 1}
