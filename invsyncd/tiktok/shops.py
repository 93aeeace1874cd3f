"""The shops that a token gives access to, and which of them is ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from invsyncd.errors import ConfigError, Unauthorised
from invsyncd.net.decode import Shape, excerpt
from invsyncd.tiktok.parse import id_text, optional_text


@dataclass(frozen=True, slots=True)
class AuthorisedShop:
    """A shop that the token gives access to; `cipher` selects it in every call."""

    id: str
    name: str
    cipher: str
    region: str


async def _nothing() -> str | None:
    return None


async def _no_note(_: AuthorisedShop) -> None:
    return None


@dataclass(frozen=True, slots=True)
class ServedShop:
    """Which shop we serve, by its id: a new authorisation may change its cipher, never its id."""

    load: Callable[[], Awaitable[str | None]] = _nothing
    save: Callable[[AuthorisedShop], Awaitable[None]] = _no_note


class WrongAccount(Unauthorised):
    """The token is of another account: it gives no access to our shop."""


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


def chosen(shops: Sequence[AuthorisedShop], shop_id: str | None) -> AuthorisedShop:
    """The shop with this id, or the only one; otherwise ConfigError, which names them all."""
    matching = [shop for shop in shops if shop_id in (None, shop.id)]
    if len(matching) == 1:
        return matching[0]
    raise ConfigError(
        f"tiktok: cannot tell which shop is meant; the token gives access to: {_names(shops)}",
        advice="set tiktok.shop_id (or tiktok.shop_cipher) to one of them",
    )


def ours(
    shops: Sequence[AuthorisedShop], shop_id: str | None, cipher: str | None
) -> AuthorisedShop | None:
    """Our shop among these, by its id or else its cipher; None if nothing says which is ours.

    Raises WrongAccount if none of them is ours.
    """
    found = [x for x in shops if x.id == shop_id or (shop_id is None and x.cipher == cipher)]
    if found:
        return found[0]
    if shop_id is None and cipher is None:
        return shops[0] if len(shops) == 1 else None
    wanted = f"shop {shop_id}" if shop_id else "the shop of tiktok.shop_cipher"
    advice = (
        f"authorise the app again as the seller of {wanted}, then run invsyncd tiktok-login with"
        " that code"
    )
    if shop_id is None:
        advice += "; or, if the shop is the right one and its cipher is new, set tiktok.shop_id"
    raise WrongAccount(
        f"tiktok: the token is of another account: it gives access to {_names(shops)}, and not to"
        f" {wanted}",
        advice=advice,
    )


def _names(shops: Sequence[AuthorisedShop]) -> str:
    return ", ".join(map(_name, shops)) or "none"


def _name(shop: AuthorisedShop) -> str:
    """The name with its id and its region: a seller may have one shop of that name in each."""
    region = f", {excerpt(shop.region)}" if shop.region else ""
    return f"{excerpt(shop.name)} ({shop.id}{region})"
