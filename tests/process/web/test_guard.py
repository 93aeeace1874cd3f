"""The guard: answers only our names, right tokens, and requests that change nothing."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from invsyncd.web.guard import PATH_MAX, HttpRequest, Policy, refusal

HERE = "192.0.2.7"
OPEN = Policy.of("127.0.0.1", ("Stock.Example.com", "2001:db8::5"), None)
CLOSED = Policy.of("inventory.example", (), "open-sesame")
ASKED = HttpRequest("GET", "/", ["localhost:8787"], HERE)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def status(policy: Policy, **changed: object) -> int:
    """What a request is refused with; 200 where it is not."""
    found = refusal(policy, replace(ASKED, **changed))  # type: ignore[arg-type]
    return 200 if found is None else found.status


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8787",
        "localhost.:1",
        "127.0.0.1:8787",
        "127.9.9.9",
        "[::1]:8787",
        "[::ffff:127.0.0.1]",
        f"{HERE}:8787",
        "stock.example.com",
        "STOCK.example.com.:443",
        "[2001:DB8:0::5]:8787",
    ],
)
def test_loopback_the_own_address_and_configured_names_are_answered(host: str) -> None:
    assert status(OPEN, hosts=[host]) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8787",
        "0.0.0.0:8787",
        "192.0.2.8",
        "[2001:db8::6]",
        "inventory.example",
        "localhost@evil.example",
        "localhost evil",
        "localhost/..",
        "",
        "2130706433",
        "localhost:123456",
        "lócalhost",
        "[::1",
    ],
)
def test_any_other_name_is_misdirected_and_told_the_key(host: str) -> None:
    found = refusal(OPEN, replace(ASKED, hosts=[host]))
    assert found is not None
    assert found.status == 421
    assert "server.allowed_hosts" in found.text
    assert "evil" not in found.text


def test_the_name_that_it_listens_on_is_its_own() -> None:
    assert (
        status(CLOSED, hosts=["inventory.example:8787"], authorization="Bearer open-sesame") == 200
    )


def test_an_ipv4_address_seen_through_ipv6_is_the_same_address() -> None:
    assert status(OPEN, hosts=[HERE], arrived_at=f"::ffff:{HERE}") == 200
    assert status(OPEN, hosts=["[fe80::1]"], arrived_at="fe80::1%eth0") == 200


def test_one_host_is_needed_and_only_one_but_http_1_0_needs_none() -> None:
    assert status(OPEN, hosts=[]) == 400
    assert status(OPEN, hosts=["localhost", "localhost"]) == 400
    assert status(OPEN, hosts=[], version=(1, 0)) == 200


@pytest.mark.parametrize(
    "right",
    [
        "Bearer open-sesame",
        "bearer open-sesame",
        basic("anyone:open-sesame"),
        basic(":open-sesame"),
    ],
)
def test_the_token_is_taken_from_programs_and_as_the_password_from_browsers(right: str) -> None:
    assert status(CLOSED, authorization=right) == 200


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer open-sesam",
        "Bearer open-sesame2",
        "Bearer Open-Sesame",
        "open-sesame",
        "Digest open-sesame",
        basic("open-sesame"),
        basic("open-sesame:"),
        basic("open-sesame:wrong"),
        "Basic open-sesame",
        "Basic %%%",
        "Basic é",
        "Bearer é",
        "Bearer \udcff",
    ],
)
def test_without_the_right_token_nothing_is_told_but_how_to_give_it(wrong: str) -> None:
    found = refusal(CLOSED, replace(ASKED, authorization=wrong))
    assert found is not None
    assert found.status == 401
    assert {name for name, _ in found.headers} == {"WWW-Authenticate"}
    assert [value.split()[0] for _, value in found.headers] == ["Bearer", "Basic"]
    assert "sesam" not in found.text


def test_a_wrong_name_is_refused_before_the_token_is_looked_at() -> None:
    assert status(CLOSED, hosts=["evil.example"], authorization="Bearer open-sesame") == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "XYZZY"])
def test_nothing_but_get_and_head_is_taken(method: str) -> None:
    found = refusal(OPEN, replace(ASKED, method=method))
    assert found is not None
    assert (found.status, list(found.headers)) == (405, [("Allow", "GET, HEAD")])


def test_a_body_a_long_address_and_one_for_a_proxy_are_refused() -> None:
    assert status(OPEN, method="HEAD") == 200
    assert status(OPEN, has_body=True) == 413
    assert status(OPEN, target="/" + "x" * (PATH_MAX - 1)) == 200
    assert status(OPEN, target="/" + "x" * PATH_MAX) == 414
    assert status(OPEN, target="http://localhost/") == 400
