"""The shops that a token gives access to, and the choice of one of them."""

from __future__ import annotations

from dataclasses import dataclass

from invsyncd.errors import ConfigError
from invsyncd.net.decode import Shape, excerpt
from invsyncd.tiktok.parse import id_text, optional_text


@dataclass(frozen=True, slots=True)
class AuthorisedShop:
    """A shop that the token gives access to; `cipher` selects it in every call."""

    id: str
    name: str
    cipher: str
    region: str


def shops(data: Shape) -> list[AuthorisedShop]:
    """The shops in an answer of Get Authorized Shops."""
    return [
        AuthorisedShop(
            id=id_text(one.at("id")),
            name=one.at("name").text(),
            cipher=one.at("cipher").word(),
            region=optional_text(one, "region"),
        )
        for one in data.at("shops").items()
    ]


def chosen(shops: list[AuthorisedShop], shop_id: str | None) -> AuthorisedShop:
    """The shop with this id, or the only one; otherwise ConfigError, which names them all."""
    matching = [shop for shop in shops if shop_id in (None, shop.id)]
    if len(matching) == 1:
        return matching[0]
    known = ", ".join(f"{excerpt(shop.name)} ({shop.id})" for shop in shops) or "none"
    raise ConfigError(
        f"tiktok: cannot tell which shop is meant; the token gives access to: {known}",
        advice="set tiktok.shop_id (or tiktok.shop_cipher) to one of them",
    )
