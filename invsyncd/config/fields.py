"""The types of values in a configuration, and the base of its sections.

Numbers and switches are strict: `percent = "80"` or `enabled = 1` is an error.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from invsyncd.config.problems import INVALID, RULES_BROKEN, Problem, join

UNITS_MAX = 999_999
"""The largest quantity that TikTok Shop accepts; no number of units here needs to be larger."""

Rule = Callable[[Any], Iterator[Problem]]
"""A check over several keys of one section; the keys of its problems are relative to it."""


class Ruled(BaseModel):
    """A model with rules over several keys.

    A rule may run on a draft, in which keys that are wrong by themselves are missing. Reading such
    a key raises AttributeError, which ends the rule without a finding.
    """

    RULES: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _obey(self) -> Self:
        broken = [problem for rule in self.RULES for problem in rule(self)]
        if broken:
            text = " ".join(str(problem) for problem in broken)
            raise PydanticCustomError(RULES_BROKEN, "{text}", {"text": text})
        return self


class Section(Ruled):
    """One [section] or [[table]] of the file."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False
    )


def invalid(message: str, advice: str) -> PydanticCustomError:
    """Make the error of a check, with advice for the operator."""
    return PydanticCustomError(INVALID, "{message}", {"message": message, "advice": advice})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that host."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sections(annotation: object) -> tuple[type[Section], bool] | None:
    """Give the section class behind a field's type, and whether it is a list of them."""
    repeated = get_origin(annotation) is tuple
    inner = get_args(annotation)[0] if repeated else annotation
    if isinstance(inner, type) and issubclass(inner, Section):
        return inner, repeated
    return None


def every_key(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """List every key, sections included, outer ones first; rows of a list as `mapping[]`."""
    for name, field in model.model_fields.items():
        key = join(prefix, name)
        yield key, field
        inner = sections(field.annotation)
        if inner:
            yield from every_key(inner[0], f"{key}[]" if inner[1] else key)


def _number_as_text(value: object) -> object:
    """Accept an id that was written without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _location(value: str) -> str:
    """Bring `gid://shopify/Location/1`, `"1"` and `1` to one spelling."""
    return re.sub(r"^gid://shopify/Location/(\d+)$", r"\1", value)


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text:
        raise invalid("is empty", "Set it, or remove the key")
    if not re.fullmatch(r"[!-~]+", text):
        raise invalid(
            "has a space, a line break or another character that no secret has", "Copy it again"
        )
    return value


def _endpoint(value: str) -> str:
    """Accept only scheme, host and port: the token is sent there, so nothing may be ambiguous."""
    example = "Write it like https://host or http://127.0.0.1:8080"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise invalid("is not a URL", example) from None
    if re.search(r"[^!-~]|\\", value) or parts.scheme not in {"https", "http"} or not host:
        raise invalid("is not an http(s) URL", example)
    if "@" in parts.netloc:
        raise invalid("holds a user name or password", "Remove what stands before the @")
    if parts.path.strip("/") or "?" in value or "#" in value:
        raise invalid("has more than scheme, host and port", "Remove what follows the host")
    if port == 0:
        raise invalid("has port 0", example)
    if parts.scheme == "http" and not is_loopback(host):
        raise invalid(
            "is plain http to another machine, which would show the token to the network",
            "Use https; plain http is for 127.0.0.1, ::1 and localhost only",
        )
    return value.rstrip("/")


def _path(value: Path) -> Path:
    if not value.parts or "\0" in str(value):
        raise invalid("is not a path", "Name a file or a directory")
    try:
        return value.expanduser()
    except RuntimeError:
        raise invalid(
            "starts with ~ but there is no such home directory", "Write it in full"
        ) from None


Flag = Annotated[bool, Field(strict=True)]
Units = Annotated[int, Field(strict=True, ge=0, le=UNITS_MAX)]
Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Text = Annotated[str, StringConstraints(min_length=1)]
Word = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Id = Annotated[Word, BeforeValidator(_number_as_text)]
Location = Annotated[Id, AfterValidator(_location)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
FilePath = Annotated[Path, AfterValidator(_path)]
