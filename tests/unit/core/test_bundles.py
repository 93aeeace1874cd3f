"""The least that components allow: semantics.md, section 9, "Bundles"."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from invsyncd.core.bundles import BundlePart, Bundles, Least, least, unknown_parts, without_edit
from invsyncd.core.fold import Scope
from invsyncd.core.model import Component, Item, ItemState, Listing, Offer, Standing
from invsyncd.core.offer_rule import TIKTOK_MAX, CountMirrored, OfferRule
from invsyncd.core.plan import OfferPlan, offer, parts_of, planned
from tests.unit.core.words import A, B, C, item, level, pooled

parts = st.lists(
    st.builds(
        BundlePart,
        st.integers(1, 9),
        st.integers(1, 20),
        st.none() | st.integers(-50, 5_000),
        st.sampled_from(["", "", "", "it is held"]),
    ),
    max_size=30,
)


@given(parts)
def test_so_many_bundles_can_be_made_and_not_one_more(made: list[BundlePart]) -> None:
    found = least(made)
    limiting = [x for x in made if not x.unknown and x.stock is not None]
    if found.units is None:
        assert limiting == []
        return
    for x in limiting:
        assert x.stock is not None
        assert found.units * x.needed <= x.stock
    short = [x for x in limiting if (found.units + 1) * x.needed > (x.stock or 0)]
    assert short != []


@given(parts.flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
def test_the_order_of_the_components_says_nothing(
    both: tuple[list[BundlePart], list[BundlePart]],
) -> None:
    assert least(both[0]) == least(both[1])


@given(parts, st.integers(0, 29), st.integers(0, 500))
def test_more_stock_of_a_component_never_gives_fewer_bundles(
    made: list[BundlePart], at: int, more: int
) -> None:
    grown = [
        replace(x, stock=x.stock + more) if n == at and x.stock is not None else x
        for n, x in enumerate(made)
    ]
    before, after = least(made), least(grown)
    assert (before.units is None) == (after.units is None)
    assert (after.units or 0) >= (before.units or 0) or before.units is None


@given(parts, parts)
def test_a_further_component_never_gives_more(
    made: list[BundlePart], others: list[BundlePart]
) -> None:
    one, both = least(made).units, least([*made, *others]).units
    assert one is None or (both is not None and both <= one)


@given(parts)
def test_it_is_sure_only_where_every_component_is_known(made: list[BundlePart]) -> None:
    assert least(made).is_sure == (unknown_parts(made) == "")
    assert least(made).is_sure == (made != [] and all(x.unknown == "" for x in made))


def test_what_is_made_of_nothing_is_not_known_and_not_unlimited() -> None:
    assert least([]) == Least(None, is_sure=False)


TWO, SEVEN = Component(2, 1), Component(7, 2)


def test_a_deleted_component_stays_until_the_rest_of_the_list_is_edited() -> None:
    assert without_edit([TWO, SEVEN], [TWO], {7}) == (TWO, SEVEN)
    assert without_edit([TWO, SEVEN], [], {2, 7}) == (TWO, SEVEN)
    assert without_edit([TWO, SEVEN], [Component(2, 3)], {7}) == (Component(2, 3),)


def test_a_component_that_is_taken_out_of_the_bundle_counts_no_more() -> None:
    assert without_edit([TWO, SEVEN], [TWO], ()) == (TWO,)


# The rule


SCOPE = Scope(enabled=True, locations=frozenset({A, B}))
LISTING = Listing("p", "s", "KIT", item=1)
KIT = Item(1, "KIT", tracked=False, continues=True, bundle=True, standing=Standing.OUT)
TEE, MUG = Component(2, 1), Component(3, 2)


def plan(rule: OfferRule | None = None, bundles: Bundles = Bundles.COMPONENTS) -> OfferPlan:
    sources = {"α": frozenset({A, B, C})}
    return OfferPlan(rule or OfferRule(), (), sources, CountMirrored.ONCE, SCOPE, bundles=bundles)


def kit(**states: ItemState) -> ItemState:
    """One TEE and two MUG each; the bundle's own levels say 500."""
    known = {c.item: states[n] for n, c in (("tee", TEE), ("mug", MUG)) if n in states}
    own = {x: level(x, 500) for x in (A, B)}
    return ItemState(replace(KIT, components=(TEE, MUG)), own, known)


def shows(state: ItemState, of: OfferPlan, *, held: int = 0) -> int | None:
    found = offer(state, LISTING, "α", held, of)
    return found.units if found else None


def test_each_component_counts_by_the_rule_of_any_item_and_the_bundles_own_rule_applies() -> None:
    """Rows 9.9 and 9.10."""
    state = kit(tee=pooled(10, A, B), mug=pooled(9, A, B))
    assert [x.stock for x in parts_of(state, "α", plan())] == [10, 9]
    assert shows(state, plan()) == 4
    assert shows(state, plan(OfferRule(percent=50, reserve=1)), held=1) == 1
    assert shows(kit(tee=pooled(10, A), mug=untracked()), plan()) == 10
    assert shows(kit(tee=untracked(), mug=untracked()), plan()) == TIKTOK_MAX
    assert shows(state, plan(bundles=Bundles.OWN)) == TIKTOK_MAX, "as its own tracking says"


def untracked() -> ItemState:
    return ItemState(replace(item(), tracked=False), {})


def test_a_component_that_is_not_known_lowers_nothing_and_raises_nothing() -> None:
    """Row 9.11, and its kind: unknown, held, a bundle itself."""
    held = pooled(90, A, B)
    held = replace(held, item=replace(held.item, standing=Standing.HELD))
    nested = pooled(90, A, B)
    nested = replace(nested, item=replace(nested.item, bundle=True))
    for state in (
        kit(tee=pooled(10, A, B)),
        kit(tee=pooled(10, A, B), mug=held),
        kit(tee=pooled(10, A, B), mug=nested),
    ):
        found = offer(state, LISTING, "α", 0, plan())
        wanted = [planned(found, Offer("p", "s", "α", n), plan()) for n in (None, 7, 10, 11)]
        assert wanted == [None, None, None, 10]
    assert offer(kit(), LISTING, "α", 0, plan()) is None
