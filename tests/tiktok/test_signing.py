import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.tiktok.signing import sign

VECTORS = Path(__file__).parent.parent / "sandbox" / "tiktok_vectors.json"


def vectors() -> list[Any]:
    listed: list[Any] = json.loads(VECTORS.read_text(encoding="utf-8"))["request_signing"]
    return listed


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: str(vector["name"]))
def test_a_signature_is_what_others_compute(vector: dict[str, Any]) -> None:
    made = sign(
        vector["app_secret"],
        vector["path"],
        dict(vector["query"]),
        vector["body"].encode(),
        vector["content_type"],
    )
    assert made == vector["sign"]


pairs = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=8))


@given(pairs, st.binary(max_size=20), st.randoms())
def test_the_order_of_the_parameters_and_the_unsigned_ones_do_not_matter(
    parameters: dict[str, str], body: bytes, dice: Any
) -> None:
    shuffled = list(parameters.items())
    dice.shuffle(shuffled)
    more = {**dict(shuffled), "sign": "x", "access_token": "y"}
    fewer = {key: value for key, value in parameters.items() if key not in ("sign", "access_token")}
    assert sign("s", "/p", more, body, None) == sign("s", "/p", fewer, body, None)


@given(pairs, st.binary(min_size=1, max_size=20), st.text(min_size=1, max_size=5))
def test_every_part_of_a_call_matters(parameters: dict[str, str], body: bytes, more: str) -> None:
    made = sign("s", "/p", parameters, body, "application/json")
    assert made == made.lower()
    assert len(made) == 64
    others = [
        sign("s" + more, "/p", parameters, body, "application/json"),
        sign("s", "/p/" + more, parameters, body, "application/json"),
        sign("s", "/p", {**parameters, "zz_top_ten": more}, body, "application/json"),
        sign("s", "/p", parameters, body + b"!", "application/json"),
    ]
    assert made not in others


def test_a_multipart_body_takes_no_part() -> None:
    kind = "multipart/form-data; boundary=x"
    assert sign("s", "/p", {}, b"a", kind) == sign("s", "/p", {}, b"b", kind)
