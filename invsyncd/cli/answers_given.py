"""The answers of a set-up that were given beforehand: by options, by a file, by the environment.

A secret is never an option: an option may name a file that holds it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from invsyncd.config.fields import Endpoint
from invsyncd.core.model import Unlevelled
from invsyncd.errors import ConfigError
from invsyncd.setup.answers import Answers, Ask

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)

OPTIONS: Final = (
    click.option("--shop", help="The shop's name, which ends in .myshopify.com."),
    click.option("--client-id", help="Client ID of the Shopify app."),
    click.option("--client-secret-file", type=_FILE, help="A file with its client secret."),
    click.option("--access-token-file", type=_FILE, help="Or one with an old app's token."),
    click.option("--locations", help="To mirror: names or ids with commas; or all; or none."),
    click.option(
        "--unlevelled",
        type=click.Choice([choice.value for choice in Unlevelled]),
        help="What to do with levels that differ.",
    ),
    click.option("--no-tiktok", is_flag=True, help="Without TikTok Shop."),
    click.option("--app-key", help="App key of the TikTok Shop app."),
    click.option("--app-secret-file", type=_FILE, help="A file with its app secret."),
    click.option("--service-id", help="Service ID of the TikTok Shop app, or its whole link."),
    click.option("--region", type=click.Choice(["us", "other"]), help="Where the TikTok shop is."),
    click.option("--redirect", help="The address that the browser shows after the consent."),
    click.option("--tiktok-shop", help="Which shop, by name or id, if there are several."),
    click.option(
        "--map", "mapping", help='"Berlin, Paris = Main; Vienna = Second", or "* = Main".'
    ),
    click.option(
        "--shopify-endpoint",
        envvar="INVSYNCD_SHOPIFY__ENDPOINT",
        help="Where the API answers; only for the sandbox.",
    ),
    click.option(
        "--tiktok-endpoint",
        envvar="INVSYNCD_TIKTOK__ENDPOINT",
        help="Where TikTok's API answers; only for the sandbox.",
    ),
)


def answer_options(command: F) -> F:
    """Every option that answers a question."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


_TEXTS = {
    "shop": Ask.SHOP,
    "client_id": Ask.CLIENT_ID,
    "locations": Ask.LOCATIONS,
    "unlevelled": Ask.UNLEVELLED,
    "app_key": Ask.APP_KEY,
    "service_id": Ask.SERVICE,
    "region": Ask.US,
    "redirect": Ask.CODE,
    "tiktok_shop": Ask.TIKTOK_SHOP,
    "map": Ask.MAPPING,
}
_SECRETS = {
    "client_secret_file": (Ask.SECRET, "INVSYNCD_SHOPIFY__CLIENT_SECRET"),
    "access_token_file": (Ask.SECRET, "INVSYNCD_SHOPIFY__ACCESS_TOKEN"),
    "app_secret_file": (Ask.APP_SECRET, "INVSYNCD_TIKTOK__APP_SECRET"),
}
_OTHERS = ("no_tiktok", "shopify_endpoint", "tiktok_endpoint")


def given_answers(
    flags: Mapping[str, Any], file: Path | None, environ: Mapping[str, str]
) -> tuple[dict[Ask, str], Answers]:
    """The answers by question, as texts, and what is no question; options overrule the file."""
    options = {"map" if key == "mapping" else key: value for key, value in flags.items()}
    set_by_option = {key: value for key, value in options.items() if value not in (None, False)}
    merged = (_read(file) if file else {}) | set_by_option
    given = {key: _text(merged[name]) for name, key in _TEXTS.items() if name in merged}
    for name, (key, variable) in _SECRETS.items():
        base = Path.cwd() if name in set_by_option or file is None else file.parent
        secret = (
            _secret(name, base / str(merged[name])) if name in merged else environ.get(variable)
        )
        if secret and key not in given:
            given[key] = secret
            if name == "access_token_file":
                given.setdefault(Ask.CLIENT_ID, "")
    if merged.get("no_tiktok"):
        given[Ask.APP_KEY] = ""
    linked = Ask.CODE in given and not {Ask.SERVICE, Ask.US} <= given.keys()
    return given, Answers(
        service="" if linked else None,  # the consent is given: its link is of no use
        us=False if linked else None,
        shopify_endpoint=_endpoint("shopify_endpoint", merged),
        tiktok_endpoint=_endpoint("tiktok_endpoint", merged),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{file} cannot be read: {error}", advice='write it as TOML: shop = "acme"'
        ) from None
    known = [*_TEXTS, *_SECRETS, *_OTHERS]
    for name in found:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.6)
            raise ConfigError(
                f"{file}: {name} answers no question",
                advice=f"write {near[0]}" if near else f"known are {', '.join(known)}",
            )
    return found


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _secret(name: str, path: Path) -> str:
    flag = f"--{name.replace('_', '-')}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text"
        raise ConfigError(
            f"{flag}: {path}: {reason}", advice="name a file with the secret"
        ) from None
    if not text.strip():
        raise ConfigError(f"{flag}: {path} is empty", advice="put the secret into it")
    return text.strip()


def _endpoint(name: str, merged: Mapping[str, Any]) -> str:
    if not merged.get(name):
        return ""
    adapter: TypeAdapter[str] = TypeAdapter(Endpoint)
    try:
        return adapter.validate_python(merged[name])
    except ValidationError as error:
        about = error.errors(include_input=False, include_url=False)[0].get("ctx", {})
        flag = f"--{name.replace('_', '-')}"
        raise ConfigError(
            f"{flag} {about.get('message', 'is no address')}", advice=str(about.get("advice", ""))
        ) from None
