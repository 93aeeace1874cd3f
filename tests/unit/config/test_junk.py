"""Any text in the file gives the operator problems, and no secret in them."""

from __future__ import annotations

import traceback
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from invsyncd.config import ConfigProblems, Settings, load
from invsyncd.config.fields import every_key
from invsyncd.config.sources import env_name, leaves
from tests.unit.config.helpers import RIGHT, config, write

CANARY = "canary-7f3a"

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.one_of(
    st.none().map(lambda _: date(2026, 1, 1)),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    text,
    st.sampled_from(["*", "A", "follow", "acme.myshopify.com", "0.0.0.0:1", "~x/y", "http://a@b"]),
)
names = st.one_of(
    st.sampled_from(sorted({key.rpartition(".")[2] for key, _ in every_key(Settings)})),
    st.sampled_from(["self", "_env_file", "__class__", "model_config", "RULES"]),
    text,
)
junk = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)
SECTIONS = {key: list(f.annotation.model_fields) for key, f in every_key(Settings) if key in RIGHT}  # type: ignore[union-attr]  # sections are models
documents = st.one_of(
    st.dictionaries(names, junk, max_size=5),
    st.fixed_dictionaries(
        {},
        optional={
            name: st.dictionaries(st.sampled_from(keys), junk, max_size=5)
            for name, keys in SECTIONS.items()
        },
    ),
    st.dictionaries(st.sampled_from([key for key, _ in leaves()]), junk, max_size=3).map(config),
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("junk")


def outcome(path: Path, environ: dict[str, str]) -> str:
    try:
        return repr(load(path, environ))
    except ConfigProblems as raised:
        problems = raised
    assert problems.problems
    assert all(line.isprintable() for line in str(problems).split("\n"))
    return "".join(traceback.format_exception(problems))


@given(documents)
@settings(max_examples=300, deadline=None)
def test_any_toml_document_gives_settings_or_problems(
    directory: Path, document: dict[str, Any]
) -> None:
    outcome(write(directory, document), {})


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_any_bytes_give_problems(directory: Path, raw: bytes) -> None:
    path = directory / "bytes.toml"
    path.write_bytes(raw)
    with pytest.raises(ConfigProblems):
        load(path, {})


variables = st.one_of(
    st.sampled_from([env_name(key) for key, _ in leaves()]), text.map(lambda t: f"INVSYNCD_{t}")
)
values = st.one_of(
    st.text(max_size=10),
    st.sampled_from(["[", "{}", "null", "[null]", "1e999", "-0", "[{}]", '["\\ud800"]', "1_0"]),
)


@given(st.dictionaries(variables, values, max_size=4))
@settings(deadline=None)
def test_any_environment_gives_settings_or_problems(
    directory: Path, environ: dict[str, str]
) -> None:
    outcome(write(directory, RIGHT), environ)


SECRET_KEYS = [
    "shopify.access_token",
    "shopify.client_secret",
    "tiktok.app_secret",
    "tiktok.refresh_token",
    "tiktok.access_token",
    "server.token",
]
SHAPES: list[Any] = [
    CANARY,
    f"{CANARY} ",
    f"{CANARY}\n",
    f"{CANARY}é",
    [CANARY],
    {"value": CANARY},
    [[{"x": [CANARY]}]],
    73133773133713,
    73133773.5,
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("key", SECRET_KEYS)
def test_no_message_and_no_traceback_shows_a_secret(
    key: str, shape: object, tmp_path: Path
) -> None:
    shown = outcome(write(tmp_path, config({key: shape, "poll.overlap_s": -1})), {})
    assert "poll.overlap_s: must be at least 0" in shown
    assert CANARY not in shown
    assert "731337" not in shown


ELSEWHERE = [key for key, _ in leaves() if key != "secrets_dir"]  # that path is named on purpose


@pytest.mark.parametrize("key", [*ELSEWHERE, "tiktok", "shopify", "server"])
def test_a_secret_in_the_wrong_place_is_not_shown_either(key: str, tmp_path: Path) -> None:
    changes = {key: CANARY, "poll.overlap_s": -1}
    assert CANARY not in outcome(write(tmp_path, config(changes)), {})


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_broken_rule_shows_no_secret(key: str, tmp_path: Path) -> None:
    changes = {
        "shopify.client_id": "c",
        "server.listen": "0.0.0.0:1",
        "mirror.enabled": False,
        "tiktok.enabled": False,
        key: CANARY,
    }
    assert CANARY not in outcome(write(tmp_path, config(changes)), {})


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_secret_from_the_environment_is_not_shown(key: str, tmp_path: Path) -> None:
    path = write(tmp_path, config({"poll.overlap_s": -1}))
    assert CANARY not in outcome(path, {env_name(key): f"{CANARY} "})


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_the_models_own_error_shows_no_secret(key: str) -> None:
    for shape in (f"{CANARY} ", [CANARY], {"x": CANARY}):
        with pytest.raises(ValidationError) as caught:
            Settings(**config({key: shape, "tiktok.enabled": False, "mirror.enabled": False}))
        assert CANARY not in f"{caught.value}{caught.value!r}"


def test_a_toml_mistake_in_the_line_of_a_secret_does_not_show_it(tmp_path: Path) -> None:
    for line in (f'access_token = "{CANARY}', f"access_token = {CANARY}", f'"{CANARY}'):
        assert CANARY not in outcome(write(tmp_path, f"[shopify]\n{line}\n"), {})
