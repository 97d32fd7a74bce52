"""Search requests that a person typed, read as criteria."""

import json

import pytest

from hubconnect.connectors.base import Field, ValueType
from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.hubspot.objects import KINDS
from hubconnect.connectors.hubspot.queries import understand
from hubconnect.connectors.hubspot.schema import Schema
from tests.unit.connectors.hubspot.test_values import OWNERS

SCHEMA = Schema(
    KINDS["deals"],
    [
        Field(name="createdate", label="Create date", type=ValueType.DATETIME),
        Field(name="amount", label="Amount", type=ValueType.NUMBER),
    ],
    OWNERS,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("createdate", value) for value in ("--5", "9" * 5000, "9" * 30, "-", [1], True)),
        *(
            ("amount", value)
            for value in ("--5", "1e999999999", "9" * 5000, {"a": 1}, True, "\ud800")
        ),
    ],
)
def test_a_value_that_is_none_is_refused_in_words(name: str, value: object) -> None:
    asked = {"filters": [{"propertyName": name, "operator": "GT", "value": value}]}
    with pytest.raises(AttentionError, match=name):
        understand(SCHEMA, json.dumps({"filterGroups": [asked]}))
