"""The outcome of an update, from errors that come under code 0."""

import itertools

import pytest

from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape
from invsyncd.tiktok.errors import SkuError, Trouble, update_errors

WRAPPED = {"code": 12052990, "message": "Check failed"}


def errors_of(*entries: object) -> dict[str, SkuError]:
    return update_errors(Shape({"errors": list(entries)}, "UPDATE"), ["1", "2"])


def inner(warehouse: object, code: int, message: str = "m") -> dict[str, object]:
    return {"warehouse_id": warehouse, "code": code, "message": message}


def wrapped(*extra: object, sku_id: object = "1") -> dict[str, object]:
    return WRAPPED | {"detail": {"sku_id": sku_id, "extra_errors": list(extra)}}


def test_the_wrappers_reason_is_the_inner_code() -> None:
    assert errors_of(wrapped(inner("9", 12052097, "The warehouse does not exist"))) == {
        "1": SkuError(
            12052097, "The warehouse does not exist (warehouse 9)", Trouble.WAREHOUSES, ("9",)
        )
    }


def test_of_several_reasons_the_most_serious_stays_with_the_warehouses_it_names() -> None:
    parts = [
        inner("6", 12052144, "platform"),
        inner("7", 12001000),
        inner("8", 12019024),
        inner("9", 12052144, "platform"),
    ]
    for order in itertools.permutations(parts):
        found = errors_of(wrapped(*order))["1"]
        assert (found.code, found.trouble) == (12052144, Trouble.PARK)
        assert found.message.startswith("platform (warehouse ")
        assert sorted(found.warehouses) == ["6", "9"]


def test_reasons_of_one_sku_in_several_entries_count_together() -> None:
    found = errors_of(
        wrapped(inner("7", 12019024)),
        wrapped(inner("8", 12052097)),
        wrapped(inner("9", 12052097)),
    )
    assert found == {
        "1": SkuError(12052097, "m (warehouse 8)", Trouble.WAREHOUSES, ("8", "9")),
    }


def test_an_outer_code_of_its_own_counts_beside_the_inner_ones() -> None:
    detail = {"sku_id": "1", "extra_errors": [inner("9", 12019024)]}
    entry = {"code": 12052901, "message": "status", "detail": detail}
    assert errors_of(entry)["1"] == SkuError(12052901, "status", Trouble.PARK)


def test_of_equals_the_first_is_kept() -> None:
    found = errors_of(wrapped(inner("8", 12052531, "disabled"), inner("9", 12052144, "platform")))
    assert found["1"].message == "disabled (warehouse 8)"


@pytest.mark.parametrize("detail", [{"sku_id": "1"}, {"sku_id": "1", "extra_errors": []}])
def test_a_wrapper_without_a_reason_is_refused_and_not_a_success(detail: object) -> None:
    assert errors_of(WRAPPED | {"detail": detail}) == {
        "1": SkuError(12052990, "Check failed", Trouble.REFUSED)
    }


@pytest.mark.parametrize(
    "detail", [{"detail": None}, {}, {"detail": {}}, {"detail": {"sku_id": ""}}]
)
def test_an_error_that_names_no_sku_counts_for_all(detail: dict[str, object]) -> None:
    found = errors_of({"code": 12052901, "message": "status"} | detail)
    assert {sku: error.trouble for sku, error in found.items()} == {
        "1": Trouble.PARK,
        "2": Trouble.PARK,
    }


def test_ids_may_come_as_integers() -> None:
    found = errors_of(wrapped(inner(7068517275539719942, 12052097), sku_id=1729592969712207013))
    assert found["1729592969712207013"].warehouses == ("7068517275539719942",)


def test_a_reason_that_names_no_warehouse_names_none() -> None:
    assert errors_of(wrapped({"code": 12052393}))["1"] == SkuError(12052393, "", Trouble.PARK)


@pytest.mark.parametrize("data", [{}, {"errors": None}, {"errors": []}])
def test_an_update_without_errors_has_none(data: object) -> None:
    assert update_errors(Shape(data, "UPDATE"), ["1"]) == {}


@pytest.mark.parametrize(
    "entry",
    ["text", {}, {"code": "12052990"}, wrapped({"warehouse_id": "9"}), wrapped(inner(9.5, 1))],
)
def test_an_error_that_cannot_be_read_is_garbled_and_not_a_success(entry: object) -> None:
    with pytest.raises(InvalidResponse, match=r"^UPDATE\.errors\[0\]"):
        errors_of(entry)
