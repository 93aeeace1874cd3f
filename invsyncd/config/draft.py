"""Checks the rules over several keys even where some keys are wrong by themselves.

The model stops at the first stage that fails, but an operator wants the whole list. So each key is
validated alone, and the rules run over a draft of the keys that are right. A rule that needs a
missing key ends without a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from invsyncd.config.fields import Ruled, sections
from invsyncd.config.problems import Problem


def broken_rules(model: type[Ruled], raw: object) -> Iterator[Problem]:
    """Find every rule that the valid part of `raw` breaks."""
    return _broken(_draft(model, raw))


class _WrongError(Exception):
    """A key that has no usable value."""


def _draft(model: type[Ruled], raw: object) -> Ruled:
    good: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        try:
            good[name] = _value(field, name, raw, good)
        except _WrongError:
            continue
    made = model.model_construct(**good)
    for name in model.model_fields.keys() - good.keys():
        made.__dict__.pop(name, None)  # model_construct has filled in a default
    return made


def _value(field: FieldInfo, name: str, raw: object, good: dict[str, Any]) -> object:
    if not isinstance(raw, Mapping) or (name not in raw and field.is_required()):
        raise _WrongError
    if name not in raw:
        return field.get_default(call_default_factory=True, validated_data=good)
    given, inner = raw[name], sections(field.annotation)
    if inner is None:
        return _validated(field, given)
    section, repeated = inner
    if not repeated:
        return _draft(section, given)
    if not isinstance(given, list):
        raise _WrongError
    return tuple(_draft(section, row) for row in given)


def _validated(field: FieldInfo, given: object) -> object:
    adapter: TypeAdapter[object] = TypeAdapter(field.rebuild_annotation())
    try:
        return adapter.validate_python(given)
    except ValidationError:
        raise _WrongError from None


def _broken(model: Ruled) -> Iterator[Problem]:
    for name, value in model.__dict__.items():
        if isinstance(value, Ruled):
            yield from (problem.under(name) for problem in _broken(value))
        elif isinstance(value, tuple):
            for number, row in enumerate(value, 1):
                if isinstance(row, Ruled):
                    yield from (problem.under(f"{name}[{number}]") for problem in _broken(row))
    for rule in model.RULES:
        try:
            yield from rule(model)
        except AttributeError:
            continue  # it read a key that is wrong, which is reported by itself
