"""One record of every object type: made, read, changed and found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hubconnect.connectors.base import (
    Capability,
    Condition,
    Draft,
    NewAssociation,
    Operator,
    Patch,
    SentCreate,
    Value,
    ValueType,
    Window,
)
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.conftest import connect
from tests.contract.hubspot.custom_objects import MACHINES, add_machines
from tests.sandbox_process import Sandbox, sandbox

OWNER = "rae.poe@example.com"
MOMENT = datetime(2026, 5, 1, 12, 30, 0, 250_000, UTC)
ORDER_PIPELINE = "14a2e10e-5471-408a-906e-c51f3b04369e"


@dataclass(frozen=True)
class Sample:
    """A record to create, what to change of it, and by what to find it."""

    values: Mapping[str, Value]
    changes: Mapping[str, Value]
    find_by: str
    types: Mapping[str, ValueType] = field(default_factory=dict)
    link: str = ""


SAMPLES = {
    "deals": Sample(
        {
            "dealname": "Pump",
            "pipeline": "74310021",
            "dealstage": "145220101",
            "amount": Decimal("780.50"),
            "closedate": MOMENT,
            "deal_currency_code": "EUR",
            "hubspot_owner_id": OWNER,
        },
        {"pipeline": "default", "dealstage": "closedwon"},
        "dealname",
        {"deal_currency_code": ValueType.OPTION, "hubspot_owner_id": ValueType.USER},
    ),
    "tickets": Sample(
        {
            "subject": "It drips",
            "hs_pipeline": "0",
            "hs_pipeline_stage": "1",
            "hs_ticket_category": frozenset({"PRODUCT_ISSUE", "BILLING_ISSUE"}),
            "hubspot_owner_id": OWNER,
        },
        {"hs_pipeline_stage": "4", "hs_ticket_category": frozenset({"FEATURE_REQUEST"})},
        "subject",
        {"hs_ticket_category": ValueType.OPTIONS},
    ),
    "contacts": Sample(
        {"email": "ana@example.com", "firstname": "Ana", "hs_buying_role": frozenset({"CHAMPION"})},
        {"lifecyclestage": "customer", "firstname": None},
        "email",
    ),
    "companies": Sample(
        {"name": "Acme", "industry": "BANKING", "numberofemployees": Decimal(12)},
        {"is_public": True, "industry": None},
        "name",
        {"is_public": ValueType.BOOLEAN},
    ),
    "orders": Sample(
        {
            "hs_order_name": "PO-1",
            "hs_pipeline": ORDER_PIPELINE,
            "hs_pipeline_stage": "4b27b500-f031-4927-9811-68a0b525cbae",
            "hs_total_price": Decimal("99.95"),
            "hs_external_created_date": MOMENT,
        },
        {"hs_pipeline_stage": "aa99e8d0-c1d5-4071-b915-d240bbb1aed9"},
        "hs_order_name",
        {"hs_pipeline_stage": ValueType.OPTION},
    ),
    MACHINES: Sample(
        {
            "serial": "M-1",
            "hs_pipeline_stage": "running",
            "built_on": date(2019, 3, 31),
            "extras": frozenset({"tow_bar", "heated_seat"}),
            "manual": "<ul><li>Read me</li></ul>",
            "is_leased": False,
            "hours": Decimal("12.5"),
            "hubspot_owner_id": OWNER,
        },
        {"hs_pipeline_stage": "broken", "extras": frozenset({"tow_bar"}), "is_leased": True},
        "serial",
        {
            "built_on": ValueType.DATE,
            "extras": ValueType.OPTIONS,
            "manual": ValueType.RICH_TEXT,
            "hs_pipeline_stage": ValueType.OPTION,
            "hubspot_owner_id": ValueType.USER,
        },
    ),
    "notes": Sample(
        {"hs_timestamp": MOMENT, "hs_note_body": "<p>Signed</p>", "hubspot_owner_id": OWNER},
        {"hs_note_body": "<p>Signed <strong>twice</strong></p>"},
        "hubspot_owner_id",
        {"hs_note_body": ValueType.RICH_TEXT, "hs_attachment_ids": ValueType.OPTIONS},
        link="HUBSPOT_DEFINED:202",
    ),
    "emails": Sample(
        {
            "hs_timestamp": MOMENT,
            "hs_email_direction": "INCOMING_EMAIL",
            "hs_email_subject": "Offer",
            "hs_email_html": "<p>Please <em>look</em></p>",
            "hs_email_headers": '{"from":{"email":"ana@example.com"},"to":[{"email":"r@x.org"}]}',
        },
        {"hs_email_status": "SENT", "hs_email_direction": "EMAIL"},
        "hs_email_subject",
        {"hs_email_html": ValueType.RICH_TEXT, "hs_email_headers": ValueType.TEXT},
        link="HUBSPOT_DEFINED:198",
    ),
    "tasks": Sample(
        {
            "hs_timestamp": MOMENT,
            "hs_task_subject": "Call back",
            "hs_task_body": "<p>Today</p>",
            "hs_task_priority": "HIGH",
            "hubspot_owner_id": OWNER,
        },
        {"hs_task_status": "COMPLETED"},
        "hs_task_subject",
        {"hs_task_body": ValueType.RICH_TEXT},
    ),
    "calls": Sample(
        {
            "hs_timestamp": MOMENT,
            "hs_call_title": "Price",
            "hs_call_body": "<p>Agreed</p>",
            "hs_call_direction": "OUTBOUND",
            "hs_call_duration": Decimal(90_000),
            "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
        },
        {"hs_call_status": "COMPLETED"},
        "hs_call_title",
        {"hs_call_body": ValueType.RICH_TEXT},
    ),
    "meetings": Sample(
        {
            "hs_timestamp": MOMENT,
            "hs_meeting_title": "Kick-off",
            "hs_meeting_body": "<p>Agenda</p>",
            "hs_internal_meeting_notes": "<p>Ours</p>",
            "hs_meeting_start_time": MOMENT,
            "hs_meeting_end_time": MOMENT + timedelta(hours=1),
        },
        {"hs_meeting_outcome": "COMPLETED"},
        "hs_meeting_title",
        {
            "hs_meeting_body": ValueType.RICH_TEXT,
            "hs_internal_meeting_notes": ValueType.RICH_TEXT,
            "hs_attendee_owner_ids": ValueType.OPTIONS,
        },
        link="HUBSPOT_DEFINED:200",
    ),
}
ACTIVITIES = {"notes", "emails", "tasks", "calls", "meetings"}
COMMON = set(SAMPLES) - ACTIVITIES


@pytest.fixture(scope="module")
def plain() -> Iterator[Sandbox]:
    """An account as it is before it was prepared."""
    with sandbox() as running:
        add_machines(running)
        yield running


@pytest.fixture(scope="module")
def prepared() -> Iterator[Sandbox]:
    """An account whose object types all have our key property."""
    with sandbox() as running:
        add_machines(running)
        with connect(running) as opened:
            for each in opened.check().preparations:
                opened.prepare(each.name)
        yield running


@pytest.fixture(params=["plain", "prepared"])
def home(request: pytest.FixtureRequest) -> Sandbox:
    """The account the test happens in; it must work in either."""
    found: Sandbox = request.getfixturevalue(request.param)
    found.clear_faults()
    return found


@pytest.fixture
def opened(home: Sandbox) -> Iterator[HubSpotConnector]:
    with connect(home) as connector:
        yield connector


def links(home: Sandbox, sample: Sample) -> tuple[NewAssociation, ...]:
    if not sample.link:
        return ()
    contact = home.create("contacts", {"firstname": "Linked"})
    return (NewAssociation(sample.link, contact),)


@pytest.mark.requirement("S16", "S36", "S38", "S41")
@pytest.mark.parametrize("name", SAMPLES)
def test_a_record_is_created_read_changed_and_found(
    home: Sandbox, opened: HubSpotConnector, name: str
) -> None:
    sample = SAMPLES[name]
    before = opened.now() - timedelta(minutes=1)
    (made,) = opened.create(name, [Draft(f"new:{name}", sample.values, links(home, sample))])
    assert made.error is None
    assert made.values == sample.values
    read = opened.read(name, [made.id], list(sample.values))[made.id]
    assert read.values == sample.values
    assert (read.version, read.created_at is None) == (made.version, False)

    (changed,) = opened.update(name, [Patch("p", made.id, sample.changes)])
    assert changed.values == sample.changes
    found = opened.read(name, [made.id], list(sample.changes))[made.id]
    assert found.values == sample.changes
    assert found.version == changed.version

    names = list(sample.values)
    window = Window(before, opened.now() + timedelta(minutes=1))
    changes = [r for page in opened.changes(name, window, (), names) for r in page.records]
    assert made.id in {record.id for record in changes}
    listed = [r for page in opened.everything(name, (), names) for r in page.records]
    assert made.id in {record.id for record in listed}
    wanted = (Condition(sample.find_by, Operator.EQUALS, sample.values[sample.find_by]),)
    assert made.id in {record.id for record in opened.find(name, [wanted], names)[0]}
    assert opened.count(name, wanted) >= 1


@pytest.mark.requirement("S117", "S118", "S119")
@pytest.mark.parametrize("name", SAMPLES)
def test_fields_have_internal_names_labels_and_types(opened: HubSpotConnector, name: str) -> None:
    fields = {each.name: each for each in opened.fields(name)}
    sample = SAMPLES[name]
    assert {each: fields[each].type for each in sample.types} == sample.types
    for each in (*sample.values, *sample.changes):
        assert fields[each].label
        assert not fields[each].read_only
    for each, value in sample.values.items():
        if fields[each].type is ValueType.OPTION:
            assert value in {option.value for option in fields[each].options}
            assert all(option.label for option in fields[each].options)
    assert fields["hs_object_id"].type is ValueType.REFERENCE
    assert fields["hs_object_id"].read_only


@pytest.mark.requirement("S36")
def test_object_types_say_what_they_offer(opened: HubSpotConnector) -> None:
    types = {each.name: each for each in opened.object_types()}
    assert set(SAMPLES) <= set(types)
    writing = {Capability.CREATE, Capability.UPDATE, Capability.ASSOCIATIONS}
    for name in COMMON:
        assert types[name].capabilities == writing | {Capability.COMMENTS, Capability.ATTACHMENTS}
        assert "plain text" in types[name].why_not[Capability.MENTIONS]
    for name in ACTIVITIES:
        assert types[name].capabilities == writing | {Capability.MENTIONS}
        assert types[name].why_not[Capability.COMMENTS]
    assert {name for name, each in types.items() if each.needs_association} == {
        "notes",
        "emails",
        "meetings",
    }
    assert set(types["notes"].needs_association) >= COMMON
    assert types["contacts"].one_of == ("email", "firstname", "lastname")


@pytest.mark.requirement("S48", "S49", "S50")
@pytest.mark.parametrize("name", ["notes", "emails", "meetings"])
def test_what_would_be_seen_nowhere_is_not_created(opened: HubSpotConnector, name: str) -> None:
    before = opened.count(name)
    (made,) = opened.create(name, [Draft("alone", SAMPLES[name].values)])
    assert made.error is not None
    assert made.error.category is Category.MISSING_LINK
    assert "associated" in made.error.message
    assert "deals, tickets, contacts" in made.error.hint
    assert opened.count(name) == before


@pytest.mark.requirement("S48")
@pytest.mark.parametrize(
    ("kind", "type_id"),
    [("deals", 214), ("tickets", 228), ("contacts", 202), ("companies", 190), ("orders", 765)],
)
def test_a_note_is_created_with_its_link(
    home: Sandbox, opened: HubSpotConnector, kind: str, type_id: int
) -> None:
    values = {n: v for n, v in SAMPLES[kind].values.items() if n != "email"}
    (other,) = opened.create(kind, [Draft(f"link:{kind}", values)])
    link = NewAssociation(f"HUBSPOT_DEFINED:{type_id}", other.id)
    (made,) = opened.create("notes", [Draft(f"n:{kind}", SAMPLES["notes"].values, (link,))])
    _, found, _ = home.api("GET", f"/crm/v4/objects/notes/{made.id}/associations/{kind}")
    assert [str(each["toObjectId"]) for each in found["results"]] == [other.id]


def test_a_link_to_nothing_fails_that_record_alone(home: Sandbox, opened: HubSpotConnector) -> None:
    sample = SAMPLES["notes"]
    lost = NewAssociation(sample.link, "999999999")
    wrong = NewAssociation("primary", "1")
    outcomes = {
        each.key: each
        for each in opened.create(
            "notes",
            [
                Draft("lost", sample.values, (lost,)),
                Draft("wrong", sample.values, (wrong,)),
                Draft("good", sample.values, links(home, sample)),
            ],
        )
    }
    assert outcomes["good"].id
    lost_error, wrong_error = outcomes["lost"].error, outcomes["wrong"].error
    assert lost_error is not None
    assert lost_error.category is Category.MISSING_LINK
    assert "999999999" in lost_error.message
    assert wrong_error is not None
    assert wrong_error.category is Category.CONFIGURATION


@pytest.mark.parametrize("name", SAMPLES)
def test_a_keyed_create_is_made_once(prepared: Sandbox, name: str) -> None:
    sample = SAMPLES[name]
    values = {n: v for n, v in sample.values.items() if n not in {"email", "serial"}}
    values |= {"serial": f"M-{name}"} if "serial" in sample.values else {}
    draft = Draft(f"once:{name}", values, links(prepared, sample))
    with connect(prepared) as opened:
        assert opened.settles_with(name) == ""
        before = opened.count(name)
        (first,) = opened.create(name, [draft])
        (again,) = opened.create(name, [draft])
        assert first.id == again.id
        assert first.values == again.values == values
        assert opened.count(name) == before + 1


def test_a_linked_create_whose_answer_was_lost_is_made_good(prepared: Sandbox) -> None:
    sample = SAMPLES["notes"]
    drafts = [Draft(f"lost:{n}", sample.values, links(prepared, sample)) for n in range(3)]
    with connect(prepared) as opened:
        before = opened.count("notes")
        prepared.fault(path="/crm/objects/2026-03/notes/batch/create", drop="after")
        outcomes = opened.create("notes", drafts)
        assert all(each.id for each in outcomes)
        assert opened.calls["batch create"] == 2
        assert opened.count("notes") == before + 3


@pytest.mark.parametrize(
    ("name", "field_name"),
    [("notes", "hs_body_preview_html"), ("emails", "hs_email_html"), ("emails", "hs_body_preview")],
)
def test_what_search_cannot_filter_by_is_refused(
    opened: HubSpotConnector, name: str, field_name: str
) -> None:
    fields = {each.name: each for each in opened.fields(name)}
    assert not fields[field_name].searchable
    condition = Condition(field_name, Operator.EQUALS, "x")
    with pytest.raises(AttentionError, match=field_name):
        opened.count(name, (condition,))
    with pytest.raises(AttentionError, match=field_name):
        opened.find(name, [(condition,)], [])


@pytest.mark.parametrize("name", SAMPLES)
def test_an_address_leads_to_the_record(opened: HubSpotConnector, name: str) -> None:
    code = {each.name: each.code for each in opened.object_types()}[name]
    assert opened.url(name, "7") == f"https://app.hubspot.com/contacts/4242/record/{code}/7"


@pytest.mark.requirement("S13", "S14", "S16")
def test_what_the_token_may_not_do_is_said(plain: Sandbox) -> None:
    plain.add_token(
        "narrow", scopes=["oauth", "crm.objects.contacts.read", "crm.objects.deals.read"]
    )
    with connect(plain, access_token="narrow") as opened:
        types = {each.name: each for each in opened.object_types()}
    assert types["deals"].unreadable == ""
    assert types["notes"].unreadable == ""
    assert "crm.objects.orders.read" in types["orders"].unreadable
    assert "sales-email-read" in types["emails"].unreadable
    assert Capability.CREATE not in types["deals"].capabilities
    assert "crm.objects.deals.write" in types["deals"].why_not[Capability.CREATE]


@pytest.mark.requirement("S43", "S44")
def test_a_note_that_only_carries_a_file_is_a_note_like_others(
    home: Sandbox, opened: HubSpotConnector
) -> None:
    made = home.create("notes", {"hs_timestamp": "2026-05-01T08:00:00Z", "hs_attachment_ids": "9"})
    names = ["hs_note_body", "hs_attachment_ids"]
    (note,) = [
        record
        for page in opened.everything("notes", (), names)
        for record in page.records
        if record.id == made
    ]
    assert note.values == {"hs_note_body": None, "hs_attachment_ids": frozenset({"9"})}


@pytest.mark.parametrize(
    ("name", "read_only"),
    [
        ("deals", ["hs_is_closed", "days_to_close", "hs_lastmodifieddate"]),
        ("tickets", ["time_to_close", "hs_ticket_id"]),
        ("contacts", ["lastmodifieddate", "hs_full_name_or_email"]),
        ("orders", ["hs_homecurrency_amount", "hs_createdate"]),
        ("notes", ["hs_body_preview", "hs_created_by"]),
        ("emails", ["hs_email_from_email", "hs_email_to_email"]),
        ("tasks", ["hs_task_completion_date", "hs_task_is_overdue"]),
        (MACHINES, ["hs_createdate", "hs_object_source"]),
    ],
)
def test_what_hubspot_works_out_is_read_only(
    opened: HubSpotConnector, name: str, read_only: list[str]
) -> None:
    fields = {each.name: each for each in opened.fields(name)}
    assert all(fields[each].read_only for each in read_only)


@pytest.mark.parametrize(
    ("name", "required"),
    [
        ("deals", {"dealname", "dealstage"}),
        ("tickets", {"subject", "hs_pipeline_stage"}),
        ("contacts", set()),
        ("orders", {"hs_order_name"}),
        ("notes", {"hs_timestamp"}),
        ("emails", {"hs_timestamp", "hs_email_direction"}),
        ("tasks", {"hs_timestamp"}),
        ("calls", {"hs_timestamp"}),
        ("meetings", {"hs_timestamp"}),
        (MACHINES, {"serial"}),
    ],
)
def test_what_a_new_record_needs_is_known(
    opened: HubSpotConnector, name: str, required: set[str]
) -> None:
    assert {each.name for each in opened.fields(name) if each.required} == required


def test_properties_that_hold_an_owner_are_users(plain: Sandbox) -> None:
    owner = {
        "name": "second_owner",
        "label": "Second owner",
        "type": "enumeration",
        "fieldType": "select",
        "groupName": "dealinformation",
        "externalOptions": True,
        "referencedObjectType": "OWNER",
    }
    plain.api("POST", "/crm/properties/2026-03/deals", owner)
    values: dict[str, Value] = {
        "dealname": "D",
        "dealstage": "closedwon",
        "second_owner": OWNER,
        "hs_all_collaborator_owner_ids": frozenset({"41001", "41002"}),
    }
    with connect(plain) as opened:
        fields = {each.name: each for each in opened.fields("deals")}
        assert fields["second_owner"].type is ValueType.USER
        assert fields["hs_all_collaborator_owner_ids"].type is ValueType.OPTIONS
        assert fields["hs_all_collaborator_owner_ids"].open_options
        (made,) = opened.create("deals", [Draft("owners", values)])
        assert made.values == values


def test_currencies_are_those_of_the_account(plain: Sandbox) -> None:
    plain.settings(more_currencies=["USD", "CHF"])
    with connect(plain) as opened:
        currency = {each.name: each for each in opened.fields("deals")}["deal_currency_code"]
    assert [option.value for option in currency.options] == ["EUR", "USD", "CHF"]
    assert not currency.open_options
    plain.add_token("unseeing", scopes=["crm.objects.deals.read"])
    with connect(plain, access_token="unseeing") as opened:
        currency = {each.name: each for each in opened.fields("deals")}["deal_currency_code"]
    assert currency.options == ()
    assert currency.open_options


def test_unkeyed_notes_are_settled_by_their_text_and_time(plain: Sandbox) -> None:
    sample = SAMPLES["notes"]
    with connect(plain) as opened:
        sent_at = opened.now()
        bodies = ["<p>Only <em>this</em> one</p>", "<p>And this</p>"]
        made = opened.create(
            "notes",
            [
                Draft(body, {**sample.values, "hs_note_body": body}, links(plain, sample))
                for body in bodies
            ],
        )
        ids = {each.key: each.id for each in made}
        sent = [
            SentCreate(body, {**sample.values, "hs_note_body": body}, sent_at)
            for body in (*bodies, "<p>Never sent</p>")
        ]
        settled = opened.settle("notes", sent)
    assert {body: settled[body].candidates for body in bodies} == {
        body: (ids[body],) for body in bodies
    }
    assert settled["<p>Never sent</p>"].candidates == ()
