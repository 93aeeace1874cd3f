"""Which values a key takes, one key at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.config.helpers import A_TO_1, DEFAULTS, LINK, OVERRIDE, loaded, told, value_at


def row(base: dict[str, Any], **changes: object) -> list[dict[str, Any]]:
    return [{**base, **changes}]


@pytest.mark.parametrize(("key", "expected"), DEFAULTS.items())
def test_a_key_that_is_left_out_has_the_default_of_the_contract(
    key: str, expected: object, tmp_path: Path
) -> None:
    assert value_at(loaded(tmp_path), key) == expected


TAKEN: list[tuple[str, Any, Any]] = [
    ("shopify.shop", "ACME.myshopify.com", "acme.myshopify.com"),
    ("shopify.api_version", "2027-01", "2027-01"),
    ("shopify.endpoint", "http://127.0.0.1:9", "http://127.0.0.1:9"),
    ("shopify.endpoint", "http://127.9.9.9:9/", "http://127.9.9.9:9"),
    ("shopify.endpoint", "http://[::1]:9", "http://[::1]:9"),
    ("shopify.endpoint", "http://localhost:9", "http://localhost:9"),
    ("shopify.endpoint", "https://proxy.example:8443", "https://proxy.example:8443"),
    ("tiktok.endpoint", "http://127.0.0.1:9", "http://127.0.0.1:9"),
    ("tiktok.auth_endpoint", "http://127.0.0.1:9", "http://127.0.0.1:9"),
    ("poll.interval_s", 0.2, 0.2),
    ("poll.interval_s", 15, 15.0),
    ("poll.interval_min_s", 1, 1.0),
    ("poll.overlap_s", 0, 0.0),
    ("mirror.locations", [12, "34", "gid://shopify/Location/56"], ("12", "34", "56")),
    ("mirror.exclude_locations", [" Outlet "], ("Outlet",)),
    ("mirror.product_types", [" kept as it is "], (" kept as it is ",)),
    ("mirror.unlevelled", "latest", "latest"),
    ("mirror.on_conflict", "hold", "hold"),
    ("mirror.sale_max", 0, 0),
    ("tiktok.percent", 0, 0),
    ("tiktok.cap", 0, 0),
    ("tiktok.unlimited_quantity", 0, 0),
    ("tiktok.order_hold_s", 0, 0.0),
    ("tiktok.shop_id", 7, "7"),
    ("tiktok.count_mirrored", "each", "each"),
    ("tiktok.bundles", "components", "components"),
    ("guard.max_zeroed_percent", 0, 0),
    ("guard.max_changed_percent", 100, 100),
    ("server.listen", "[::1]:0", "[::1]:0"),
    (
        "server.allowed_hosts",
        ["Stock.example.com", "[2001:db8::5]", "192.0.2.7"],
        ("Stock.example.com", "2001:db8::5", "192.0.2.7"),
    ),
    ("daemon.shutdown_s", 0, 0.0),
    ("log.format", "json", "json"),
    ("log.level", "debug", "debug"),
]


@pytest.mark.parametrize(("key", "given", "expected"), TAKEN)
def test_a_value_within_its_bounds_is_taken(
    key: str, given: object, expected: object, tmp_path: Path
) -> None:
    assert value_at(loaded(tmp_path, {key: given}), key) == expected


REFUSED: list[tuple[str, Any, str]] = [
    ("shopify.shop", "", "is empty"),
    ("shopify.shop", "https://acme.myshopify.com", "without https://"),
    ("shopify.shop", "acme.myshopify.com/admin", "without a path"),
    ("shopify.shop", "acme", "not a shop's host name"),
    ("shopify.shop", "shop.acme.com", "does not end in .myshopify.com"),
    ("shopify.api_version", "2026-13", "is not an API version"),
    ("shopify.api_version", "26-10", "is not an API version"),
    ("shopify.api_version", "2026-01", "is older than 2026-04"),
    ("shopify.api_version", "2024-10", "is older than 2026-04"),
    ("tiktok.exclude_locations", ["*"], "would exclude every location"),
    ("shopify.api_version", "2026-10\n", "is not an API version"),
    ("shopify.endpoint", "http://acme.myshopify.com", "plain http to another machine"),
    ("shopify.endpoint", "http://128.0.0.1", "plain http to another machine"),
    ("shopify.endpoint", "http://localhost.evil.example", "plain http to another machine"),
    ("shopify.endpoint", "http://0.0.0.0:9", "plain http to another machine"),
    ("shopify.endpoint", "https://user:pw@acme.myshopify.com", "user name or password"),
    ("shopify.endpoint", "https://acme.myshopify.com?x=1", "more than scheme, host and port"),
    ("shopify.endpoint", "https://acme.myshopify.com/?", "more than scheme, host and port"),
    ("shopify.endpoint", "https://acme.myshopify.com#x", "more than scheme, host and port"),
    ("shopify.endpoint", "https://acme.myshopify.com/admin", "more than scheme, host and port"),
    ("shopify.endpoint", "https://acme.myshopify.com:99999", "is not a URL"),
    ("shopify.endpoint", "https://acme.myshopify.com:0", "port 0"),
    ("shopify.endpoint", "https://[::1", "is not a URL"),
    ("shopify.endpoint", "https://", "not an http(s) URL"),
    ("shopify.endpoint", "acme.myshopify.com", "not an http(s) URL"),
    ("shopify.endpoint", "ftp://acme.myshopify.com", "not an http(s) URL"),
    ("shopify.endpoint", "https://ac me.myshopify.com", "not an http(s) URL"),
    ("shopify.endpoint", "https://a\\@evil.example", "not an http(s) URL"),
    ("shopify.access_token", "", "is empty"),
    ("shopify.access_token", "shpat_x ", "Copy it again"),
    ("shopify.access_token", "shpat_…", "Copy it again"),
    ("tiktok.endpoint", "http://open-api.tiktokglobalshop.com", "plain http"),
    ("tiktok.auth_endpoint", "http://auth.tiktok-shops.com", "plain http"),
    ("poll.interval_s", 0, "at least 0.01"),
    ("poll.interval_s", 3601, "at most 3600"),
    ("poll.interval_s", float("nan"), "finite number"),
    ("poll.interval_s", float("inf"), "finite number"),
    ("poll.interval_s", "15", "must be a number"),
    ("poll.interval_s", True, "must be a number"),
    ("poll.interval_min_s", 0, "at least 0.01"),
    ("poll.overlap_s", -1, "at least 0"),
    ("poll.catalogue_interval_s", 0, "at least 0.01"),
    ("poll.full_scan_interval_s", 0, "at least 0.01"),
    ("mirror.enabled", "true", "true or false"),
    ("mirror.enabled", 1, "true or false"),
    ("mirror.locations", "A", "must be a list"),
    ("mirror.unlevelled", "first", "must be one of 'follow', 'hold', 'lowest', 'highest'"),
    ("mirror.on_conflict", "highest", "must be one of 'lowest', 'latest', 'sum' or 'hold'"),
    ("mirror.sale_max", -1, "at least 0"),
    ("mirror.sale_max", 1.5, "whole number"),
    ("mirror.sale_max", True, "whole number"),
    ("tiktok.percent", -1, "at least 0"),
    ("tiktok.percent", 101, "at most 100"),
    ("tiktok.percent", True, "whole number"),
    ("tiktok.percent", 50.0, "whole number"),
    ("tiktok.percent", "50", "whole number"),
    ("tiktok.reserve", -1, "at least 0"),
    ("tiktok.zero_at", -1, "at least 0"),
    ("tiktok.cap", -1, "at least 0"),
    ("tiktok.unlimited_quantity", 1_000_000, "at most 999999"),
    ("tiktok.order_hold_s", -1, "at least 0"),
    ("tiktok.count_mirrored", "twice", "must be one of 'once' or 'each'"),
    ("tiktok.bundles", "parts", "must be one of 'own' or 'components'"),
    ("tiktok.audit_interval_s", 0, "at least 0.01"),
    ("tiktok.listing_interval_s", 0, "at least 0.01"),
    ("tiktok.app_key", "", "is empty"),
    ("tiktok.shop_id", True, "text in quotes"),
    ("guard.max_zeroed_percent", 101, "at most 100"),
    ("guard.max_changed_percent", -1, "at least 0"),
    ("server.listen", "127.0.0.1", "is not host:port"),
    ("server.listen", ":8787", "is not host:port"),
    ("server.listen", "::1:8787", "is not host:port"),
    ("server.listen", "127.0.0.1:65536", "is not host:port"),
    ("server.listen", "127.0.0.1:٣", "is not host:port"),
    ("state.path", "", "is not a path"),
    ("state.path", "a\0b", "is not a path"),
    ("state.path", 5, "a path in quotes"),
    ("daemon.shutdown_s", -1, "at least 0"),
    ("daemon.shutdown_s", 301, "at most 300"),
    ("log.format", "xml", "must be one of 'text' or 'json'"),
    ("log.level", "loud", "must be one of 'debug'"),
]


@pytest.mark.parametrize(("key", "given", "expected"), REFUSED)
def test_a_value_beyond_its_bounds_is_refused_with_what_is_expected(
    key: str, given: object, expected: str, tmp_path: Path
) -> None:
    problems = told(tmp_path, {key: given})
    assert list(problems) == [key]
    assert expected in problems[key]


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("mirror.product_types", ["a", 1], "text in quotes"),
        ("mirror.locations", ["a", True], "text in quotes"),
        ("mirror.exclude_locations", ["a", ""], "is empty"),
        ("server.allowed_hosts", ["a", "stock.example.com:8787"], "is not the name or the addr"),
        ("server.allowed_hosts", ["a", "https://stock.example.com"], "is not the name or the addr"),
        ("server.allowed_hosts", ["a", "*"], "is not the name or the address of a host"),
    ],
)
def test_a_wrong_entry_of_a_list_is_named_by_its_position(
    key: str, given: list[object], expected: str, tmp_path: Path
) -> None:
    problems = told(tmp_path, {key: given})
    assert list(problems) == [f"{key}[2]"]
    assert expected in problems[f"{key}[2]"]


ROWS_REFUSED: list[tuple[str, list[dict[str, Any]], str, str]] = [
    ("mapping", row(A_TO_1, locations=[]), "tiktok.mapping[1].locations", "at least one"),
    ("mapping", row(A_TO_1, locations=["A", ""]), "tiktok.mapping[1].locations[2]", "is empty"),
    ("mapping", row(A_TO_1, locations=["A", " "]), "tiktok.mapping[1].locations[2]", "is empty"),
    ("mapping", row(A_TO_1, warehouse=""), "tiktok.mapping[1].warehouse", "is empty"),
    ("mapping", [{"locations": ["A"]}], "tiktok.mapping[1].warehouse", "is required"),
    ("override", row(OVERRIDE, skus=[]), "tiktok.override[1].skus", "at least one"),
    ("override", row(OVERRIDE, skus=[""]), "tiktok.override[1].skus[1]", "is empty"),
    ("override", row(OVERRIDE, percent=101), "tiktok.override[1].percent", "at most 100"),
    ("override", row(OVERRIDE, percent=True), "tiktok.override[1].percent", "whole number"),
    ("override", row(OVERRIDE, cap=-1), "tiktok.override[1].cap", "at least 0"),
    ("override", row(OVERRIDE, enabled=0), "tiktok.override[1].enabled", "true or false"),
    ("link", row(LINK, sku=""), "tiktok.link[1].sku", "is empty"),
    ("link", row(LINK, product_id=""), "tiktok.link[1].product_id", "is empty"),
    ("link", [LINK, {"sku": "x", "product_id": "3"}], "tiktok.link[2].sku_id", "is required"),
]


@pytest.mark.parametrize(("table", "rows", "key", "expected"), ROWS_REFUSED)
def test_a_wrong_table_row_is_named_by_its_position(
    table: str, rows: list[dict[str, Any]], key: str, expected: str, tmp_path: Path
) -> None:
    problems = told(tmp_path, {f"tiktok.{table}": rows})
    assert list(problems) == [key]
    assert expected in problems[key]


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:8787", ("127.0.0.1", 8787)),
        ("[::1]:80", ("::1", 80)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_the_server_address_is_taken_apart(
    listen: str, address: tuple[str, int], tmp_path: Path
) -> None:
    assert loaded(tmp_path, {"server.listen": listen}).server.address == address


def test_ids_in_tables_may_be_written_without_quotes(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        {
            "tiktok.mapping": [{"locations": [5], "warehouse": 7054915283043174149}],
            "tiktok.link": [{"sku": "TEE", "product_id": 1, "sku_id": 2}],
        },
    )
    assert settings.tiktok.mapping[0].locations == ("5",)
    assert settings.tiktok.mapping[0].warehouse == "7054915283043174149"
    assert (settings.tiktok.link[0].product_id, settings.tiktok.link[0].sku_id) == ("1", "2")
