"""The messages about problems: unknown keys, the order, the lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.config import ConfigProblems, load
from tests.unit.config.helpers import A_TO_1, config, told, write


@pytest.mark.parametrize(
    ("changes", "key", "expected"),
    [
        ({"mirror.exlude_locations": []}, "mirror.exlude_locations", "mirror.exclude_locations?"),
        ({"miror": {"enabled": True}}, "miror", "did you mean mirror?"),
        ({"interval_s": 5}, "interval_s", "did you mean poll.interval_s?"),
        ({"poll.sale_max": 5}, "poll.sale_max", "did you mean mirror.sale_max?"),
        ({"tiktok.mappings": []}, "tiktok.mappings", "did you mean tiktok.mapping?"),
        ({"state.file": "x"}, "state.file", "Known here: path"),
        ({"_env_file": "x"}, "_env_file", "Known here: secrets_dir, shopify,"),
        ({"_secrets_dir": "/"}, "_secrets_dir", "did you mean secrets_dir?"),
        ({"self": 1}, "self", "unknown key"),
        ({'a"b\n': 1}, '"a\\"b\\n"', "unknown key"),
        ({"x" * 500: 1}, "x" * 64 + "…", "unknown key"),
        (
            {"tiktok.mapping": [A_TO_1, {"locations": ["B"], "warehouse": "2", "warehose": "2"}]},
            "tiktok.mapping[2].warehose",
            "did you mean tiktok.mapping.warehouse?",
        ),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(
    changes: dict[str, Any], key: str, expected: str, tmp_path: Path
) -> None:
    problems = told(tmp_path, changes)
    assert list(problems) == [key]
    assert problems[key].startswith("unknown key")
    assert expected in problems[key]


def test_all_problems_are_shown_one_line_each_in_the_order_of_the_sections(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        config({"log.level": 1, "mirror.sale_max": -1, "shopify.acess_token": "x", "poll": 3}),
    )
    with pytest.raises(ConfigProblems) as caught:
        load(path, {})
    assert str(caught.value).splitlines() == [
        f"{path} has 4 problems",
        "  shopify.acess_token: unknown key; did you mean shopify.access_token?",
        "  poll: must be a section with keys.",
        "  mirror.sale_max: must be at least 0.",
        "  log.level: must be one of 'debug', 'info', 'warning' or 'error'.",
    ]
    assert caught.value.advice == "config.example.toml explains every key"


def test_one_problem_is_not_called_problems(tmp_path: Path) -> None:
    path = write(tmp_path, config({"poll": 3}))
    with pytest.raises(ConfigProblems, match=r"config\.toml has 1 problem\n"):
        load(path, {})
