"""What is still to ask, in which order, and what configuration the answers make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import Location, Unlevelled
from invsyncd.setup.answers import Answers, Ask, Feeds, Gathered, Try, reopened
from invsyncd.setup.questions import (
    Question,
    consent_link,
    implied,
    next_step,
    proposal,
    secret_files,
    summary,
    values,
)
from invsyncd.setup.unequal import Preview
from tests.unit.setup.facts import HOUSES, PLACES, SHOPS, learnt

EVERYTHING = {
    Ask.SHOP: "acme.myshopify.com",
    Ask.CLIENT_ID: "client-1234",
    Ask.SECRET: "s",
    Ask.LOCATIONS: (11, 12),
    Ask.UNLEVELLED: Unlevelled.LOWEST,
    Ask.APP_KEY: "key-1234",
    Ask.APP_SECRET: "t",
    Ask.SERVICE: "7123",
    Ask.US: False,
    Ask.CODE: "ROW_x",
    Ask.TIKTOK_SHOP: "7001",
    Ask.MAPPING: (Feeds(("Berlin",), "701"),),
}
LEARNT: dict[Try, object] = {
    Try.SHOPIFY: PLACES,
    Try.LEVELS: Preview(items=3, unequal=1),
    Try.APP: True,
    Try.CONSENT: learnt().consent,
    Try.WAREHOUSES: HOUSES,
}


def walked(found: dict[Try, object], given: dict[Ask, object]) -> list[Ask | Try]:
    """Every step of a set-up in which each answer is right."""
    answers, known, steps = Answers(), Gathered(), list[Ask | Try]()
    while (step := next_step(answers, known)) is not None:
        if isinstance(step, Question):
            answers = answers.but({step.key: given[step.key]})
            steps.append(step.key)
        else:
            known = known.but(step, found[step])
            steps.append(step)
    return steps


def test_a_shop_with_everything_is_set_up_by_12_questions_each_tried_at_once() -> None:
    assert walked(LEARNT, EVERYTHING) == [
        *(Ask.SHOP, Ask.CLIENT_ID, Ask.SECRET, Try.SHOPIFY),
        *(Ask.LOCATIONS, Try.LEVELS, Ask.UNLEVELLED),
        *(Ask.APP_KEY, Ask.APP_SECRET, Try.APP),
        *(Ask.SERVICE, Ask.US, Ask.CODE, Try.CONSENT, Ask.TIKTOK_SHOP, Try.WAREHOUSES, Ask.MAPPING),
    ]
    assert len([step for step in walked(LEARNT, EVERYTHING) if isinstance(step, Ask)]) <= 12


def test_what_leaves_nothing_to_choose_is_not_asked() -> None:
    found = LEARNT | {
        Try.LEVELS: Preview(items=3),
        Try.CONSENT: learnt(SHOPS[0]).consent,
        Try.WAREHOUSES: HOUSES[1:],
    }
    asked = walked(found, EVERYTHING)
    assert {Ask.UNLEVELLED, Ask.TIKTOK_SHOP, Ask.MAPPING}.isdisjoint(asked)
    one = walked(found | {Try.SHOPIFY: (Location(11, "Berlin"),)}, EVERYTHING)
    assert Ask.LOCATIONS not in one
    assert Try.LEVELS not in one


def test_without_tiktok_nothing_of_it_is_asked() -> None:
    assert walked(LEARNT, EVERYTHING | {Ask.APP_KEY: ""})[-1] is Ask.APP_KEY


def test_one_sales_warehouse_is_fed_by_every_location() -> None:
    assert implied(Answers(), learnt(houses=HOUSES[1:])).mapping == (Feeds(("*",), "702"),)


def test_a_question_that_is_open_again_makes_its_trial_void() -> None:
    answers, known = reopened(Answers().but(EVERYTHING), learnt(), [Ask.SECRET])
    assert (answers.secret, known.locations) == (None, None)
    assert known.consent is not None


@pytest.mark.parametrize(
    ("us", "host"), [(True, "services.us.tiktokshop.com"), (False, "services.tiktokshop.com")]
)
def test_the_consent_of_a_us_shop_has_an_address_of_its_own(us: bool, host: str) -> None:
    link = consent_link(Answers(service="7123", us=us))
    assert link == f"https://{host}/open/authorize?service_id=7123"


@pytest.mark.parametrize(
    ("mirrored", "proposed"),
    [
        ((), "1 2 = 1; 3 = 2"),  # Berlin fits none: the first one
        ((11, 12), "1 2 = 1; 3 = 2"),
        ((11, 13), "2 = 1; 1 3 = 2"),  # one stock: both follow Vienna
        ((11, 12, 13), "1 2 3 = 1"),
    ],
)
def test_a_proposal_fits_names_and_never_splits_a_stock(
    mirrored: tuple[int, ...], proposed: str
) -> None:
    answers = Answers(locations=mirrored)
    assert proposal(answers, learnt()) == proposed
    assert read_back(answers, proposed)


def read_back(answers: Answers, text: str) -> bool:
    from invsyncd.setup.questions import QUESTIONS  # noqa: PLC0415

    return bool(QUESTIONS[Ask.MAPPING].read(text, answers, learnt()))


def test_the_configuration_has_what_was_answered_and_nothing_else() -> None:
    answers = Answers().but(EVERYTHING)
    made, rows = values(answers, learnt())
    assert made == {
        "shopify.shop": "acme.myshopify.com",
        "shopify.client_id": "client-1234",
        "mirror.enabled": True,
        "mirror.locations": ("Berlin", "Paris"),
        "mirror.unlevelled": "lowest",
        "tiktok.enabled": True,
        "tiktok.app_key": "key-1234",
        "tiktok.shop_id": "7001",
    }
    assert rows == [{"locations": ("Berlin",), "warehouse": "701"}]
    assert secret_files(answers) == {"shopify-client-secret": "s", "tiktok-app-secret": "t"}
    old_app = replace(answers, client_id="", app_key="")
    assert secret_files(old_app) == {"shopify-access-token": "s"}


def test_a_name_that_two_locations_have_is_written_as_an_id() -> None:
    twins = (Location(11, "Shop"), Location(12, "Shop"), Location(13, "4"))
    made, _ = values(Answers(locations=(11, 12, 13)), Gathered(locations=twins))
    assert made["mirror.locations"] == ("11", "12", "13")


def test_the_summary_has_no_secret() -> None:
    answers = Answers().but(EVERYTHING | {Ask.SECRET: "canary", Ask.CODE: "canary"})
    text = "\n".join(summary(answers, learnt()))
    assert "Berlin and Paris" in text
    assert '"Paris warehouse"' in text
    assert "canary" not in text


def test_no_warehouse_for_sales_is_nothing_to_map() -> None:
    houses = (Warehouse("703", "Returns", enabled=True, sales=False),)
    assert implied(Answers(), learnt(houses=houses)).mapping is None
