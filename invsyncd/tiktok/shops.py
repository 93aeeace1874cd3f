"""Which shops a token may speak for, and which one of them is meant."""

from __future__ import annotations

from dataclasses import dataclass

from invsyncd.errors import ConfigError
from invsyncd.net.decode import Shape, excerpt
from invsyncd.tiktok.parse import id_text, optional_text


@dataclass(frozen=True, slots=True)
class AuthorisedShop:
    """A shop that the token may speak for; `cipher` selects it in every call."""

    id: str
    name: str
    cipher: str
    region: str


def shops(data: Shape) -> list[AuthorisedShop]:
    """The shops of Get Authorized Shops."""
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
    """The shop with this id, or the only one; ConfigError that names them all where it is open."""
    fitting = [shop for shop in shops if shop_id in (None, shop.id)]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(f"{excerpt(shop.name)} ({shop.id})" for shop in shops) or "none"
    raise ConfigError(
        f"tiktok: cannot tell which shop is meant; the token may speak for: {known}",
        advice="set tiktok.shop_id (or tiktok.shop_cipher) to one of them",
    )
