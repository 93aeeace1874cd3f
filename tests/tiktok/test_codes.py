import pytest

from invsyncd.sandbox.tiktok.envelope import REFUSALS
from invsyncd.tiktok.codes import Trouble, trouble, wrong_clock


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (36009002, "Too many requests.", Trouble.THROTTLE),
        (12052109, "number of requests from merchants over limit", Trouble.THROTTLE),
        (36009003, "Internal error. Please try again", Trouble.RETRY),
        (36009007, "Request timeout", Trouble.RETRY),
        (12001000, "", Trouble.RETRY),
        (105002, "Expired credentials", Trouble.REFRESH),
        (36009004, "The `x-tts-access-token` header is invalid.", Trouble.REFRESH),
        (36009004, "Invalid credentials. The `app_key` …", Trouble.HALT),
        (36009004, "Missing credentials. … signature", Trouble.HALT),
        (36009004, "Invalid timestamp: earlier than 5 minutes", Trouble.RETRY),
        (36009004, "Unexpected identifier shop_cipher", Trouble.BUG),
        (36009004, "invalid param error", Trouble.BUG),
        (106001, "The `sign` query parameter is invalid.", Trouble.HALT),
        (36009033, "", Trouble.HALT),
        (101000, "", Trouble.HALT),
        (12052700, "", Trouble.HALT),
        (12052901, "", Trouble.PARK),
        (12052393, "", Trouble.PARK),
        (12052144, "", Trouble.PARK),
        (12052097, "The warehouse does not exist", Trouble.WAREHOUSES),
        (12019028, "", Trouble.WAREHOUSES),
        (12052030, "", Trouble.REDISCOVER),
        (12052556, "", Trouble.REDISCOVER),
        (12019024, "", Trouble.CLAMP),
        (12052055, "", Trouble.CLAMP),
        (12052486, "", Trouble.BUG),
        (12052180, "", Trouble.BUG),
        (99999999, "never seen", Trouble.REFUSED),
    ],
)
def test_a_code_asks_for_what_the_documents_say(code: int, message: str, expected: Trouble) -> None:
    assert trouble(code, message) is expected


def test_only_the_overloaded_code_speaks_of_the_clock() -> None:
    assert wrong_clock(36009004, "Invalid timestamp")
    assert not wrong_clock(36009003, "Invalid timestamp")
    assert not wrong_clock(36009004, "Invalid credentials")


@pytest.mark.parametrize("name", REFUSALS)
def test_whatever_the_sandbox_refuses_is_sorted(name: str) -> None:
    _, code, message = REFUSALS[name]
    assert trouble(code, message) is not Trouble.REFUSED
