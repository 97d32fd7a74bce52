from datetime import UTC, datetime, timedelta

import pytest

from hubconnect.connectors.base import Condition, IdRange, Operator, Window
from hubconnect.connectors.errors import AttentionError
from tests.contract.subject import Subject

# Some systems tell their time in whole seconds.
A_MOMENT = timedelta(seconds=2)


def equals(field: str, value: str) -> tuple[Condition, ...]:
    return (Condition(field, Operator.EQUALS, value),)


def test_the_first_load_gives_every_record_once_and_in_order(subject: Subject) -> None:
    made = subject.make_records(subject.connector.batch_size + 7)
    pages = list(subject.connector.everything(subject.object_type, (), [subject.text_field]))

    assert [record.id for page in pages for record in page.records] == made
    assert max(len(page.records) for page in pages) <= subject.connector.batch_size


def test_the_first_load_goes_on_where_a_page_ended(subject: Subject) -> None:
    made = subject.make_records(subject.connector.batch_size + 2)
    first, *_ = subject.connector.everything(subject.object_type, (), [])
    rest = subject.connector.everything(subject.object_type, (), [], after=first.after)
    found = [*first.records, *(record for page in rest for record in page.records)]

    assert [record.id for record in found] == made


def test_the_first_load_goes_on_behind_an_id(subject: Subject) -> None:
    made = subject.make_records(9)
    pages = subject.connector.everything(subject.object_type, (), [], after=made[4])

    assert [record.id for page in pages for record in page.records] == made[5:]


def test_the_first_load_takes_only_what_the_criteria_say(subject: Subject) -> None:
    made = subject.make_records(5)
    email = str(subject.values(3)[subject.unique_field])
    subject.settle_down()
    criteria = equals(subject.unique_field, email)
    pages = subject.connector.everything(subject.object_type, criteria, [])

    assert [record.id for page in pages for record in page.records] == [made[3]]


def test_an_empty_object_type_has_no_records(subject: Subject) -> None:
    pages = subject.connector.everything(subject.object_type, (), [])

    assert not [record for page in pages for record in page.records]


def test_changes_are_those_of_the_window(subject: Subject) -> None:
    made = subject.make_records(6)
    subject.settle_down()
    before = subject.connector.now()
    subject.edit_record(made[1], "Edited")
    subject.edit_record(made[4], "Edited")
    subject.settle_down()
    window = Window(before - A_MOMENT, subject.connector.now() + A_MOMENT)
    pages = list(subject.connector.changes(subject.object_type, window, (), [subject.text_field]))
    found = {record.id: record for page in pages for record in page.records}
    edited = {made[1], made[4]}

    assert edited <= set(found)
    assert all(found[one].values[subject.text_field] == "Edited" for one in edited)
    assert all(window.lower <= (found[one].modified_at or before) for one in edited)


def test_changes_lose_and_repeat_nothing_over_pages(subject: Subject) -> None:
    made = subject.make_records(subject.connector.batch_size + 3)
    subject.settle_down()
    now = subject.connector.now()
    window = Window(now - timedelta(hours=1), now + A_MOMENT)
    pages = list(subject.connector.changes(subject.object_type, window, (), []))
    rest = list(
        subject.connector.changes(subject.object_type, window, (), [], after=pages[0].after)
    )

    assert [record.id for page in pages for record in page.records] == made
    assert [record.id for page in rest for record in page.records] == made[len(pages[0].records) :]


def test_nothing_changes_in_a_window_long_ago(subject: Subject) -> None:
    subject.make_records(2)
    subject.settle_down()
    window = Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC))
    pages = subject.connector.changes(subject.object_type, window, (), [])

    assert not [record for page in pages for record in page.records]


def test_reading_leaves_out_what_does_not_exist(subject: Subject) -> None:
    made = subject.make_records(3)
    subject.delete_record(made[1])
    found = subject.connector.read(subject.object_type, [*made, "987654321"], [subject.text_field])

    assert set(found) == {made[0], made[2]}
    assert found[made[2]].values == {subject.text_field: subject.values(2)[subject.text_field]}


def test_a_version_differs_after_an_edit(subject: Subject) -> None:
    (made,) = subject.make_records(1)
    names = [subject.text_field]
    first = subject.connector.read(subject.object_type, [made], names)[made]
    again = subject.connector.read(subject.object_type, [made], names)[made]
    subject.edit_record(made, "Edited")
    after = subject.connector.read(subject.object_type, [made], names)[made]

    assert first.version == again.version != after.version


def test_lookups_answer_in_the_order_asked_whatever_the_capitals(subject: Subject) -> None:
    made = subject.make_records(4)
    emails = [str(subject.values(number)[subject.unique_field]) for number in range(4)]
    subject.settle_down()
    queries = [
        equals(subject.unique_field, emails[2].upper()),
        equals(subject.unique_field, "nobody@example.com"),
        equals(subject.unique_field, emails[0].lower()),
        equals(subject.unique_field, emails[2]),
    ]
    found = subject.connector.find(subject.object_type, queries, [subject.text_field])

    assert [[record.id for record in each] for each in found] == [
        [made[2]],
        [],
        [made[0]],
        [made[2]],
    ]
    assert set(found[0][0].values) == {subject.text_field}


def test_a_lookup_gives_every_match(subject: Subject) -> None:
    made = subject.make_records(3)
    for one in made:
        subject.edit_record(one, "Same")
    subject.settle_down()
    (found,) = subject.connector.find(subject.object_type, [equals(subject.text_field, "Same")], [])

    assert {record.id for record in found} == set(made)


def test_counts_agree_with_what_is_there(subject: Subject) -> None:
    subject.make_records(4)
    email = str(subject.values(1)[subject.unique_field])
    subject.settle_down()

    assert subject.connector.count(subject.object_type) == 4
    assert subject.connector.count(subject.object_type, equals(subject.unique_field, email)) == 1


def test_an_object_type_that_vanished_needs_attention(subject: Subject) -> None:
    with pytest.raises(AttentionError):
        subject.connector.fields("no_such_thing")


def test_ranges_hold_every_record_once(subject: Subject) -> None:
    made = subject.make_records(23)
    kind, connector = subject.object_type, subject.connector
    subject.settle_down()
    ranges = connector.cut(kind, (), 4)
    found = [
        [r.id for page in connector.everything(kind, (), [], within=one) for r in page.records]
        for one in ranges
    ]
    assert [one for part in found for one in part] == made
    assert 1 < len(ranges) <= 4
    assert max(map(len, found)) <= 9, "the ranges are lopsided"
    assert (ranges[0].above, ranges[-1].upto) == ("", "")


def test_a_range_goes_on_where_it_stopped_and_ends_with_its_last_id(subject: Subject) -> None:
    made = subject.make_records(9)
    subject.settle_down()
    pages = subject.connector.everything(
        subject.object_type, (), [], after=made[3], within=IdRange(made[1], made[6])
    )
    assert [record.id for page in pages for record in page.records] == made[4:7]


def test_what_the_criteria_take_is_cut_by_its_own_number(subject: Subject) -> None:
    made = subject.make_records(12)
    for record_id in made[:6]:
        subject.edit_record(record_id, "Acme")
    subject.settle_down()
    criteria = equals(subject.text_field, "Acme")
    ranges = subject.connector.cut(subject.object_type, criteria, 2)
    found = [
        [
            record.id
            for page in subject.connector.everything(subject.object_type, criteria, [], within=one)
            for record in page.records
        ]
        for one in ranges
    ]
    assert found[0] + found[1] == made[:6]
    assert 2 <= len(found[0]) <= 4


def test_too_few_records_are_not_cut(subject: Subject) -> None:
    subject.make_records(1)
    subject.settle_down()
    assert len(subject.connector.cut(subject.object_type, (), 4)) == 1
