"""Settings: the whole configuration as one frozen value. Other rooms see nothing else of it.

Values come only through `load`. Creating Settings never reads the environment or a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from invsyncd.config.alerts import AlertSettings
from invsyncd.config.fields import (
    Endpoint,
    FilePath,
    Flag,
    Percent,
    Rule,
    Ruled,
    Seconds,
    Secret,
    Section,
    Word,
    invalid,
    is_loopback,
)
from invsyncd.config.problems import Problem
from invsyncd.config.shopify import MirrorSettings, PollSettings, ShopifySettings
from invsyncd.config.tiktok import TikTokSettings


class GuardSettings(Section):
    """How much one pass may change before its target is paused."""

    max_zeroed_percent: Annotated[
        Percent,
        Field(
            description="Percent of listings (TikTok), or of mirrored items (Shopify), that one "
            "pass may set to 0, from 20 on; more pauses that target until resume; 0 = off"
        ),
    ] = 30
    max_changed_percent: Annotated[
        Percent,
        Field(
            description="Percent of listings, or of mirrored items, that one pass may change; "
            "more pauses that target until resume; 0 = off"
        ),
    ] = 0


def _split(listen: str) -> tuple[str, int]:
    """Split host and port; an IPv6 address stands in brackets."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})", listen)
    if not match or int(match[3]) > 65535:
        raise invalid(
            "is not host:port", 'Write it like "127.0.0.1:8787" or "[::1]:8787"; port 0 = any free'
        )
    return match[1] or match[2], int(match[3])


def _listen(value: str) -> str:
    _split(value)
    return value


def _host(value: str) -> str:
    """A name or an address, without the brackets of IPv6; no scheme and no port."""
    name = value.removeprefix("[").removesuffix("]")
    if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", name):
        raise invalid(
            "is not the name or the address of a host", 'Write it like "stock.example.com", no port'
        )
    return name


HostName = Annotated[Word, AfterValidator(_host)]


def _guarded(section: ServerSettings) -> Iterator[Problem]:
    if not is_loopback(section.address[0]) and section.token is None:
        yield Problem(
            "listen",
            "can be reached from other machines, and server.token is not set",
            "Listen on 127.0.0.1, or set server.token (or the file server-token)",
        )
    if section.actions and section.token is None:
        yield Problem(
            "actions",
            "is true, and server.token is not set: whoever reaches the page could write",
            "Set server.token (or the file server-token) to a long random text, or leave it false",
        )


class ServerSettings(Section):
    """The HTTP server for health, metrics and the status page."""

    RULES: ClassVar[tuple[Rule, ...]] = (_guarded,)

    listen: Annotated[
        str,
        AfterValidator(_listen),
        Field(description="host:port; any other address than loopback needs token"),
    ] = "127.0.0.1:8787"
    token: Annotated[
        Secret | None,
        Field(
            description="What a client must send as bearer token or as password; required unless "
            "listen is loopback, and for actions"
        ),
    ] = None
    allowed_hosts: Annotated[
        tuple[HostName, ...],
        Field(
            description="Other names or addresses by which browsers may call this server, such as "
            "that of a reverse proxy"
        ),
    ] = ()

    actions: Annotated[
        Flag,
        Field(
            description="Whether people who sign in with token may resolve, undo, resume, pause "
            "and scan from the page; needs token"
        ),
    ] = False
    public_url: Annotated[
        Endpoint | None,
        Field(
            description="Where people reach this server, such as https://stock.example.com; "
            "alerts link to it, and its host is answered"
        ),
    ] = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which browsers may call this server, beside its own address."""
        own = urlsplit(self.public_url).hostname if self.public_url else None
        return (*self.allowed_hosts, own) if own else self.allowed_hosts

    @property
    def address(self) -> tuple[str, int]:
        """Host (without brackets) and port."""
        return _split(self.listen)


class StateSettings(Section):
    """Where the daemon keeps its state."""

    path: Annotated[
        FilePath,
        Field(description="The state database; its directory must belong to the daemon"),
    ] = Path("/var/lib/invsyncd/state.db")


class DaemonSettings(Section):
    """How the process behaves."""

    shutdown_s: Annotated[
        Seconds,
        Field(
            ge=0,
            le=300,
            description="Seconds that requests on the wire may take to finish after SIGTERM; stay "
            "below the service manager's own limit",
        ),
    ] = 20.0
    hung_s: Annotated[
        Seconds,
        Field(
            ge=5,
            le=86_400,
            description="Seconds without progress, such as an answer, after which a round is hung: "
            "/livez answers 503, and a watchdog restarts the daemon",
        ),
    ] = 600.0


class LogSettings(Section):
    """What is written to stderr."""

    format: Annotated[
        Literal["text", "json"], Field(description="text for people, json for a log collector")
    ] = "text"
    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="The least serious message to write"),
    ] = "info"


def _something_to_do(settings: Settings) -> Iterator[Problem]:
    if not settings.mirror.enabled and not settings.tiktok.enabled:
        yield Problem(
            "mirror.enabled",
            "is false, and so is tiktok.enabled: there is nothing to run",
            "Set one of the two to true",
        )


class Settings(BaseSettings, Ruled):
    """Everything that an operator can configure."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False
    )
    RULES: ClassVar[tuple[Rule, ...]] = (_something_to_do,)

    secrets_dir: Annotated[
        FilePath | None,
        Field(description="Directory with one 0600 file per secret, named like tiktok-app-secret"),
    ] = None
    shopify: Annotated[ShopifySettings, Field(description="Which shop, and how to sign in")]
    poll: Annotated[PollSettings, Field(description="How often Shopify is read")] = PollSettings()
    mirror: Annotated[MirrorSettings, Field(description="Which levels show the same number")]
    tiktok: Annotated[TikTokSettings, Field(description="The TikTok Shop side")]
    guard: Annotated[GuardSettings, Field(description="How much one pass may change")] = (
        GuardSettings()
    )
    server: Annotated[ServerSettings, Field(description="Health, metrics and the status page")] = (
        ServerSettings()
    )
    alerts: Annotated[AlertSettings, Field(description="Who gets messages about trouble")] = (
        AlertSettings()
    )
    state: Annotated[StateSettings, Field(description="Where the daemon keeps its state")] = (
        StateSettings()
    )
    daemon: Annotated[DaemonSettings, Field(description="How the process behaves")] = (
        DaemonSettings()
    )
    log: Annotated[LogSettings, Field(description="What is written to stderr")] = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load` gives.

        The library's own sources stop at their first problem and ignore variables that name no
        key. Ours (sources.py) report every problem, and where each value came from.
        """
        return (init_settings,)

    def secrets(self) -> tuple[str, ...]:
        """The values of all secrets, for the log to mask."""
        return tuple(_secrets(self))


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _secrets(part)
