from hubconnect.connectors.base import Capability, Draft, Patch, SentCreate
from hubconnect.connectors.errors import RecordError
from tests.contract.subject import Subject


def drafts(subject: Subject, count: int) -> list[Draft]:
    return [Draft(f"pair:{number}:0", subject.values(number)) for number in range(count)]


def test_what_is_created_reads_back_as_it_was_sent(subject: Subject) -> None:
    sent = drafts(subject, 5)
    outcomes = {one.key: one for one in subject.connector.create(subject.object_type, sent)}
    ids = [outcomes[draft.key].id for draft in sent]
    found = subject.connector.read(subject.object_type, ids, list(sent[0].values))

    assert len(set(ids)) == 5
    assert [found[one].values for one in ids] == [draft.values for draft in sent]
    assert [outcomes[draft.key].values for draft in sent] == [draft.values for draft in sent]


def test_a_full_batch_is_created(subject: Subject) -> None:
    sent = drafts(subject, subject.connector.batch_size)
    outcomes = subject.connector.create(subject.object_type, sent)

    assert {one.key for one in outcomes if one.id} == {draft.key for draft in sent}


def test_one_refused_draft_does_not_hold_up_the_others(subject: Subject) -> None:
    good = drafts(subject, 4)
    sent = [*good[:2], Draft("bad", subject.refused_values()), *good[2:]]
    outcomes = {one.key: one for one in subject.connector.create(subject.object_type, sent)}

    assert all(outcomes[draft.key].id for draft in good)
    assert isinstance(outcomes["bad"].error, RecordError)
    assert outcomes["bad"].error.message


def test_a_create_repeated_under_its_key_makes_no_second_record(subject: Subject) -> None:
    if subject.connector.settles_with(subject.object_type):
        return  # the system enforces no key, and says so
    sent = drafts(subject, 2)
    first = subject.connector.create(subject.object_type, sent)
    second = subject.connector.create(subject.object_type, sent)

    assert {one.key: one.id for one in first} == {one.key: one.id for one in second}
    assert subject.connector.count(subject.object_type) == 2


def test_a_lost_create_is_settled(subject: Subject) -> None:
    sent_at = subject.connector.now()
    (made, never) = drafts(subject, 2)
    (outcome,) = subject.connector.create(subject.object_type, [made])
    settled = subject.connector.settle(
        subject.object_type, [SentCreate(one.key, one.values, sent_at) for one in (made, never)]
    )
    if subject.connector.settles_with(subject.object_type):
        assert outcome.id in {settled[made.key].id, *settled[made.key].candidates}
    else:
        assert settled[made.key].id == outcome.id
        assert settled[never.key].is_certain
    assert not settled[never.key].id


def test_updates_are_stored_and_answered(subject: Subject) -> None:
    made = subject.make_records(3)
    patches = [
        Patch(f"update {number}", one, {subject.text_field: f"New {number}"})
        for number, one in enumerate(made)
    ]
    outcomes = {one.key: one for one in subject.connector.update(subject.object_type, patches)}
    found = subject.connector.read(subject.object_type, made, [subject.text_field])

    for patch in patches:
        assert outcomes[patch.key].id == patch.id
        assert outcomes[patch.key].values == patch.values == found[patch.id].values


def test_an_emptied_field_reads_back_as_none(subject: Subject) -> None:
    (made,) = subject.make_records(1)
    subject.connector.update(
        subject.object_type, [Patch("empty", made, {subject.text_field: None})]
    )
    found = subject.connector.read(subject.object_type, [made], [subject.text_field])

    assert found[made].values == {subject.text_field: None}


def test_one_vanished_record_does_not_hold_up_the_others(subject: Subject) -> None:
    made = subject.make_records(3)
    subject.delete_record(made[1])
    patches = [Patch(one, one, {subject.text_field: "New"}) for one in made]
    outcomes = {one.key: one for one in subject.connector.update(subject.object_type, patches)}

    assert outcomes[made[1]].is_gone
    assert outcomes[made[0]].id == made[0]
    assert outcomes[made[2]].id == made[2]


def test_what_may_be_written_is_declared(subject: Subject) -> None:
    (described,) = [
        one for one in subject.connector.object_types() if one.name == subject.object_type
    ]
    fields = {field.name: field for field in subject.connector.fields(subject.object_type)}

    assert {Capability.CREATE, Capability.UPDATE} <= described.capabilities
    assert described.modified_field in fields
    assert fields[subject.unique_field].unique
    assert not fields[subject.text_field].read_only
    assert set(subject.values(0)) <= set(fields)
