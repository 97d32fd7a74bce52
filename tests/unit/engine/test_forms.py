"""Values in a system's own form."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from hubconnect.connectors.base import Value
from hubconnect.engine.forms import is_own_form
from hubconnect.engine.plan import not_stored

NOON = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "stored", "is_form"),
    [
        ("ANA@X.EXAMPLE", "ana@x.example", True),
        (" Ana  Poe ", "Ana Poe", True),
        ("+1 (555) 12-13", "+15551213", True),
        ("C++", "C", False),
        ("1.5", "15 a", False),
        (Decimal("1250.006"), Decimal("1250.01"), True),
        (Decimal("2.5"), Decimal(2), True),
        (Decimal("2.5"), Decimal(4), False),
        (NOON, NOON.replace(microsecond=0), True),
        (NOON, NOON.replace(minute=1), False),
        (date(2026, 5, 1), date(2026, 5, 2), False),
        ("lead", "customer", False),
        (None, "Ana", False),
    ],
)
def test_only_another_writing_of_the_same_value_is_a_form_of_it(
    sent: Value, stored: Value, *, is_form: bool
) -> None:
    assert is_own_form(sent, stored) is is_form
    assert not_stored({"a": sent}, {"a": stored}, {"a": stored}) == ([] if is_form else ["a"])
