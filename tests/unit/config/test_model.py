"""The model as a whole: bounds, secrets, and that nothing can be changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from invsyncd.config import Settings
from invsyncd.config.fields import every_key, sections
from tests.unit.config.helpers import GONE, loaded


def test_every_key_explains_itself() -> None:
    assert [key for key, field in every_key(Settings) if len(field.description or "") < 15] == []


def test_every_number_has_two_bounds() -> None:
    numbers = [key for key, field in every_key(Settings) if takes(field, 1)]
    assert len(numbers) == 24
    fields = dict(every_key(Settings))
    assert [key for key in numbers if takes(fields[key], 10**9)] == []
    assert [key for key in numbers if takes(fields[key], -1)] == []


def takes(field: FieldInfo, value: int) -> bool:
    adapter: TypeAdapter[object] = TypeAdapter(field.rebuild_annotation())
    try:
        return isinstance(adapter.validate_python(value), (int, float))
    except ValidationError:
        return False


def test_every_secret_key_is_kept_as_a_secret() -> None:
    named = {k for k, _ in every_key(Settings) if k.endswith(("_token", "_secret", ".token"))}
    named |= {"alerts.urls", "alerts.heartbeat_url"}  # their addresses hold tokens
    typed = {k for k, f in every_key(Settings) if "SecretStr" in str(f.annotation)}
    assert named == typed
    assert len(named) == 8


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    models: list[type[BaseModel]] = [Settings]
    models += [inner[0] for _, f in every_key(Settings) if (inner := sections(f.annotation))]
    assert len(models) == 14
    for model in models:
        assert model.model_config["frozen"] is True
        assert model.model_config["extra"] == "forbid"
        assert model.model_config["hide_input_in_errors"] is True
    with pytest.raises(ValueError, match="frozen"):
        loaded(tmp_path).poll.interval_s = 1  # type: ignore[misc]  # what must not work


def test_secrets_are_listed_for_the_log_and_masked_everywhere_else(tmp_path: Path) -> None:
    canaries = {
        "shopify.client_secret": "canary-1",
        "tiktok.app_secret": "canary-2",
        "tiktok.refresh_token": "canary-3",
        "tiktok.access_token": "canary-4",
        "server.token": "canary-5",
    }
    settings = loaded(
        tmp_path, {**canaries, "shopify.access_token": GONE, "shopify.client_id": "public"}
    )
    assert sorted(settings.secrets()) == sorted(canaries.values())
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "canary" not in shown
        assert "public" in shown
    assert isinstance(settings.tiktok.app_secret, SecretStr)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"tiktok.refresh_token": "r"}, True),
        ({"tiktok.access_token": "a"}, True),
    ],
)
def test_a_seed_token_is_either_token(
    changes: dict[str, str], *, expected: bool, tmp_path: Path
) -> None:
    assert loaded(tmp_path, changes).tiktok.has_seed_token is expected
