"""Each class of error HubSpot answers with, and what becomes of a read and of a write."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hubconnect.connectors.base import Draft, Outcome, Patch, SentCreate, Window
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    FieldFault,
    OutcomeUnknownError,
    RateLimitedError,
    RecordError,
    TemporaryError,
)
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.conftest import DictCache, connect
from tests.sandbox_process import Sandbox, sandbox

CONTACTS = "/crm/objects/2026-03/contacts"
CREATE = f"{CONTACTS}/batch/create"
READ = f"{CONTACTS}/batch/read"
PAGE = "<html><body>We are doing maintenance</body></html>"


@pytest.fixture
def impatient(account: Sandbox) -> Iterator[HubSpotConnector]:
    """A connector that hands every wait to its caller."""
    account.clear_faults()
    with connect(account) as opened:
        opened.fields("contacts")
        opened._api.http.patience = timedelta(0)
        yield opened


@pytest.fixture(scope="module")
def keyed() -> Iterator[Sandbox]:
    """An account whose contacts have our key property."""
    with sandbox() as running:
        with connect(running) as opened:
            opened.prepare("hubconnect_key:contacts")
        yield running


def problem(code: str, message: str, name: str) -> dict[str, Any]:
    """Return a refusal in HubSpot's words: once as text, once as structure."""
    told = [{"isValid": False, "message": message, "error": code, "name": name}]
    return {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "message": f"Property values were not valid: {json.dumps(told)}",
        "errors": [{"message": message, "code": code, "context": {"propertyName": [name]}}],
    }


def refused(outcome: Outcome) -> RecordError:
    assert outcome.error is not None
    return outcome.error


OPTIONS_DEFINED = (
    'friend was not one of the allowed options: [label: "Lead"\nvalue: "lead"\ndisplay_order: 0\n'
    'hidden: false\n, label: "Customer"\nvalue: "customer"\ndisplay_order: 1\nhidden: false\n]'
)


@pytest.mark.requirement("S86", "S88", "S89")
@pytest.mark.parametrize(
    "case",
    [
        ("INVALID_EMAIL", "Email address x is invalid", "email", "VALIDATION_ERROR", "an e-mail"),
        ("INVALID_INTEGER", "x was not a valid number", "hs_score", "VALIDATION_ERROR", "a whole"),
        ("INVALID_LONG", "x was not a valid long.", "createdate", "VALIDATION_ERROR", "a date and"),
        ("INVALID_DATE", "1 is at 00:00:01 UTC, not midnight!", "a", "VALIDATION_ERROR", "a date"),
        ("INVALID_OWNER_ID", "No owner", "hubspot_owner_id", "VALIDATION_ERROR", "the e-mail of"),
        ("PROPERTY_VALUE_TOO_LONG", "Too long", "firstname", "TOO_LONG", "at most 65,536"),
        ("PROPERTY_DOESNT_EXIST", 'Property "a" does not exist', "a", "CONFIGURATION", ""),
        ("READ_ONLY_VALUE", '"a" is a read only property', "a", "CONFIGURATION", ""),
    ],
)
def test_a_refused_property_is_one_records_failure(
    account: Sandbox,
    impatient: HubSpotConnector,
    case: tuple[str, str, str, str, str],
) -> None:
    code, message, name, category, expects = case
    body = problem(code, message, name)
    account.fault(path=CREATE, status=400, body=body)
    error = refused(impatient.create("contacts", [Draft("d", {"lastname": "L"})])[0])
    assert error.category == category
    assert error.answer == body["message"]
    (fault,) = error.faults
    assert (fault.field, fault.code, fault.message) == (name, code, message)
    assert fault.expects.startswith(expects)
    assert bool(fault.expects) == bool(expects)
    assert name in error.message


@pytest.mark.requirement("S90")
def test_a_refusal_names_the_field_as_people_know_it(impatient: HubSpotConnector) -> None:
    outcomes = impatient.create("contacts", [Draft("d", {"email": "plain text"})])
    error = refused(outcomes[0])
    label = {each.name: each.label for each in impatient.fields("contacts")}["email"]
    assert f"{label} (email): Email address plain text is invalid" in error.message


@pytest.mark.requirement("S87")
def test_plain_text_for_an_email_is_told_with_what_is_expected(impatient: HubSpotConnector) -> None:
    error = refused(impatient.create("contacts", [Draft("d", {"email": "plain text"})])[0])
    assert error.category is Category.VALIDATION_ERROR
    assert error.faults[0].expects == "an e-mail address, such as ana@example.com"


@pytest.mark.requirement("S118")
@pytest.mark.parametrize("is_defined", [False, True])
def test_accepted_options_are_told(
    account: Sandbox, impatient: HubSpotConnector, *, is_defined: bool
) -> None:
    if is_defined:
        body = problem("INVALID_OPTION", OPTIONS_DEFINED, "lifecyclestage")
        account.fault(path=CREATE, status=400, body=body)
    draft = Draft("d", {"lastname": "L", "lifecyclestage": "friend"})
    (fault,) = refused(impatient.create("contacts", [draft])[0]).faults
    if is_defined:
        assert fault.accepted == ("lead", "customer")
    else:
        fields = {each.name: each for each in impatient.fields("contacts")}
        assert fault.accepted == tuple(o.value for o in fields["lifecyclestage"].options)


def test_a_stage_of_another_pipeline_is_told_with_those_of_its_own(
    connector: HubSpotConnector,
) -> None:
    values = {"dealname": "D", "pipeline": "74310021", "dealstage": "closedwon"}
    error = refused(connector.create("deals", [Draft("d", values)])[0])
    accepted = {fault.field: fault.accepted for fault in error.faults}
    assert "145220101" in accepted["dealstage"]
    assert "closedwon" not in accepted["dealstage"]


@pytest.mark.requirement("S88")
def test_a_requirement_the_definition_hides_is_pointed_out(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    account.settings(hidden_required={"tickets": ["source_type"]})
    drafts = [
        Draft("hidden", {"subject": "S", "hs_pipeline_stage": "1"}),
        Draft("told", {"hs_pipeline_stage": "1", "source_type": "EMAIL"}),
    ]
    outcomes = {each.key: each for each in connector.create("tickets", drafts)}
    account.settings(hidden_required={})
    error = refused(outcomes["hidden"])
    assert error.category is Category.REQUIRED_FIELD
    assert [(f.field, f.is_hidden_requirement) for f in error.faults] == [("source_type", True)]
    assert "definition does not say so" in error.hint
    error = refused(outcomes["told"])
    assert [(f.field, f.is_hidden_requirement) for f in error.faults] == [("subject", False)]


def test_one_of_several_required_properties_will_do(connector: HubSpotConnector) -> None:
    error = refused(connector.create("contacts", [Draft("d", {"phone": "12"})])[0])
    assert "at least one of" in error.message
    assert not any(fault.is_hidden_requirement for fault in error.faults)


def test_a_value_that_is_none_of_its_type_says_what_would_be(connector: HubSpotConnector) -> None:
    drafts = [
        Draft("date", {"dealname": "D", "dealstage": "closedwon", "closedate": "tomorrow"}),
        Draft("owner", {"dealname": "D", "dealstage": "closedwon", "hubspot_owner_id": "x@y.z"}),
    ]
    faults: dict[str, FieldFault] = {
        each.key: refused(each).faults[0] for each in connector.create("deals", drafts)
    }
    assert faults["date"].expects.startswith("a date and time")
    assert faults["owner"].expects.startswith("the e-mail of an active owner")


def test_a_refusal_that_shows_a_changed_schema_has_it_read_anew(account: Sandbox) -> None:
    cache = DictCache()
    with connect(account, cache=cache) as opened:
        opened.fields("companies")
        path = "/crm/v3/properties/companies"
        status, _, _ = account.api(
            "POST",
            path,
            {
                "name": "size_class",
                "label": "Size class",
                "type": "enumeration",
                "fieldType": "select",
                "groupName": "companyinformation",
                "options": [{"label": "S", "value": "s"}, {"label": "L", "value": "l"}],
            },
        )
        assert status == 201
        body = problem("INVALID_OPTION", "x was not one of the allowed options: [s, l]", "industry")
        account.fault(path="/crm/objects/2026-03/companies/batch/update", status=400, body=body)
        opened.update("companies", [Patch("p", "1", {"industry": "BANKING"})])
        assert "size_class" in {each.name for each in opened.fields("companies")}
    with connect(account, cache=cache) as opened:
        assert "size_class" in {each.name for each in opened.fields("companies")}


def test_a_contact_that_exists_is_a_duplicate(connector: HubSpotConnector) -> None:
    (first,) = connector.create("contacts", [Draft("a", {"email": "twice@example.com"})])
    (again,) = connector.create("contacts", [Draft("b", {"email": "twice@example.com"})])
    error = refused(again)
    assert (error.category, error.existing_id) == (Category.DUPLICATE, first.id)


def ask(connector: HubSpotConnector, *, is_write: bool) -> object:
    if is_write:
        return connector.create("contacts", [Draft("d", {"lastname": "L"})])
    return connector.read("contacts", ["1"], ["lastname"])


LIMITED = {"status": "error", "errorType": "RATE_LIMIT"}
NOT_NOW: list[tuple[dict[str, Any], timedelta, timedelta]] = [
    ({"status": 423}, timedelta(seconds=2), timedelta(seconds=3)),
    (
        {"status": 429, "body": LIMITED | {"policyName": "TEN_SECONDLY_ROLLING"}},
        timedelta(seconds=10),
        timedelta(seconds=11),
    ),
    (
        {"status": 429, "body": {"message": "You have reached your secondly limit."}},
        timedelta(seconds=1),
        timedelta(seconds=2),
    ),
    (
        {"status": 429, "body": LIMITED | {"policyName": "DAILY"}},
        timedelta(0),
        timedelta(hours=25),
    ),
    (
        {"status": 477, "headers": {"Retry-After": "600"}},
        timedelta(seconds=600),
        timedelta(seconds=700),
    ),
    (
        {"status": 477, "headers": {"Retry-After": "999999"}},
        timedelta(hours=24),
        timedelta(hours=24),
    ),
]


@pytest.mark.parametrize(("fault", "least", "most"), NOT_NOW)
@pytest.mark.parametrize("is_write", [False, True])
def test_not_now_is_temporary_and_nothing_was_taken(
    account: Sandbox,
    impatient: HubSpotConnector,
    fault: dict[str, Any],
    least: timedelta,
    most: timedelta,
    *,
    is_write: bool,
) -> None:
    account.fault(path=CONTACTS, **fault)
    with pytest.raises(TemporaryError) as caught:
        ask(impatient, is_write=is_write)
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most
    if fault["status"] == 429:
        assert isinstance(caught.value, RateLimitedError)


GARBLED: list[dict[str, Any]] = [
    *({"status": status, "body": PAGE} for status in (500, 502, 503, 504, 521, 522, 523, 524)),
    {"status": 200, "body": PAGE},
    {"status": 201, "body": '{"status":"COMPLETE","results":[{"id":"10'},
    {"status": 200, "body": "[]"},
    {"drop": "before"},
    {"drop": "after"},
]


@pytest.mark.parametrize("fault", GARBLED, ids=str)
def test_a_read_without_a_usable_answer_is_repeated(
    account: Sandbox, connector: HubSpotConnector, fault: dict[str, Any]
) -> None:
    made = account.create("contacts", {"lastname": "There"})
    connector.fields("contacts")
    account.fault(path=READ, **fault)
    found = connector.read("contacts", [made], ["lastname"])
    assert found[made].values == {"lastname": "There"}
    assert connector.calls["batch read"] == 2


@pytest.mark.parametrize("fault", GARBLED, ids=str)
def test_an_unkeyed_create_without_a_usable_answer_is_unknown(
    account: Sandbox, connector: HubSpotConnector, fault: dict[str, Any]
) -> None:
    connector.fields("contacts")
    account.fault(path=CREATE, **fault)
    with pytest.raises(OutcomeUnknownError):
        connector.create("contacts", [Draft("d", {"lastname": "L"})])
    assert connector.calls["batch create"] == 1


@pytest.mark.parametrize("fault", GARBLED, ids=str)
def test_a_keyed_create_without_a_usable_answer_is_made_good(
    keyed: Sandbox, fault: dict[str, Any]
) -> None:
    with connect(keyed) as opened:
        before = opened.count("contacts")
        keyed.fault(path=f"{CONTACTS}/batch/upsert", **fault)
        (made,) = opened.create("contacts", [Draft(f"key {fault}", {"lastname": "Once"})])
        assert made.id
        assert opened.count("contacts") == before + 1


def test_an_answer_that_takes_too_long_is_given_up(account: Sandbox) -> None:
    made = account.create("contacts", {"lastname": "Slow"})
    with connect(account, request_timeout=timedelta(seconds=0.5)) as opened:
        opened.fields("contacts")
        account.fault(path=READ, delay_s=1)
        assert opened.read("contacts", [made], ["lastname"])
        account.fault(path=CREATE, delay_s=1)
        with pytest.raises(OutcomeUnknownError):
            opened.create("contacts", [Draft("d", {"lastname": "Slow"})])


@pytest.mark.parametrize(
    ("status", "category"), [(401, Category.AUTHENTICATION), (403, Category.PERMISSION)]
)
def test_what_only_a_person_can_mend_stops_the_run(
    account: Sandbox, impatient: HubSpotConnector, status: int, category: Category
) -> None:
    account.fault(path=CONTACTS, status=status, body={"status": "error", "message": "No."}, times=2)
    with pytest.raises(AttentionError) as read:
        impatient.read("contacts", ["1"], ["lastname"])
    with pytest.raises(AttentionError) as written:
        impatient.create("contacts", [Draft("d", {"lastname": "L"})])
    assert read.value.category is written.value.category is category


@pytest.mark.parametrize("offset_s", [-7200, 7200])
def test_a_clock_that_is_wrong_changes_nothing(account: Sandbox, offset_s: int) -> None:
    account.settings(clock_offset_s=offset_s)
    try:
        with connect(account) as opened:
            skew = opened.now() - datetime.now(UTC)
            assert abs(skew - timedelta(seconds=offset_s)) < timedelta(seconds=5)
            sent_at = opened.now()
            values = {"name": f"Skewed {offset_s}"}
            (made,) = opened.create("companies", [Draft("d", values)])
            window = Window(sent_at - timedelta(seconds=2), opened.now() + timedelta(seconds=2))
            pages = opened.changes("companies", window, (), ["name"])
            assert made.id in {record.id for page in pages for record in page.records}
            settled = opened.settle("companies", [SentCreate("d", values, sent_at)])
            assert settled["d"].candidates == (made.id,)
    finally:
        account.settings(clock_offset_s=0)
