"""TikTok's error codes, sorted as their documents ask."""

import itertools

import pytest

from invsyncd.sandbox.tiktok.envelope import REFUSALS
from invsyncd.tiktok import errors
from invsyncd.tiktok.errors import Trouble, login_helps, seriousness, trouble, wrong_clock

# Every code of the documents' error tables that a caller of ours can meet, one by one. Written
# from them and not from the code.
DOCUMENTED = [
    # The gateway.
    (36009002, Trouble.THROTTLE),
    (36009003, Trouble.RETRY),
    (36009007, Trouble.RETRY),
    (36009009, Trouble.BUG),
    (36009010, Trouble.BUG),
    (36009014, Trouble.BUG),
    (36009022, Trouble.BUG),
    (36009023, Trouble.BUG),
    (36009033, Trouble.HALT),
    (106001, Trouble.HALT),
    (106013, Trouble.HALT),
    (105001, Trouble.REFRESH),
    (105002, Trouble.REFRESH),
    (105004, Trouble.HALT),
    (105005, Trouble.HALT),
    (101000, Trouble.HALT),
    # The token host.
    (36004001, Trouble.HALT),
    (36004004, Trouble.HALT),
    (36004005, Trouble.HALT),
    # Inside their house.
    (12001000, Trouble.RETRY),
    (12052881, Trouble.RETRY),
    (33001002, Trouble.RETRY),
    (12052109, Trouble.THROTTLE),
    # The seller.
    (12052700, Trouble.HALT),
    (12019114, Trouble.HALT),
    (12009014, Trouble.HALT),
    # Products that are missing, invalid, or of another shop.
    (12052030, Trouble.REDISCOVER),
    (12052031, Trouble.REDISCOVER),
    (12052032, Trouble.REDISCOVER),
    (12052034, Trouble.REDISCOVER),
    (12052048, Trouble.REDISCOVER),
    (12052260, Trouble.REDISCOVER),
    (12019150, Trouble.REDISCOVER),
    (12019008, Trouble.REDISCOVER),
    # SKUs that are missing, unknown, foreign, twice there, or none.
    (12052036, Trouble.REDISCOVER),
    (12052556, Trouble.REDISCOVER),
    (12052557, Trouble.REDISCOVER),
    (12052553, Trouble.REDISCOVER),
    (12052902, Trouble.REDISCOVER),
    # A status that forbids it.
    (12052901, Trouble.PARK),
    (12019113, Trouble.PARK),
    # The set of warehouses is not the SKU's own.
    (12019022, Trouble.WAREHOUSES),
    (12019028, Trouble.WAREHOUSES),
    (12052037, Trouble.WAREHOUSES),
    (12052097, Trouble.WAREHOUSES),
    (12052530, Trouble.WAREHOUSES),
    (12052533, Trouble.WAREHOUSES),
    (12052555, Trouble.WAREHOUSES),
    # A warehouse that may not be written, or not by us; no permission for several.
    (12052531, Trouble.PARK),
    (12052403, Trouble.PARK),
    (12052532, Trouble.PARK),
    (12052364, Trouble.PARK),
    (12052094, Trouble.PARK),
    (12052144, Trouble.PARK),
    (12052382, Trouble.PARK),
    # The stock of another shop's product.
    (12052921, Trouble.PARK),
    # The quantity.
    (12019024, Trouble.CLAMP),
    (12052055, Trouble.CLAMP),
    (12052486, Trouble.BUG),
    # A promotion, an auction.
    (12052393, Trouble.PARK),
    (12052371, Trouble.PARK),
    # Back orders and handling time, which are never sent.
    (12052309, Trouble.BUG),
    (12052310, Trouble.BUG),
    (12052311, Trouble.BUG),
    (12052313, Trouble.BUG),
    (12052490, Trouble.BUG),
    # The limits of a search.
    (12052180, Trouble.BUG),
    (12019027, Trouble.BUG),
    (12019087, Trouble.BUG),
    (12019118, Trouble.BUG),
    (12019119, Trouble.BUG),
    (12019120, Trouble.BUG),
    (12019015, Trouble.BUG),
    # The wrapper says nothing by itself.
    (12052990, Trouble.REFUSED),
]

SAID = [
    ("Missing credentials. The request does not include a required signature.", Trouble.HALT),
    ("Invalid credentials. Invalid `app_key` query parameter.", Trouble.HALT),
    ("Invalid credentials. The `x-tts-access-token` header is invalid.", Trouble.REFRESH),
    ("Invalid timestamp. … must not be earlier than 5 minutes before …", Trouble.RETRY),
    ("Invalid timestamp. … must not exceed the current time by more than 30 …", Trouble.RETRY),
    ("Invalid timestamp. … must not be lesser than 0.", Trouble.RETRY),
    ("Unexpected identifier. The `shop_cipher` query parameter is not required …", Trouble.BUG),
    ("Invalid identifier. The `shop_id` query parameter …", Trouble.BUG),
    ("Invalid API version.", Trouble.BUG),
    ("invalid param error", Trouble.BUG),
]


@pytest.mark.parametrize(("code", "expected"), DOCUMENTED)
def test_every_documented_code_asks_for_what_the_documents_say(
    code: int, expected: Trouble
) -> None:
    assert trouble(code, "whatever it says") is expected


def test_no_code_is_sorted_that_the_documents_do_not_have() -> None:
    assert set(errors._TROUBLES) == {code for code, _ in DOCUMENTED} - {errors.WRAPPER}


@pytest.mark.parametrize("code", sorted(errors.PLATFORM_CODES | errors.CLOSED_CODES))
def test_a_code_about_one_warehouse_parks(code: int) -> None:
    assert trouble(code, "") is Trouble.PARK


@pytest.mark.parametrize(("message", "expected"), SAID)
def test_the_overloaded_code_is_told_apart_by_its_message(message: str, expected: Trouble) -> None:
    assert trouble(36009004, message) is expected


@pytest.mark.parametrize("code", [-1, 1, 99999999, 12052898, 36009005])
def test_a_code_that_nobody_knows_is_refused_and_not_repeated(code: int) -> None:
    assert trouble(code, "Too many requests") is Trouble.REFUSED


def test_only_the_overloaded_code_speaks_of_the_clock() -> None:
    assert wrong_clock(36009004, "Invalid timestamp")
    assert not wrong_clock(36009003, "Invalid timestamp")
    assert not wrong_clock(36009004, "Invalid credentials")


@pytest.mark.parametrize("name", REFUSALS)
def test_whatever_the_sandbox_refuses_is_sorted(name: str) -> None:
    _, code, message = REFUSALS[name]
    assert trouble(code, message) is not Trouble.REFUSED


@pytest.mark.parametrize(
    ("code", "message", "helps"),
    [
        (36004004, "Invalid auth code.", True),
        (36004005, "can not find related auth record", True),
        (36004001, "rt has expired", True),
        (105001, "authorization expired", True),
        (105002, "Expired credentials", True),
        (99999999, "a code on no page", True),
        (36009004, "Invalid credentials. Invalid `app_key` query parameter.", False),
        (36009004, "Invalid credentials. Invalid `app_secret` query parameter.", False),
        (36009033, "the address is not on the list", False),
        (36009009, "Invalid path.", False),
    ],
)
def test_a_login_is_advised_only_where_it_helps(code: int, message: str, helps: bool) -> None:
    assert login_helps(code, message) is helps


def test_of_two_troubles_the_one_that_needs_more_to_happen_is_the_more_serious() -> None:
    order = [
        Trouble.HALT,
        Trouble.BUG,
        Trouble.REDISCOVER,
        Trouble.WAREHOUSES,
        Trouble.PARK,
        Trouble.REFUSED,
        Trouble.CLAMP,
        Trouble.REFRESH,
        Trouble.THROTTLE,
        Trouble.RETRY,
    ]
    assert set(order) == set(Trouble)
    for worse, better in itertools.combinations(order, 2):
        assert seriousness(worse) < seriousness(better)
