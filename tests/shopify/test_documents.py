import re

import pytest
from graphql import OperationDefinitionNode, parse, validate

from invsyncd.shopify.documents import ALL
from tests.official import official_schema


@pytest.mark.parametrize("name", ALL)
def test_every_document_is_valid_in_the_official_schema(name: str) -> None:
    assert validate(official_schema(), parse(ALL[name])) == []


@pytest.mark.parametrize("name", ALL)
def test_every_document_is_one_operation_named_like_its_constant(name: str) -> None:
    (operation,) = parse(ALL[name]).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name is not None
    assert re.sub(r"(?<!^)(?=[A-Z])", "_", operation.name.value).upper() == name
