"""Three mistakes on purpose, which the enumeration of crashes must tell from the real code."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from invsyncd.core.model import Attempt
from invsyncd.shopify.target import SetOutcome, ShopifyTarget
from invsyncd.store.attempts import Attempts
from invsyncd.store.database import Tx

Mutant = Callable[[pytest.MonkeyPatch], None]


def send_then_remember(patch: pytest.MonkeyPatch) -> None:
    """Attempts are not stored before they are sent: only their outcome is."""

    async def add(self: Attempts, tx: Tx, attempts: Sequence[Attempt]) -> None:
        pass

    patch.setattr(Attempts, "add", add)


def remember_then_send(patch: pytest.MonkeyPatch) -> None:
    """What is about to be sent is known at once, before Shopify confirmed it."""

    async def add(self: Attempts, tx: Tx, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            await self.confirm(tx, attempt.rows, attempt.created_at)

    patch.setattr(Attempts, "add", add)


def new_key_on_retry(patch: pytest.MonkeyPatch) -> None:
    """Attempts are stored and repeated, but each time under another key."""
    original = ShopifyTarget.set_levels

    async def set_levels(self: ShopifyTarget, attempt: Attempt) -> SetOutcome:
        return await original(self, replace(attempt, key=str(uuid.uuid4())))

    patch.setattr(ShopifyTarget, "set_levels", set_levels)


def nothing_changed(_: pytest.MonkeyPatch) -> None:
    """The real thing."""


MUTANTS: Mapping[str, Mutant] = {
    "send, then remember": send_then_remember,
    "remember, then send": remember_then_send,
    "new key on retry": new_key_on_retry,
}
