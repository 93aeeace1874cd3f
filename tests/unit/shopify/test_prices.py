"""Prices: how the expected cost of a document is learnt."""

from invsyncd.shopify.client import Prices


def test_a_price_goes_up_at_once_and_down_in_steps() -> None:
    prices = Prices()
    prices.learn("SET_QUANTITIES", 60)
    prices.learn("SET_QUANTITIES", 10)
    assert prices.of("SET_QUANTITIES") == 54
    prices.learn("SET_QUANTITIES", 80)
    assert prices.of("SET_QUANTITIES") == 80


def test_no_price_is_nothing_and_none_is_above_what_one_query_may_cost() -> None:
    prices = Prices()
    prices.learn("FREE", 0)
    prices.learn("DEAR", 1e12)
    assert (prices.of("FREE"), prices.of("DEAR")) == (1, 1000)
