from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from hubconnect.connectors.base import Field, Option, Value, ValueType
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.values import (
    ConversionError,
    can_convert,
    converter,
    fit,
    from_stored,
    is_same,
    parse_text,
    show,
    to_stored,
)

texts = st.text().map(lambda text: text or None)
moments = st.datetimes(timezones=st.just(UTC))
values: st.SearchStrategy[Value] = st.one_of(
    texts,
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    moments,
    st.frozensets(st.text(min_size=1), min_size=1),
    st.none(),
)


def field(
    kind: ValueType, *, options: tuple[Option, ...] = (), max_length: int | None = None
) -> Field:
    return Field(name="x", label="X", type=kind, options=options, max_length=max_length)


@given(values)
def test_stored_form_gives_the_value_back(value: Value) -> None:
    assert from_stored(to_stored(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.integers(0, 5))
def test_trailing_zeros_make_no_difference(number: Decimal, zeros: int) -> None:
    longer = Decimal(f"{number:f}" + ("" if "." in f"{number:f}" else ".") + "0" * zeros)
    assert is_same(number, longer)


def test_empty_text_is_nothing() -> None:
    assert is_same("", None)
    assert converter(field(ValueType.TEXT), field(ValueType.NUMBER))("") is None


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        (ValueType.TEXT, ValueType.NUMBER, " 12.50 ", Decimal("12.5")),
        (ValueType.NUMBER, ValueType.TEXT, Decimal("12.50"), "12.5"),
        (ValueType.NUMBER, ValueType.TEXT, Decimal("1E+3"), "1000"),
        (ValueType.BOOLEAN, ValueType.TEXT, True, "true"),
        (ValueType.TEXT, ValueType.BOOLEAN, "No", False),
        (ValueType.NUMBER, ValueType.BOOLEAN, Decimal(1), True),
        (ValueType.DATE, ValueType.DATETIME, date(2026, 5, 1), datetime(2026, 5, 1, tzinfo=UTC)),
        (ValueType.DATETIME, ValueType.DATE, datetime(2026, 5, 1, 9, tzinfo=UTC), date(2026, 5, 1)),
        (
            ValueType.TEXT,
            ValueType.DATETIME,
            "2026-05-01T10:00:00+02:00",
            datetime(2026, 5, 1, 8, tzinfo=UTC),
        ),
        (ValueType.TEXT, ValueType.OPTIONS, "a; b", frozenset({"a", "b"})),
        (ValueType.OPTIONS, ValueType.TEXT, frozenset({"b", "a"}), "a;b"),
        (
            ValueType.RICH_TEXT,
            ValueType.TEXT,
            "<p>Fish &amp; chips</p><p>soon</p>",
            "Fish & chips\nsoon",
        ),
        (ValueType.TEXT, ValueType.RICH_TEXT, "a < b\nc", "a &lt; b<br>c"),
        (ValueType.TEXT, ValueType.USER, "Rae@Example.com", "rae@example.com"),
    ],
)
def test_values_convert(
    source: ValueType, target: ValueType, value: Value, expected: Value
) -> None:
    assert converter(field(source), field(target))(value) == expected


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (ValueType.NUMBER, "many"),
        (ValueType.NUMBER, "Infinity"),
        (ValueType.BOOLEAN, "perhaps"),
        (ValueType.DATE, "31.01.2026"),
        (ValueType.DATETIME, "soon"),
        (ValueType.USER, "Rae"),
    ],
)
def test_text_without_counterpart_is_named(target: ValueType, text: str) -> None:
    with pytest.raises(ConversionError, match=text):
        parse_text(text, field(target))


def test_label_of_an_option_stands_for_its_value() -> None:
    stage = field(ValueType.OPTION, options=(Option("closedwon", "Closed Won"),))
    assert parse_text("closed won", stage) == "closedwon"
    assert parse_text("unheard of", stage) == "unheard of"
    assert show("closedwon", stage) == "Closed Won"


def test_types_without_a_way_are_refused_before_any_value() -> None:
    reason = can_convert(field(ValueType.BOOLEAN), field(ValueType.DATE))
    assert "yes or no cannot become dates" in reason


def test_long_text_is_cut_only_by_choice() -> None:
    short = field(ValueType.TEXT, max_length=3)
    assert fit("abcdef", short, cut=True) == "abc"
    with pytest.raises(RecordError) as caught:
        fit("abcdef", short, cut=False)
    assert caught.value.category is Category.TOO_LONG


def test_a_number_that_would_fill_the_memory_is_none() -> None:
    amount = Field(name="amount", label="Amount", type=ValueType.NUMBER)
    for text in ("1e999999999", "1e-999999999", "Infinity"):
        with pytest.raises(ConversionError, match="not a number"):
            parse_text(text, amount)
