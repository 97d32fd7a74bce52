from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hubconnect.connectors.base import Draft, Outcome, Patch, SentCreate, Value
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    OutcomeUnknownError,
    RateLimitedError,
    TemporaryError,
)
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.conftest import connect
from tests.sandbox_process import Sandbox, sandbox

OBJECTS = "/crm/objects/2026-03"


@pytest.fixture(scope="module")
def prepared() -> Iterator[Sandbox]:
    """An account whose contacts have our key property."""
    with sandbox() as running:
        with connect(running) as opened:
            opened.prepare("hubconnect_key:contacts")
        yield running


@pytest.fixture
def keyed(prepared: Sandbox) -> Iterator[HubSpotConnector]:
    prepared.clear_faults()
    with connect(prepared) as opened:
        yield opened


def by_key(outcomes: list[Outcome]) -> dict[str, Outcome]:
    assert len({outcome.key for outcome in outcomes}) == len(outcomes)
    return {outcome.key: outcome for outcome in outcomes}


def drafts(prefix: str, count: int) -> list[Draft]:
    return [
        Draft(f"{prefix}{n}", {"email": f"{prefix}{n}@example.com", "lastname": f"L{n}"})
        for n in range(count)
    ]


def test_a_thousand_creates_and_updates_cost_ten_calls_each(connector: HubSpotConnector) -> None:
    created = connector.create("contacts", drafts("many", 1000))
    assert all(outcome.id for outcome in created)
    assert connector.calls["batch create"] == 10
    patches = [Patch(o.key, o.id, {"lastname": "New"}) for o in created]
    updated = connector.update("contacts", patches)
    assert {o.key: o.id for o in updated} == {o.key: o.id for o in created}
    assert {o.values["lastname"] for o in updated} == {"New"}
    assert connector.calls["batch update"] == 10


def test_a_thousand_keyed_creates_cost_ten_calls(keyed: HubSpotConnector) -> None:
    created = keyed.create("contacts", drafts("keyed", 1000))
    assert all(outcome.id for outcome in created)
    assert keyed.calls["batch upsert"] == 10


def test_every_kind_of_value_is_stored_and_answered(connector: HubSpotConnector) -> None:
    values: dict[str, Value] = {
        "dealname": "Pump — größer",
        "pipeline": "default",
        "dealstage": "contractsent",
        "amount": Decimal("780.50"),
        "closedate": datetime(2026, 5, 1, 12, 30, 0, 123_000, UTC),
        "hubspot_owner_id": "rae.poe@example.com",
        "description": None,
    }
    outcome = connector.create("deals", [Draft("d", values)])[0]
    assert outcome.values == values
    record = connector.read("deals", [outcome.id], list(values))[outcome.id]
    assert record.values == values
    assert record.version == outcome.version
    roles = frozenset({"CHAMPION", "BLOCKER"})
    made = connector.create("contacts", [Draft("c", {"lastname": "X", "hs_buying_role": roles})])[0]
    assert made.values["hs_buying_role"] == roles
    cleared = connector.update("contacts", [Patch("c", made.id, {"hs_buying_role": None})])[0]
    read = connector.read("contacts", [made.id], ["hs_buying_role"])[made.id]
    assert cleared.values.get("hs_buying_role") is read.values["hs_buying_role"] is None


@pytest.mark.parametrize("which", ["connector", "keyed"])
def test_bad_records_fail_alone(which: str, request: pytest.FixtureRequest) -> None:
    opened: HubSpotConnector = request.getfixturevalue(which)
    first = opened.create("contacts", [Draft("taken", {"email": f"taken-{which}@example.com"})])[0]
    outcomes = by_key(
        opened.create(
            "contacts",
            [
                *drafts(f"good-{which}", 5),
                Draft("email", {"email": "plain text"}),
                Draft("option", {"lastname": "O", "lifecyclestage": "friend"}),
                Draft("taken-again", {"email": f"TAKEN-{which}@example.com"}),
                Draft("type", {"lastname": Decimal(1)}),
                Draft("owner", {"lastname": "N", "hubspot_owner_id": "nobody@example.com"}),
            ],
        )
    )
    assert all(outcomes[f"good-{which}{n}"].id for n in range(5))
    categories = {key: outcome.error.category for key, outcome in outcomes.items() if outcome.error}
    assert categories == {
        "email": Category.VALIDATION_ERROR,
        "option": Category.VALIDATION_ERROR,
        "taken-again": Category.DUPLICATE,
        "type": Category.CONVERSION,
        "owner": Category.CONVERSION,
    }
    email, taken = outcomes["email"].error, outcomes["taken-again"].error
    assert email is not None
    assert [fault.field for fault in email.faults] == ["email"]
    assert taken is not None
    assert taken.existing_id == first.id


def test_a_required_property_that_is_missing_is_named(connector: HubSpotConnector) -> None:
    good = {"subject": "S", "hs_pipeline_stage": "1"}
    outcomes = by_key(
        connector.create("tickets", [Draft("good", good), Draft("bad", {"hs_pipeline_stage": "1"})])
    )
    assert outcomes["good"].id
    error = outcomes["bad"].error
    assert error is not None
    assert error.category is Category.REQUIRED_FIELD
    assert "subject" in error.message


def test_a_batch_refused_as_a_whole_is_taken_apart(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    account.fault(
        path=f"{OBJECTS}/contacts/batch/create",
        status=400,
        body={"status": "error", "category": "VALIDATION_ERROR", "message": "One is bad."},
    )
    outcomes = connector.create("contacts", drafts("apart", 10))
    assert all(outcome.id for outcome in outcomes)
    assert connector.calls["batch create"] == 3


def test_updates_tell_what_is_gone_and_what_is_refused(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    first, second, third = (
        o.id for o in sorted(connector.create("contacts", drafts("up", 3)), key=lambda o: o.key)
    )
    account.archive("contacts", third)
    outcomes = by_key(
        connector.update(
            "contacts",
            [
                Patch("good", first, {"lastname": "Good"}),
                Patch("again", first, {"firstname": "Again"}),
                Patch("taken", second, {"email": "up0@example.com"}),
                Patch("archived", third, {"lastname": "Late"}),
                Patch("never", "999999999", {"lastname": "Never"}),
            ],
        )
    )
    assert outcomes["good"].id == outcomes["again"].id == first
    assert outcomes["archived"].is_gone
    assert outcomes["never"].is_gone
    error = outcomes["taken"].error
    assert error is not None
    assert (error.category, error.existing_id) == (Category.DUPLICATE, first)


def test_a_lifecycle_stage_that_does_not_go_back_shows_what_is_stored(
    connector: HubSpotConnector,
) -> None:
    made = connector.create(
        "contacts", [Draft("s", {"lastname": "S", "lifecyclestage": "customer"})]
    )[0]
    answer = connector.update("contacts", [Patch("s", made.id, {"lifecyclestage": "lead"})])[0]
    read = connector.read("contacts", [made.id], ["lifecyclestage"])[made.id]
    assert read.values["lifecyclestage"] == "customer"
    assert answer.values.get("lifecyclestage", "customer") == "customer"


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_answer_to_an_unkeyed_create_is_unknown(
    account: Sandbox, connector: HubSpotConnector, drop: str
) -> None:
    connector.fields("contacts")
    account.fault(path=f"{OBJECTS}/contacts/batch/create", drop=drop)
    with pytest.raises(OutcomeUnknownError):
        connector.create("contacts", drafts(f"lost-{drop}", 2))
    assert connector.calls["batch create"] == 1


def test_a_lost_answer_to_a_keyed_create_is_made_good(
    prepared: Sandbox, keyed: HubSpotConnector
) -> None:
    keyed.fields("contacts")
    prepared.fault(path=f"{OBJECTS}/contacts/batch/upsert", drop="after")
    before = keyed.count("contacts")
    outcomes = keyed.create("contacts", drafts("again", 3))
    assert all(outcome.id for outcome in outcomes)
    assert keyed.calls["batch upsert"] == 2
    assert keyed.count("contacts") == before + 3


def test_keyed_creates_are_settled_for_sure(prepared: Sandbox, keyed: HubSpotConnector) -> None:
    assert keyed.settles_with("contacts") == ""
    made = by_key(keyed.create("contacts", drafts("settled", 2)))
    sent = [
        SentCreate(key, {"lastname": "L"}, keyed.now()) for key in ("settled0", "settled1", "none")
    ]
    settled = keyed.settle("contacts", sent)
    assert settled["settled0"].id == made["settled0"].id
    assert settled["settled1"].id == made["settled1"].id
    assert (settled["none"].id, settled["none"].is_certain) == ("", True)
    key = prepared.get("contacts", made["settled0"].id)["properties"]["hubconnect_key"]
    assert key == "settled0"


def test_unkeyed_creates_are_settled_by_comparing(connector: HubSpotConnector) -> None:
    assert "hubconnect_key" in connector.settles_with("contacts")
    now = connector.now()
    made = connector.create("contacts", [Draft("a", {"lastname": "Unique Name"})])[0]
    sent = [
        SentCreate("a", {"lastname": "Unique Name"}, now),
        SentCreate("recent", {"lastname": "Never sent"}, now),
        SentCreate("old", {"lastname": "Never sent"}, now - timedelta(hours=1)),
    ]
    settled = connector.settle("contacts", sent)
    assert settled["a"].candidates == (made.id,)
    assert not settled["a"].is_certain
    assert not settled["recent"].is_certain
    assert settled["old"].is_certain
    assert not settled["old"].candidates


def test_archived_records_are_missing(account: Sandbox, connector: HubSpotConnector) -> None:
    made = connector.create("contacts", drafts("archived", 1))[0]
    account.archive("contacts", made.id)
    assert connector.read("contacts", [made.id], ["lastname"]) == {}


def test_a_write_that_is_limited_is_repeated(account: Sandbox, connector: HubSpotConnector) -> None:
    account.fault(
        path=f"{OBJECTS}/contacts/batch/create",
        status=429,
        body={"message": "You have reached your secondly limit.", "category": "RATE_LIMITS"},
    )
    assert connector.create("contacts", drafts("limited", 1))[0].id


def test_the_daily_limit_ends_the_run(account: Sandbox, connector: HubSpotConnector) -> None:
    account.fault(
        path=f"{OBJECTS}/contacts",
        status=429,
        body={"policyName": "DAILY", "message": "You have reached your daily limit."},
        times=9,
    )
    with pytest.raises(RateLimitedError) as caught:
        connector.count("contacts")
    assert caught.value.policy == "DAILY"
    assert connector.calls["search"] == 1


def test_a_move_to_another_data_centre_is_waited_for(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    account.fault(path=OBJECTS, status=477, headers={"Retry-After": "3600"})
    with pytest.raises(TemporaryError) as caught:
        connector.count("contacts")
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= timedelta(hours=1)


def test_a_token_taken_away_in_a_batch_keeps_what_is_known(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    connector.fields("contacts")
    account.fault(path=f"{OBJECTS}/contacts/batch/create", skip=1, status=401, body={"x": 1})
    outcomes = connector.create("contacts", drafts("cut", 150))
    assert sum(1 for outcome in outcomes if outcome.id) == 100
    assert sum(1 for outcome in outcomes if outcome.is_unknown) == 50
    account.fault(path=f"{OBJECTS}/contacts/batch/create", status=401, body={"x": 1})
    with pytest.raises(AttentionError):
        connector.create("contacts", drafts("cut-again", 3))


def test_a_date_is_a_date(connector: HubSpotConnector, account: Sandbox) -> None:
    status, _, _ = account.api(
        "POST",
        "/crm/v3/properties/companies",
        {
            "name": "founded_on",
            "label": "Founded on",
            "type": "date",
            "fieldType": "date",
            "groupName": "companyinformation",
        },
    )
    assert status == 201
    day = date(1987, 3, 29)
    made = connector.create("companies", [Draft("c", {"name": "C", "founded_on": day})])[0]
    assert made.values["founded_on"] == day
