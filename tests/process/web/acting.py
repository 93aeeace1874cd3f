"""A server on which people act, and a phone in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.process.web.site import Site, site
from tests.support.phone import POLICY, Phone, phone


@asynccontextmanager
async def acting(path: Path) -> AsyncIterator[tuple[Site, Phone]]:
    """A server whose pages act, and a phone that is not signed in."""
    async with site(path, policy=POLICY) as made, phone(made.url, "10.0.0.7") as browser:
        yield made, browser
