"""What is kept of the TikTok shop between two starts: which shop it is, and what pace it takes.

Both are JSON in the state database, and count only under the configuration that they came from.
"""

from __future__ import annotations

import hashlib
import json

from invsyncd.config.tiktok import TikTokSettings
from invsyncd.store import Store
from invsyncd.tiktok.lanes import PaceNotes
from invsyncd.tiktok.shops import AuthorisedShop, ServedShop

PACES = "tiktok_paces"  # the rates that TikTok was seen to take
SERVED_SHOP = "tiktok_shop"  # the id of the shop that is served


class TikTokNotes:
    """The notes of one configuration. Only one client may use them at a time."""

    def __init__(self, settings: TikTokSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        # Another configured cipher may mean another shop. The cipher itself is a secret.
        self._configured = _hash(settings.shop_cipher or "")
        self._served: str | None = None

    @property
    def served(self) -> ServedShop:
        """Where the id of the served shop is kept."""
        return ServedShop(self._load_shop, self._save_shop)

    @property
    def paces(self) -> PaceNotes:
        """Where learnt rates are kept."""
        return PaceNotes(self._limited, self._load_paces, self._save_paces)

    async def _load_shop(self) -> str | None:
        stored = json.loads(await self._store.meta.get(SERVED_SHOP) or "{}")
        is_of_it = stored.get("configured") == self._configured
        self._served = str(stored["id"]) if is_of_it and "id" in stored else None
        return self._served

    async def _save_shop(self, shop: AuthorisedShop) -> None:
        value = json.dumps({"id": shop.id, "configured": self._configured})
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, SERVED_SHOP, value)
        self._served = shop.id

    async def _limited(self) -> str | None:
        """Whose calls TikTok counts together: those of one app and shop (documented).

        None while nothing says which shop it is: neither the configuration nor a discovery.
        """
        shop = self._settings.shop_id or (self._settings.shop_cipher and self._configured)
        shop = shop or self._served or await self._load_shop()
        return _hash(json.dumps([self._settings.app_key, shop])) if shop else None

    async def _load_paces(self, of: str) -> str | None:
        stored = json.loads(await self._store.meta.get(PACES) or "{}")
        return str(stored["paces"]) if stored.get("of") == of else None

    async def _save_paces(self, of: str, paces: str) -> None:
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, PACES, json.dumps({"of": of, "paces": paces}))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
