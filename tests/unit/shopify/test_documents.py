"""The GraphQL documents: valid in the official schema, well named, each with an urgency."""

import re

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse, validate

from invsyncd.net.admission import PATIENCE_S, Urgency
from invsyncd.shopify.documents import ALL, SCAN_ROWS, URGENCY
from tests.support.official import official_schema


@pytest.mark.parametrize("name", ALL)
def test_every_document_is_valid_in_the_official_schema(name: str) -> None:
    assert validate(official_schema(), parse(ALL[name])) == []


@pytest.mark.parametrize("name", ALL)
def test_every_document_is_one_operation_named_like_its_constant(name: str) -> None:
    operation, *fragments = parse(ALL[name]).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert all(isinstance(one, FragmentDefinitionNode) for one in fragments)
    assert operation.name is not None
    assert re.sub(r"(?<!^)(?=[A-Z])", "_", operation.name.value).upper() == name


def test_every_document_has_an_urgency_and_nothing_is_more_urgent_than_a_write() -> None:
    assert set(URGENCY) == set(ALL)
    writes = [name for name in ALL if URGENCY[name] is Urgency.WRITE]
    assert writes == ["SET_QUANTITIES"]
    assert min(PATIENCE_S, key=PATIENCE_S.__getitem__) is Urgency.WRITE


def test_every_read_of_levels_asks_for_all_that_the_merge_needs() -> None:
    names = 'quantities(names: ["available", "committed", "on_hand", "incoming"])'
    reading = [text for text in (*ALL.values(), SCAN_ROWS) if "quantities(" in text]
    assert len(reading) >= 5
    assert [text for text in reading if names not in text] == []
