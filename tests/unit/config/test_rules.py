"""Rules over several keys; one mistake does not hide another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from invsyncd.config import Settings
from tests.unit.config.helpers import A_TO_1, GONE, LINK, OVERRIDE, config, loaded, told

SHOPIFY_GRANT: list[tuple[dict[str, Any], str, str]] = [
    ({"shopify.access_token": GONE}, "shopify.access_token", "is required, unless client_id"),
    (
        {"shopify.client_id": "c", "shopify.client_secret": "s"},
        "shopify.access_token",
        "Keep one way to sign in",
    ),
    ({"shopify.client_id": "c"}, "shopify.access_token", "Keep one way to sign in"),
    (
        {"shopify.access_token": GONE, "shopify.client_id": "c"},
        "shopify.client_secret",
        "shopify-client-secret, or INVSYNCD_SHOPIFY__CLIENT_SECRET",
    ),
    (
        {"shopify.access_token": GONE, "shopify.client_secret": "s"},
        "shopify.client_id",
        "is required beside client_secret",
    ),
]

TIKTOK: list[tuple[dict[str, Any], str, str]] = [
    ({"tiktok.app_key": GONE}, "tiktok.app_key", "set tiktok.enabled = false"),
    ({"tiktok.app_secret": GONE}, "tiktok.app_secret", "the file tiktok-app-secret"),
    (
        {"tiktok.mapping": [A_TO_1, {"locations": ["B", "A"], "warehouse": "2"}]},
        "tiktok.mapping[2].locations",
        "a location feeds at most one warehouse",
    ),
    (
        {
            "tiktok.mapping": [
                {"locations": [5], "warehouse": "1"},
                {"locations": ["gid://shopify/Location/5"], "warehouse": "2"},
            ]
        },
        "tiktok.mapping[2].locations",
        "a location feeds at most one warehouse",
    ),
    ({"tiktok.mapping": [A_TO_1, A_TO_1]}, "tiktok.mapping[2].locations", "duplicate"),
    (
        {"tiktok.mapping": [{"locations": ["A", "A"], "warehouse": "1"}]},
        "tiktok.mapping[1].locations",
        'names "A" twice',
    ),
    (
        {"tiktok.mapping": [{"locations": ["*", "A"], "warehouse": "1"}]},
        "tiktok.mapping[1].locations",
        'Keep "*" alone',
    ),
    (
        {
            "tiktok.mapping": [
                {"locations": ["*"], "warehouse": "1"},
                {"locations": ["B"], "warehouse": "2"},
            ]
        },
        "tiktok.mapping[2]",
        "already means every active location",
    ),
    (
        {
            "tiktok.mapping": [
                {"locations": ["B"], "warehouse": "2"},
                {"locations": ["*"], "warehouse": "1"},
            ]
        },
        "tiktok.mapping[1]",
        "already means every active location",
    ),
    (
        {
            "tiktok.mapping": [
                {"locations": ["*"], "warehouse": "1"},
                {"locations": ["*"], "warehouse": "2"},
            ]
        },
        "tiktok.mapping[2]",
        "already means every active location",
    ),
    (
        {
            "tiktok.mapping": [
                {"locations": ["*"], "warehouse": "1"},
                {"locations": ["*"], "warehouse": "1"},
            ]
        },
        "tiktok.mapping[2].locations",
        "duplicate",
    ),
    (
        {"tiktok.mapping": [{**A_TO_1, "exclude_locations": ["A"]}]},
        "tiktok.mapping[1].exclude_locations",
        "Remove it from one of the two",
    ),
    (
        {"tiktok.mapping": [{**A_TO_1, "exclude_locations": ["*"]}]},
        "tiktok.mapping[1].exclude_locations",
        "would exclude every location",
    ),
    (
        {"tiktok.override": [OVERRIDE, {"skus": ["X"]}]},
        "tiktok.override[2]",
        "changes nothing",
    ),
    ({"tiktok.link": [LINK, {**LINK, "sku": "B"}]}, "tiktok.link[2]", "same product_id and sku_id"),
]

OTHERS: list[tuple[dict[str, Any], str, str]] = [
    (
        {"mirror.locations": ["A", 7], "mirror.exclude_locations": ["7"]},
        "mirror.exclude_locations",
        'names "7", which mirror.locations names too',
    ),
    ({"mirror.locations": ["*"]}, "mirror.locations", "Leave the list empty"),
    ({"mirror.exclude_locations": ["*"]}, "mirror.exclude_locations", "mirror.enabled = false"),
    (
        {"mirror.enabled": False, "tiktok.enabled": False},
        "mirror.enabled",
        "there is nothing to run",
    ),
    (
        {"poll.interval_s": 5, "poll.interval_min_s": 6},
        "poll.interval_min_s",
        "is longer than poll.interval_s, 5",
    ),
    ({"server.listen": "0.0.0.0:8787"}, "server.listen", "set server.token"),
    ({"server.actions": True}, "server.actions", "Set server.token"),
    ({"server.public_url": "http://stock.example.com"}, "server.public_url", "Use https"),
    ({"server.public_url": "https://a.example/x"}, "server.public_url", "what follows the host"),
    ({"server.listen": "[::]:8787"}, "server.listen", "set server.token"),
    ({"server.listen": "inventory.example:8787"}, "server.listen", "set server.token"),
    ({"mirror.enabled": GONE}, "mirror.enabled", "is required. Say true or false: mirroring"),
    ({"mirror": GONE}, "mirror.enabled", "is required. Say true or false: mirroring"),
    ({"tiktok.enabled": GONE}, "tiktok.enabled", "is required. Say true or false"),
    ({"tiktok": GONE}, "tiktok.enabled", "is required. Say true or false"),
    ({"shopify.shop": GONE}, "shopify.shop", "is required. The shop's own name"),
]


@pytest.mark.parametrize(("changes", "key", "expected"), [*SHOPIFY_GRANT, *TIKTOK, *OTHERS])
def test_a_broken_rule_names_the_key_and_what_to_do(
    changes: dict[str, Any], key: str, expected: str, tmp_path: Path
) -> None:
    problems = told(tmp_path, changes)
    assert list(problems) == [key]
    assert expected in problems[key]


@pytest.mark.parametrize(("changes", "key", "expected"), [*SHOPIFY_GRANT, *TIKTOK, *OTHERS])
def test_a_broken_rule_is_not_hidden_by_mistakes_elsewhere(
    changes: dict[str, Any], key: str, expected: str, tmp_path: Path
) -> None:
    """In another section, in the same section, and at the top, all at once."""
    section = key.partition(".")[0]
    elsewhere = {
        "stranger": 1,
        "log.format": 5,
        f"{section}.stranger": 1,
        "guard": "no section",
    }
    problems = told(tmp_path, {**changes, **elsewhere})
    assert {"stranger", "log.format", f"{section}.stranger", "guard"} < set(problems)
    assert expected in problems[key]
    assert len(problems) == 5


@pytest.mark.parametrize(("changes", "key", "expected"), [*SHOPIFY_GRANT, *TIKTOK, *OTHERS])
def test_settings_made_in_code_obey_the_same_rules(
    changes: dict[str, Any], key: str, expected: str
) -> None:
    with pytest.raises(ValidationError):
        Settings(**config(changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"shopify.access_token": GONE, "shopify.client_id": "c", "shopify.client_secret": "s"},
        {"poll.interval_s": 5},
        {"poll.interval_s": 5, "poll.interval_min_s": 5},
        {"mirror.enabled": False},
        {"tiktok.enabled": False},
        {"tiktok": {"enabled": False}},
        {"tiktok.mapping": [A_TO_1, {"locations": ["B"], "warehouse": "1"}]},
        {"tiktok.mapping": [A_TO_1, {"locations": ["B"], "warehouse": "2"}]},
        {"tiktok.mapping": [{"locations": ["*"], "warehouse": "1", "exclude_locations": ["A"]}]},
        {"tiktok.mapping": [{"locations": ["*"], "warehouse": "1"}, A_TO_1]},
        {"tiktok.override": [OVERRIDE, OVERRIDE]},
        {"tiktok.override": [{"skus": ["X"], "enabled": False}]},
        {"tiktok.override": [{"skus": ["X"], "reserve": 0}]},
        {"tiktok.override": [{"skus": ["X"], "zero_at": 0}]},
        {"tiktok.override": [{"skus": ["X"], "cap": 0}]},
        {"tiktok.link": [LINK, {**LINK, "sku_id": "3"}, {**LINK, "product_id": "4"}]},
        {"mirror.locations": ["A"], "mirror.exclude_locations": ["B"]},
        {"server.listen": "0.0.0.0:8787", "server.token": "t"},
        {"shopify.shop": "sandbox.test", "shopify.endpoint": "http://127.0.0.1:1"},
    ],
)
def test_what_no_rule_forbids_is_taken(changes: dict[str, Any], tmp_path: Path) -> None:
    assert told(tmp_path, changes) == {}
    assert isinstance(loaded(tmp_path, changes), Settings)


def test_a_rule_does_not_speak_about_keys_that_are_wrong_themselves(tmp_path: Path) -> None:
    problems = told(
        tmp_path,
        {
            "shopify.access_token": 5,
            "tiktok.enabled": "yes",
            "tiktok.app_key": GONE,
            "server.listen": 8787,
        },
    )
    assert set(problems) == {"shopify.access_token", "tiktok.enabled", "server.listen"}


def test_one_wrong_row_does_not_hide_the_rules_of_the_rows_before_it(tmp_path: Path) -> None:
    rows = [A_TO_1, {"locations": ["A"], "warehouse": "2"}, {"locations": "B", "warehouse": "3"}]
    problems = told(tmp_path, {"tiktok.mapping": rows})
    assert set(problems) == {"tiktok.mapping[2].locations", "tiktok.mapping[3].locations"}
