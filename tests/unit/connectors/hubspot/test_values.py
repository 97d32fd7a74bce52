from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from hubconnect.connectors.base import Field, Value, ValueType
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.connectors.hubspot.values import Formatter, build_parser


class KnownOwners:
    def email_of(self, owner_id: str) -> str:
        return {"41001": "rae@example.com"}.get(owner_id, owner_id)

    def id_of(self, email: str) -> str:
        return {"rae@example.com": "41001"}.get(email.casefold(), "")


OWNERS = KnownOwners()


def field_of(value_type: ValueType) -> Field:
    return Field(name="f", label="The field", type=value_type)


def parse(value_type: ValueType, text: str) -> Value:
    return build_parser(field_of(value_type), OWNERS)(text)


def write(value_type: ValueType, value: Value) -> str:
    return Formatter(field_of(value_type), OWNERS)(value)


MOMENT = datetime(2026, 1, 5, 9, 12, 44, 120_000, UTC)


@pytest.mark.parametrize(
    ("value_type", "text", "value"),
    [
        (ValueType.TEXT, "  as is ", "  as is "),
        (ValueType.NUMBER, "780.00", Decimal("780.00")),
        (ValueType.NUMBER, "1.0E7", Decimal(10_000_000)),
        (ValueType.NUMBER, "NaN", None),
        (ValueType.NUMBER, "many", None),
        (ValueType.BOOLEAN, "true", True),
        (ValueType.BOOLEAN, "false", False),
        (ValueType.DATE, "2026-05-01", date(2026, 5, 1)),
        (ValueType.DATE, "1777593600000", date(2026, 5, 1)),
        (ValueType.DATETIME, "2026-01-05T09:12:44.120Z", MOMENT),
        (ValueType.DATETIME, "2026-01-05T10:12:44.120+01:00", MOMENT),
        (ValueType.DATETIME, "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        (ValueType.DATETIME, "1767604364120", MOMENT),
        (ValueType.DATETIME, "1712121512345", datetime.fromtimestamp(1712121512.345, UTC)),
        (ValueType.DATETIME, "yesterday", None),
        (ValueType.OPTION, "closedwon", "closedwon"),
        (ValueType.OPTIONS, "B;A;", frozenset({"A", "B"})),
        (ValueType.OPTIONS, ";", None),
        (ValueType.USER, "41001", "rae@example.com"),
        (ValueType.USER, "9", "9"),
        (ValueType.RICH_TEXT, "<p onclick='x()'>Hi<script>x()</script></p>", "<p>Hi</p>"),
    ],
)
def test_texts_become_canonical_values(value_type: ValueType, text: str, value: Value) -> None:
    assert parse(value_type, text) == value


@pytest.mark.parametrize(
    ("value_type", "value", "text"),
    [
        (ValueType.TEXT, None, ""),
        (ValueType.NUMBER, Decimal("1E+2"), "100"),
        (ValueType.NUMBER, Decimal("780.00"), "780.00"),
        (ValueType.BOOLEAN, True, "true"),
        (ValueType.DATE, date(2026, 5, 1), "2026-05-01"),
        (ValueType.DATETIME, MOMENT, "2026-01-05T09:12:44.120Z"),
        (
            ValueType.DATETIME,
            MOMENT.astimezone(timezone(timedelta(hours=2))),
            "2026-01-05T09:12:44.120Z",
        ),
        (ValueType.OPTIONS, frozenset({"B", "A"}), "A;B"),
        (ValueType.USER, "Rae@example.com", "41001"),
        (ValueType.RICH_TEXT, "<b>x</b><script>y</script>", "<b>x</b>"),
    ],
)
def test_canonical_values_become_texts(value_type: ValueType, value: Value, text: str) -> None:
    assert write(value_type, value) == text


@pytest.mark.parametrize(
    ("value_type", "value"),
    [
        (ValueType.TEXT, Decimal(1)),
        (ValueType.NUMBER, "1"),
        (ValueType.NUMBER, True),
        (ValueType.NUMBER, Decimal("NaN")),
        (ValueType.BOOLEAN, "true"),
        (ValueType.DATE, MOMENT),
        (ValueType.DATETIME, date(2026, 1, 1)),
        (ValueType.DATETIME, datetime(2026, 1, 1)),  # noqa: DTZ001 - the fault
        (ValueType.OPTIONS, "A"),
        (ValueType.USER, "nobody@example.com"),
    ],
)
def test_values_of_another_type_are_refused_by_name(value_type: ValueType, value: Value) -> None:
    with pytest.raises(RecordError) as caught:
        write(value_type, value)
    assert caught.value.category is Category.CONVERSION
    assert "The field" in caught.value.message
    assert caught.value.faults[0].field == "f"


def test_a_text_that_is_too_long_is_refused_before_sending() -> None:
    with pytest.raises(RecordError) as caught:
        write(ValueType.TEXT, "x" * 65_537)
    assert caught.value.category is Category.TOO_LONG


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_times_survive_to_the_millisecond(moment: datetime) -> None:
    sent = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)
    assert parse(ValueType.DATETIME, write(ValueType.DATETIME, sent)) == sent


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_numbers_survive(number: Decimal) -> None:
    assert parse(ValueType.NUMBER, write(ValueType.NUMBER, number)) == number
