"""Bodies of answers: decoding, values of the wrong type, excerpts without secrets."""

import pytest

from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape, excerpt, json_object


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"7", b"null", b'{"a": NaN}', b"<html>", b"\xff\xfe{", b"[" * 100_000],
    ids=["empty", "cut", "list", "number", "null", "NaN", "page", "not UTF-8", "too deep"],
)
def test_a_body_that_is_not_one_json_object_is_garbled(body: bytes) -> None:
    with pytest.raises(InvalidResponse, match=r"^shopify POLL: the answer is not"):
        json_object(body, "shopify POLL")


def test_an_excerpt_is_short_printable_and_without_our_secrets() -> None:
    shown = excerpt("bad token s3cret\r\nINFO all is well\x1b[2J " + "x" * 500, ["s3cret", ""])
    assert shown.startswith("bad token *** INFO all is well [2J xxx")
    assert len(shown) == 200


def test_a_secret_on_the_edge_of_an_excerpt_is_not_cut_in_half() -> None:
    assert "s3c" not in excerpt("x" * 198 + "s3cret", ["s3cret"])


@pytest.mark.parametrize("value", [None, True, "7", 7.0, [7]])
def test_what_is_no_integer_is_no_integer(value: object) -> None:
    with pytest.raises(
        InvalidResponse, match=r"^POLL\.node\.quantity: expected an integer, found "
    ):
        Shape({"quantity": value}, "POLL.node").at("quantity").whole()


def test_what_is_missing_is_named_by_its_path() -> None:
    rows = Shape({"edges": [{"node": 1}, {}]}, "POLL").at("edges").items()
    with pytest.raises(InvalidResponse, match=r"^POLL\.edges\[1\]\.node: missing$"):
        rows[1].at("node")


def test_an_error_about_a_value_does_not_show_it() -> None:
    with pytest.raises(InvalidResponse) as caught:
        Shape("s3cret", "TOKEN").whole()
    assert "s3cret" not in str(caught.value)
