from datetime import date
from uuid import UUID

from hypothesis import given, strategies as st

from hubconnect.connectors.sql.keys import key_of, record_id

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(TEXTS)
def test_a_text_key_comes_back_from_its_id(key: str) -> None:
    assert record_id([key])
    assert key_of(record_id([key]), [str]) == (key,)


@given(TEXTS, TEXTS, st.integers())
def test_a_composite_key_comes_back_from_its_id(one: str, two: str, three: int) -> None:
    key = (one, two, three)
    assert key_of(record_id(key), [str, str, int]) == key


@given(st.tuples(TEXTS, TEXTS), st.tuples(TEXTS, TEXTS))
def test_different_keys_have_different_ids(one: tuple[str, str], two: tuple[str, str]) -> None:
    assert (record_id(one) == record_id(two)) is (one == two)


def test_ids_are_plain_where_they_can_be() -> None:
    unique = UUID("0b7cbf5c-8f0d-4a07-9f6a-7f2f6f1f9d10")
    assert record_id([17]) == "17"
    assert record_id(["A-17, left"]) == "A-17, left"
    assert record_id([unique]) == str(unique)
    assert record_id(["DE", 17, date(2026, 1, 2)]) == "DE,17,2026-01-02"


def test_what_cannot_be_a_key_is_none() -> None:
    assert key_of("abc", [int]) is None
    assert key_of("1,2", [int, int, int]) is None
    assert key_of("", [int]) is None
