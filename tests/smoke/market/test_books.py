"""The books of a simulated sale: what counts as excess, and for how long."""

from __future__ import annotations

from dataclasses import replace

from stress.market.buyers import Channel, Sale
from stress.market.truth import Truth


def books(*moments: tuple[float, int, int]) -> Truth:
    """Books of one item from (seconds, units offered, units left)."""
    truth = Truth({"TEE": 0})
    for at, offered, left in moments:
        truth.left["TEE"] = left
        truth.note("TEE", at, offered)
    return truth


def test_excess_is_what_is_offered_beyond_what_is_left() -> None:
    truth = books((0, 10, 10), (5, 10, 7), (9, 6, 7), (20, 6, -1), (22, 0, -1))
    assert truth.worst == 6
    assert truth.unit_seconds == 3 * 4 + 6 * 2
    assert truth.short == 1


def test_excess_lasts_only_when_it_outlives_the_grace_time() -> None:
    truth = books((0, 10, 10), (5, 10, 7), (9, 7, 7), (50, 7, 7))
    assert truth.lasting(4.5) == {"TEE": 0}
    assert truth.lasting(3.5) == {"TEE": 3}


def test_sales_that_follow_one_another_do_not_add_up_to_lasting_excess() -> None:
    """Never more than the last 3 seconds' sales are on offer in vain."""
    truth = books(*((at, 10 - max(0, at - 2), 10 - at) for at in range(10)))
    assert truth.worst == 2
    assert truth.lasting(2.5) == {"TEE": 0}
    assert truth.lasting(1.5) == {"TEE": 1}


def test_what_is_put_back_on_sale_lasts_until_it_is_taken_down() -> None:
    truth = books((0, 10, 10), (5, 6, 6), (8, 10, 6), (100, 6, 6))
    assert truth.lasting(30) == {"TEE": 4}


def test_a_write_is_a_raise_only_where_it_goes_up() -> None:
    truth = Truth({"TEE": 5})
    truth.note_write("TEE", 0, before=9, after=8)
    assert truth.raised == 0
    truth.note_write("TEE", 1, before=6, after=8)
    assert truth.raised == 3


def test_only_what_did_not_exist_is_oversold() -> None:
    truth = Truth({"TEE": 3})
    for units in (2, 2, 1):
        truth.sell_on_tiktok("TEE", units)
    assert (truth.oversold_on_tiktok, truth.left["TEE"]) == (2, -2)


def test_the_same_seed_gives_the_same_crowd_in_the_order_of_time() -> None:
    sale = Sale(seed=7, buyers=300)
    crowd = sale.crowd()
    assert crowd == sale.crowd() != replace(sale, seed=8).crowd()
    assert [buyer.at for buyer in crowd] == sorted(buyer.at for buyer in crowd)
    assert {buyer.channel for buyer in crowd} == set(Channel)
    assert all(0 <= buyer.lag_s <= sale.lag_s_max for buyer in crowd)
