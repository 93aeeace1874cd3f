"""Errors, sorted by what to do next. Every message may be shown to the operator.

No message may hold a secret, a URL with its query, or more than a short piece of a body.
"""

from __future__ import annotations

from typing import ClassVar


class InvsyncError(Exception):
    """Base of every error that we raise on purpose. `advice` says what to do about it.

    `label` is its word in metrics, where it stays; empty takes the name of the class.
    """

    label: ClassVar[str] = ""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class ConfigError(InvsyncError):
    """The operator must change the configuration: exit 2, no restart."""


class StateError(InvsyncError):
    """The state database cannot be used as it is: refused, nothing deleted."""


class Unavailable(InvsyncError):
    """No usable answer, or told to wait: the same request may be repeated.

    `retry_after_s` is what the other side asked for, in seconds. `outcome_unknown` is False only
    where the request was certainly not carried out.
    """

    label = "Unreached"

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        outcome_unknown: bool = True,
        advice: str = "",
    ) -> None:
        super().__init__(message, advice=advice)
        self.retry_after_s = retry_after_s
        self.outcome_unknown = outcome_unknown


class Throttled(Unavailable):
    """Told to slow down; it passes by itself."""

    label = ""


class Unauthorised(InvsyncError):
    """The credentials are not (or no longer) accepted: tried again slowly, never in a hot loop."""


class Refused(InvsyncError):
    """Understood and turned down: repeating it as it is changes nothing. `code` is theirs."""

    def __init__(self, message: str, *, code: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.code = code


class InvalidResponse(InvsyncError):
    """An answer that cannot be read or believed: it changes nothing."""

    label = "Garbled"
