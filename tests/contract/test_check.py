from datetime import UTC, datetime, timedelta

import pytest

from hubconnect.connectors.base import Ability
from hubconnect.connectors.errors import AttentionError, Category, TemporaryError
from tests.contract.subject import Subject


def test_a_check_tells_the_account_and_what_may_be_done(subject: Subject) -> None:
    report = subject.connector.check()
    listed = {one.name: one for one in report.object_types}

    assert report.identity == subject.connector.identity()
    assert report.identity_label
    assert report.calls > 0
    assert listed[subject.object_type].read is not Ability.NO
    assert listed[subject.object_type].write is not Ability.NO


def test_the_identity_stays_the_same(subject: Subject) -> None:
    assert subject.open({}).identity() == subject.connector.identity()


def test_a_check_blames_the_parameter_that_is_wrong(subject: Subject) -> None:
    for parameter, settings in subject.wrong_settings:
        with pytest.raises(AttentionError) as caught:
            subject.open(settings).check()
        assert caught.value.parameter == parameter
        assert caught.value.message


def test_a_system_that_is_away_is_called_unreachable(subject: Subject) -> None:
    if subject.away_settings:  # a file is there or not
        with pytest.raises((TemporaryError, AttentionError)) as caught:
            subject.open(subject.away_settings).check()
        assert caught.value.category is Category.UNREACHABLE


def test_secrets_are_declared_as_such_and_never_printed(subject: Subject) -> None:
    secrets = {one.name for one in subject.connector.parameters if one.is_secret}
    held = {name: value for name, value in subject.connector.settings.items() if name in secrets}

    assert secrets
    assert all("••••" in repr(value) for value in held.values())


def test_the_clock_is_aware_and_goes_on(subject: Subject) -> None:
    first = subject.connector.now()
    second = subject.connector.now()

    assert first.tzinfo is UTC
    assert first <= second
    assert abs(datetime.now(UTC) - second) < timedelta(minutes=1)


def test_calls_are_counted_by_kind(subject: Subject) -> None:
    before = sum(subject.connector.calls.values())
    subject.connector.count(subject.object_type)

    assert sum(subject.connector.calls.values()) > before
