"""Errors, sorted by what to do next. Every message may be shown to the operator.

No message may hold a secret, a URL with its query, or more than a short piece of a body.
"""

from __future__ import annotations

from typing import ClassVar


class InvsyncError(Exception):
    """Base of every error that we raise on purpose. `advice` says what to do about it.

    `label` is the error's word in metrics, which never changes; if empty, the name of the class.
    """

    label: ClassVar[str] = ""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class ConfigError(InvsyncError):
    """A wrong configuration, which only the operator can change: exit 2, no restart."""


class UsageProblem(InvsyncError):
    """A command that was called in a way in which it does nothing: exit 2."""


class StateError(InvsyncError):
    """A state database that cannot be used as it is. It is refused, and nothing is deleted."""


class Unavailable(InvsyncError):
    """No usable answer, or an answer that asks us to wait: the same request may be repeated.

    `retry_after_s` is the wait that the other side asked for, in seconds. `outcome_unknown` is
    False only if the request was certainly not carried out.
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
    """An answer that asks us to slow down; the trouble passes by itself."""

    label = ""


class Unauthorised(InvsyncError):
    """Credentials that are not accepted, or no longer: tried again slowly, never in a hot loop."""


class Refused(InvsyncError):
    """A request that was understood and refused; repeating it is useless. `code` is the API's."""

    def __init__(self, message: str, *, code: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.code = code


class InvalidResponse(InvsyncError):
    """An answer that cannot be read or believed. Nothing in it is used."""

    label = "Garbled"
