"""What an answer of a set-up means, and the message to a wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from invsyncd.core.model import Unlevelled
from invsyncd.setup.answers import Answers, Ask, Feeds, WrongAnswer
from invsyncd.setup.questions import QUESTIONS
from tests.unit.setup.facts import APP, learnt


def read(key: Ask, text: str, answers: Answers = APP) -> Any:
    return QUESTIONS[key].read(text, answers, learnt())


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        (Ask.SHOP, "acme", "acme.myshopify.com"),
        (Ask.SHOP, " ACME.myshopify.com/ ", "acme.myshopify.com"),
        (Ask.SHOP, "https://acme.myshopify.com/admin", "acme.myshopify.com"),
        (Ask.SHOP, "https://admin.shopify.com/store/acme-2/apps", "acme-2.myshopify.com"),
        (Ask.SHOP, '"acme"', "acme.myshopify.com"),
        (Ask.CLIENT_ID, " abc123def ", "abc123def"),
        (Ask.CLIENT_ID, "", ""),
        (Ask.SECRET, "shpss_x ", "shpss_x"),
        (Ask.LOCATIONS, "1 3", (11, 13)),
        (Ask.LOCATIONS, "Berlin, vienna", (11, 13)),
        (Ask.LOCATIONS, "11,12", (11, 12)),
        (Ask.LOCATIONS, "1, 1, 2", (11, 12)),
        (Ask.LOCATIONS, "all", (11, 12, 13)),
        (Ask.LOCATIONS, "none", ()),
        (Ask.UNLEVELLED, "", Unlevelled.FOLLOW),
        (Ask.UNLEVELLED, "low", Unlevelled.LOWEST),
        (Ask.APP_KEY, "", ""),
        (Ask.SERVICE, "7123", ("7123", None)),
        (
            Ask.SERVICE,
            "https://services.us.tiktokshop.com/open/authorize?service_id=7123",
            ("7123", True),
        ),
        (
            Ask.SERVICE,
            "https://services.tiktokshop.com/open/authorize?service_id=7123&state=x",
            ("7123", False),
        ),
        (Ask.US, "Y", True),
        (Ask.US, "no", False),
        (Ask.CODE, "https://acme.com/cb?app_key=key-1234&code=ROW_ab%2Bc&locale=en", "ROW_ab+c"),
        (Ask.CODE, "ROW_abcdef", "ROW_abcdef"),
        (Ask.CODE, "code=ROW_abcdef&locale=en", "ROW_abcdef"),
        (Ask.TIKTOK_SHOP, "2", "7002"),
        (Ask.TIKTOK_SHOP, "acme uk", "7001"),
        (
            Ask.MAPPING,
            "1 2 = 1; 3 = 2",
            (Feeds(("Berlin", "Paris"), "701"), Feeds(("Vienna",), "702")),
        ),
        (Ask.MAPPING, "* = Vienna", (Feeds(("*",), "702"),)),
        (Ask.MAPPING, "Berlin, Paris = 701", (Feeds(("Berlin", "Paris"), "701"),)),
    ],
)
def test_an_answer_is_read_as_it_is_meant(key: Ask, text: str, value: object) -> None:
    assert read(key, text) == value


WRONG = [
    (Ask.SHOP, "acme.com", "own domain", ".myshopify.com"),
    (Ask.SHOP, "my shop", "no name of a shop", "acme.myshopify.com"),
    (Ask.SHOP, "", "no name of a shop", "acme.myshopify.com"),
    (Ask.CLIENT_ID, "shpat_canary", "is a secret", "client ID"),
    (Ask.CLIENT_ID, "a b", "no client ID", "Dev Dashboard"),
    (Ask.SECRET, "", "is empty", "paste it"),
    (Ask.SECRET, "can ary", "odd character", "copy it again"),
    (Ask.SECRET, "shpat_canary", "access token, not the client secret", "below the client ID"),
    (Ask.SECRET, "client-1234", "client ID again", "below it"),
    (Ask.LOCATIONS, "", "nothing to be mirrored with", "none"),
    (Ask.LOCATIONS, "1", "nothing to be mirrored with", "two or more"),
    (Ask.LOCATIONS, "1 9", '"9" is none of the locations', "numbers"),
    (Ask.LOCATIONS, "Old shop, Berlin", '"Old shop" is none', "numbers"),
    (Ask.LOCATIONS, "1 4", "kept by a fulfilment service", "leave it out"),
    (Ask.UNLEVELLED, "l", "none of the choices", "follow"),
    (Ask.APP_KEY, "a b c", "no app key", "Partner Center"),
    (Ask.APP_SECRET, "key-1234", "app key again", "app secret"),
    (Ask.SERVICE, "acme", "no service ID", "Partner Center"),
    (Ask.US, "maybe", "neither yes nor no", "y or n"),
    (Ask.CODE, "", "no address", "whole address"),
    (Ask.CODE, "https://acme.com/cb?error=denied", "has no code=", "consent first"),
    (
        Ask.CODE,
        "https://services.tiktokshop.com/open/authorize?service_id=1",
        "link itself",
        "open",
    ),
    (Ask.CODE, "https://acme.com/cb?app_key=other&code=x", "another app", "open the link"),
    (Ask.TIKTOK_SHOP, "3", "none of the shops", "1 to 2"),
    (Ask.MAPPING, "", "no warehouse is fed", "1 2 = 1"),
    (Ask.MAPPING, "1 2", "no mapping", "1 2 = 1"),
    (Ask.MAPPING, "1 = 9", "not one of the warehouses", "1 to 2"),
    (Ask.MAPPING, "1 = Returns", "not one of the warehouses", "1 to 2"),
    (Ask.MAPPING, "* = 1; 3 = 2", "is every location", "alone"),
    (Ask.MAPPING, "3 = 1; 3 = 2", "offered twice", "once"),
    (Ask.MAPPING, "1 = 1; 2 = 2", "mirrored locations are one stock", "same warehouse"),
]


@pytest.mark.parametrize(("key", "text", "message", "advice"), WRONG)
def test_a_wrong_answer_is_named_and_says_what_to_do(
    key: Ask, text: str, message: str, advice: str
) -> None:
    with pytest.raises(WrongAnswer) as wrong:
        read(key, text)
    assert message in str(wrong.value)
    assert advice in wrong.value.advice
    assert "canary" not in f"{wrong.value}{wrong.value.advice}"


def test_the_secret_of_an_app_is_no_access_token() -> None:
    with pytest.raises(WrongAnswer, match="not its access token") as wrong:
        read(Ask.SECRET, "shpss_canary", Answers(client_id=""))
    assert wrong.value.again == (Ask.CLIENT_ID, Ask.SECRET)


def test_nothing_to_mirror_and_no_tiktok_is_nothing_to_do() -> None:
    with pytest.raises(WrongAnswer, match="nothing to do") as wrong:
        read(Ask.APP_KEY, "", Answers(locations=()))
    assert wrong.value.again == (Ask.LOCATIONS, Ask.APP_KEY)


def test_no_answer_shows_a_secret_when_it_is_printed() -> None:
    answers = Answers(secret="canary-1", app_secret="canary-2", code="canary-3")
    assert "canary" not in repr(answers)
