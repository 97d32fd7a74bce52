import json
from datetime import timedelta

import pytest

from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ConnectorError,
    RateLimitedError,
    TemporaryError,
)
from hubconnect.connectors.http import Answer, AnswerMissingError
from hubconnect.connectors.hubspot.errors import HubSpotJudge, read_envelope, record_error


def answer(status: int, data: object = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, named, data)


def judge(given: Answer) -> ConnectorError | None:
    return HubSpotJudge()(given)


@pytest.mark.parametrize("status", [200, 201, 207, 400, 404, 409, 414])
def test_answers_of_hubspot_are_left_to_the_caller(status: int) -> None:
    assert judge(answer(status, {"status": "x"})) is None


def test_no_content_is_good() -> None:
    assert judge(answer(204)) is None


@pytest.mark.parametrize(("status", "data"), [(200, None), (201, "<html>"), (207, [])])
def test_half_an_answer_may_stand_for_a_write_that_was_carried_out(
    status: int, data: object
) -> None:
    assert isinstance(judge(answer(status, data)), AnswerMissingError)


@pytest.mark.parametrize(("status", "data"), [(404, None), (401, None), (403, [])])
def test_what_is_not_hubspots_json_points_at_the_api_url(status: int, data: object) -> None:
    error = judge(answer(status, data))
    assert isinstance(error, AttentionError)
    assert error.parameter == "api_url"


def test_a_refused_token_points_at_the_token() -> None:
    error = judge(answer(401, {"status": "error", "category": "INVALID_AUTHENTICATION"}))
    assert isinstance(error, AttentionError)
    assert (error.parameter, error.category) == ("access_token", Category.AUTHENTICATION)


def test_missing_scopes_are_named() -> None:
    scopes = ["crm.objects.deals.read"]
    error = judge(
        answer(
            403,
            {
                "category": "MISSING_SCOPES",
                "errors": [{"message": "m", "context": {"requiredGranularScopes": scopes}}],
            },
        )
    )
    assert isinstance(error, AttentionError)
    assert error.missing_scopes == ("crm.objects.deals.read",)
    assert "crm.objects.deals.read" in error.message


@pytest.mark.parametrize(
    ("data", "policy", "wait"),
    [
        ({"policyName": "TEN_SECONDLY_ROLLING"}, "TEN_SECONDLY_ROLLING", timedelta(seconds=10)),
        ({"message": "You have reached your secondly limit."}, "SECONDLY", timedelta(seconds=1)),
    ],
)
def test_call_limits_are_told_apart(data: object, policy: str, wait: timedelta) -> None:
    error = judge(answer(429, data))
    assert isinstance(error, RateLimitedError)
    assert (error.policy, error.retry_after) == (policy, wait)


def test_the_daily_limit_waits_for_midnight_at_most() -> None:
    error = HubSpotJudge("Europe/Madrid")(answer(429, {"policyName": "DAILY"}))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after is not None
    assert timedelta(0) < error.retry_after <= timedelta(hours=25)


def test_a_wait_that_hubspot_names_is_honoured() -> None:
    error = judge(answer(477, None, Retry_After="120"))
    assert isinstance(error, TemporaryError)
    assert error.retry_after == timedelta(seconds=120)


@pytest.mark.parametrize("status", [500, 502, 503, 524])
def test_server_errors_are_temporary_whatever_their_body(status: int) -> None:
    assert isinstance(judge(answer(status)), TemporaryError)


def test_locked_records_wait_two_seconds_at_least() -> None:
    error = judge(answer(423))
    assert isinstance(error, TemporaryError)
    assert error.retry_after is not None
    assert error.retry_after >= timedelta(seconds=2)


INVALID = [
    {
        "isValid": False,
        "message": "Email address foo is invalid",
        "error": "INVALID_EMAIL",
        "name": "email",
    }
]


def test_faults_are_read_from_the_structured_list() -> None:
    envelope = read_envelope(
        {
            "category": "VALIDATION_ERROR",
            "message": "Property values were not valid: " + json.dumps(INVALID),
            "errors": [
                {
                    "message": "Email address foo is invalid",
                    "code": "INVALID_EMAIL",
                    "context": {"propertyName": ["email"]},
                }
            ],
        }
    )
    assert [(fault.field, fault.code) for fault in envelope.faults] == [("email", "INVALID_EMAIL")]
    assert record_error(envelope).category is Category.VALIDATION_ERROR


def test_faults_are_read_from_the_message_too() -> None:
    envelope = read_envelope({"message": "Property values were not valid: " + json.dumps(INVALID)})
    assert [fault.field for fault in envelope.faults] == ["email"]


def test_missing_properties_are_a_required_field() -> None:
    envelope = read_envelope(
        {
            "message": "Error creating TICKET. Some required properties were not set.",
            "context": {"properties": ["subject"]},
        }
    )
    error = record_error(envelope)
    assert error.category is Category.REQUIRED_FIELD
    assert [fault.field for fault in error.faults] == ["subject"]


@pytest.mark.parametrize(
    ("message", "other"),
    [
        ("Contact already exists. Existing ID: 512", "512"),
        (
            "Cannot set X{propertyName=email, value=a@b.co} on 1. 222 already has that value.",
            "222",
        ),
    ],
)
def test_a_value_taken_by_another_record_is_a_duplicate(message: str, other: str) -> None:
    error = record_error(read_envelope({"message": message, "category": "VALIDATION_ERROR"}))
    assert (error.category, error.existing_id) == (Category.DUPLICATE, other)


@pytest.mark.parametrize("data", [None, [], "x", {"errors": "x", "context": []}, {"errors": [1]}])
def test_a_strange_body_is_no_crash(data: object) -> None:
    assert record_error(read_envelope(data)).message
