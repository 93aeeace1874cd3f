"""The defects that hostile answers found, each by its name."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest

from invsyncd.errors import InvalidResponse
from invsyncd.mirror.lookback import Progress
from invsyncd.net.decode import WHOLE_MAX, Shape, excerpt, json_object
from invsyncd.net.http import RETRY_AFTER_S_MAX, Answer, http_date
from invsyncd.net.masking import masked
from invsyncd.shopify import parse
from invsyncd.shopify.polling import Page
from invsyncd.shopify.reply import error_code, opened
from invsyncd.store import copy_to, prepare
from invsyncd.tiktok import shop as tiktok_shop
from invsyncd.tiktok.client import TikTokReply
from invsyncd.tiktok.parse import id_text
from invsyncd.tiktok.shop import TikTokShop
from invsyncd.tiktok.tokens import read_pair
from tests.process.secrets.canaries import forms
from tests.support.virtual import virtual

SECRET = "shpat_0f3a77Canary/e19b+42"


@pytest.mark.parametrize("number", [WHOLE_MAX + 1, -WHOLE_MAX - 1, 10**400])
def test_an_integer_that_no_database_holds_is_garbled(number: int) -> None:
    with pytest.raises(InvalidResponse):
        Shape(number, "x").whole()


def test_more_units_than_32_bits_hold_are_garbled() -> None:
    with pytest.raises(InvalidResponse):
        parse.whole_units(Shape({"quantity": 2**31 + 1}, "x"), "quantity")


@pytest.mark.parametrize(
    "value", [None, 7, 7.0, "7", True, [], {}, WHOLE_MAX + 1, "x" * 10_001], ids=repr
)
def test_a_member_read_at_once_is_judged_and_named_as_one_read_by_steps(value: object) -> None:
    owner = Shape({"it": value}, "x")
    assert _outcome(lambda: owner.text_at("it")) == _outcome(lambda: owner.at("it").text())
    assert _outcome(lambda: owner.whole_at("it")) == _outcome(lambda: owner.at("it").whole())
    assert _outcome(lambda: owner.flag_at("it")) == _outcome(lambda: owner.at("it").flag())
    assert _outcome(lambda: owner.text_at("no")) == _outcome(lambda: owner.at("no").text())


def _outcome(read: Callable[[], object]) -> tuple[type, object]:
    try:
        found = read()
    except InvalidResponse as error:
        return InvalidResponse, str(error)
    return type(found), found


@pytest.mark.parametrize("digits", ["9" * 5000, "9" * 19, "٣"])
def test_an_id_of_too_many_or_foreign_digits_is_garbled(digits: str) -> None:
    with pytest.raises(InvalidResponse):
        parse.number(Shape(f"gid://shopify/Location/{digits}", "x"), "Location")


def test_half_a_character_is_garbled_before_it_reaches_the_database() -> None:
    with pytest.raises(InvalidResponse):
        Shape(json.loads('"\\ud800"'), "x").text()


@pytest.mark.parametrize(
    "body",
    [b'{"quantity": 1, "quantity": 0}', '{"a": 1}'.encode("utf-16"), b'{"a": "\xed\xa0\x80"}'],
    ids=["a name twice", "UTF-16", "half a character in UTF-8"],
)
def test_json_that_python_reads_and_the_standard_forbids_is_garbled(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        json_object(body, "x")


def test_a_price_tag_beyond_all_numbers_is_no_price() -> None:
    cost = b'{"requestedQueryCost": 1' + b"0" * 400 + b"}"
    body = b'{"data": {}, "extensions": {"cost": ' + cost + b"}}"
    assert opened(Answer(200, body, {}, None), "x", ()).cost.requested is None


def test_a_stamp_that_lies_ahead_would_stand_before_every_later_change_and_is_garbled() -> None:
    with pytest.raises(InvalidResponse):
        parse.not_ahead(parse.AHEAD_S_MAX + 1001, 1000, "POLL")
    parse.not_ahead(parse.AHEAD_S_MAX + 1000, 1000, "POLL")


def test_a_date_far_ahead_moves_no_watermark() -> None:
    progress = Progress(80, far=False, mark=100)
    progress.saw(Page((), 9_000))
    assert progress.mark == 100
    progress.saw(Page((), None, newest=9_000))
    assert progress.mark == 100, "later pages say nothing of when the first was made"


def test_nobody_can_silence_us_for_longer_than_an_hour() -> None:
    assert Answer(429, b"", {"Retry-After": "31536000"}, 0).retry_after_s == RETRY_AFTER_S_MAX
    assert http_date("Fri, 31 Dec 9999 23:59:59 GMT") is None


@pytest.mark.parametrize("text", ["../../x", "a/b", "1?x=2", "", "a\x00b", "x" * 65])
def test_an_id_that_would_change_the_path_of_a_request_is_garbled(text: str) -> None:
    with pytest.raises(InvalidResponse):
        id_text(Shape(text, "x"))


def told(**members: object) -> Shape:
    return Shape(members, "tiktok TOKEN")


def test_an_empty_token_never_takes_the_place_of_a_living_one() -> None:
    with pytest.raises(InvalidResponse):
        read_pair(told(access_token="", refresh_token=""), "old")
    kept = read_pair(told(access_token="new", refresh_token=7, access_token_expire_in="x"), "old")
    assert (kept.access_token, kept.refresh_token, kept.access_expires_at) == ("new", "old", 0)
    half = read_pair(told(access_token=None, refresh_token="new"), "old")
    assert (half.access_token, half.refresh_token) == ("", "new")


class Endless:
    """A search that always has a next page, or always too much."""

    def __init__(self, *, token: bool, total: int) -> None:
        self._token, self._total, self.asked = token, total, 0

    async def call(self, *_: object, **__: object) -> TikTokReply:
        self.asked += 1
        token = f"page-{self.asked}" if self._token else ""
        data: dict[str, object] = {
            "products": [], "next_page_token": token, "total_count": self._total,
        }  # fmt: skip
        return TikTokReply(data, "", "")


@virtual
async def test_a_search_without_an_end_comes_to_one() -> None:
    for client in (Endless(token=True, total=1), Endless(token=False, total=10**9)):
        shop = TikTokShop(client)  # type: ignore[arg-type]
        with (
            patch.object(tiktok_shop, "SEARCHES_MAX", 200),
            pytest.raises(InvalidResponse, match="does not end"),
        ):
            async for _ in shop.listings():
                pass
        assert client.asked == 200


def test_an_error_code_that_is_no_code_is_not_shown() -> None:
    assert error_code("CHANGE_FROM_QUANTITY_STALE") == "CHANGE_FROM_QUANTITY_STALE"
    assert [error_code(one) for one in (SECRET, "x", None, 7, "A" * 65)] == [""] * 5


def test_a_secret_is_masked_in_every_form_and_when_it_is_cut_off() -> None:
    raw = SECRET.encode()
    spelt = (SECRET, SECRET[:14], raw.hex(), "shpat_0f3a77Canary%2Fe19b%2B42")
    for one in spelt:
        shown = masked(f"token {one}, sorry", (SECRET,))
        assert not any(form in shown.encode() for form in forms(SECRET))
        assert shown.endswith("sorry")


def test_an_error_text_of_megabytes_is_not_looked_through_character_by_character() -> None:
    assert len(excerpt("\u202e" + "x" * 30_000_000)) <= 200


def test_a_copy_is_never_open_to_others_and_a_restored_one_is_closed(tmp_path: Path) -> None:
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"
    prepare(state)
    state.chmod(0o644)
    prepare(state)
    assert state.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(state)) as database:
        copy_to(database, copy)
    assert copy.stat().st_mode & 0o777 == 0o600
