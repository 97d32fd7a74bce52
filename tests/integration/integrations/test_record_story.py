"""The story of a record: found by whatever names it, and why it was not synced."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.core.models import User
from hubconnect.integrations.models import (
    Decision,
    Failure,
    Flow,
    Integration,
    Intent,
    Link,
    Pair,
    QueuedRead,
    Side,
    TypePair,
)
from hubconnect.integrations.services import finding_records, record_story, syncing_now
from hubconnect.integrations.services.finding_records import Place
from hubconnect.integrations.services.questions import Answer
from hubconnect.integrations.services.record_story import Story
from hubconnect.integrations.services.syncing_now import NotSyncedError
from hubconnect.systems.services.connections import open_connector
from tests.house import House, furnish
from tests.pages import text
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

ONLY_ANA = [{"condition": "EQUALS", "field": "firstname", "value": "Ana"}]


@pytest.fixture
def hub(emptied: Sandbox) -> Sandbox:
    return emptied


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    """Two contacts and two customers, one of them in common, all in sync."""
    settings.SQLITE_DIR = tmp_path
    hub.create("contacts", {"email": "ana@x.example", "firstname": "Ana", "lastname": "Poe"})
    hub.create("contacts", {"email": "ben@x.example", "firstname": "Ben", "lastname": "Ode"})
    made = furnish(hub, tmp_path / "desk.sqlite3")
    made.desk.run("insert into customers (email, last_name) values ('ben@x.example', 'Ode')")
    made.activate()
    made.sync()
    return made


def place(house: House, record_id: str, side: str = "left") -> Place:
    pair = Pair.objects.select_related(
        "integration", "mapping__left_system", "mapping__right_system"
    ).get(pk=house.to_desk.pair_id)
    return Place(pair, side, record_id)


def told(house: House, record_id: str, side: str = "left") -> Story:
    return record_story.tell(place(house, record_id, side))


def outgoing(house: House, record_id: str, side: str = "left") -> Answer:
    story = told(house, record_id, side)
    return next(one for one in story.answers if one.flow.direction == story.place.direction)


def newcomer(house: House, **values: str) -> str:
    """Add a contact that no run has met."""
    given = {"email": "cy@x.example", "firstname": "Cy", **values}
    return house.hub.create("contacts", given)


# --- Finding -----------------------------------------------------------------------------------


def test_a_record_is_found_by_whatever_names_it(house: House) -> None:
    ana = house.contact_id("ana@x.example")
    link = Link.objects.get(left_id=ana)
    with open_connector(house.hubspot) as connector:
        page = connector.url("contacts", ana)
    portal = house.hubspot.identity.removeprefix("hubspot:")
    ways = [
        ana,
        page,
        f"{page}?interaction=note",
        f"https://app-eu1.hubspot.com/contacts/{portal}/contact/{ana}/",
        f"{house.hub.url}/sandbox/records/contacts/{ana}",
        f"  {link.title.upper()} ",
    ]
    for typed in ways:
        [found] = finding_records.find(typed).places
        assert (found.side, found.record_id) == ("left", ana), typed
    [customer] = finding_records.find(link.right_id, everywhere=False).places
    assert (customer.side, customer.record_id) == ("right", link.right_id)


def test_one_that_nothing_is_stored_about_is_asked_for(house: House) -> None:
    cy = newcomer(house)
    found = finding_records.find(cy)
    assert [(one.side, one.record_id) for one in found.places] == [("left", cy)]
    assert found.was_asked
    by_mail = finding_records.find("cy@x.example")
    assert [(one.side, one.record_id) for one in by_mail.places] == [("left", cy)]


def test_what_is_no_record_is_said_so(house: House, monitor_client: Client) -> None:
    url = reverse("integrations:records")
    portal = house.hubspot.identity.removeprefix("hubspot:")
    for typed, says in (
        ("999999999", "Not found"),
        ("nobody@x.example", "Not found"),
        ("https://app.hubspot.com/contacts/1/record/0-1/5", "no record&#x27;s of any system"),
        (f"https://app.hubspot.com/contacts/{portal}/record/0-2/5", "which no integration carries"),
        ("https://[broken", "no record&#x27;s of any system"),
        ("\x00'\"<script>", "Not found"),
    ):
        page = text(monitor_client.get(url, {"q": typed}))
        assert says in page, typed
        assert "<script>" not in page.replace("<script src", "")


def test_an_id_of_both_sides_is_a_choice(house: House, monitor_client: Client) -> None:
    ana = house.contact_id("ana@x.example")
    house.desk.run(f"insert into customers (id, email) values ({ana}, 'same@x.example')")
    page = monitor_client.get(reverse("integrations:records"), {"q": ana, "everywhere": "1"})
    assert "Which one?" in text(page)
    assert {one.side for one, _ in page.context["choices"]} == {"left", "right"}
    one_hit = monitor_client.get(reverse("integrations:records"), {"q": "ana@x.example"})
    assert one_hit.status_code in {200, 302}


# --- The answer --------------------------------------------------------------------------------


def test_a_synced_record_shows_both_sides_and_its_events(
    house: House, monitor_client: Client
) -> None:
    ana = house.contact_id("ana@x.example")
    story = told(house, ana)
    assert story.answer is not None
    assert story.answer.headline == "In sync with Order desk"
    assert len(story.alike) == 3
    url = reverse("integrations:record", args=[story.place.pair.pk, "left"])
    page = text(monitor_client.get(url, {"id": ana}))
    for words in ("In sync", "Created", "Poe", f"/record/0-1/{ana}"):
        assert words in page
    assert "Sync now" not in page  # a Monitor looks
    mirrored = told(house, story.theirs.record_id, "right")
    assert (mirrored.mine.record_id, mirrored.theirs.record_id) == (story.theirs.record_id, ana)


def test_values_say_which_side_changed(house: House) -> None:
    ana = house.contact_id("ana@x.example")
    house.desk.run("update customers set last_name = 'Pou' where email = 'ana@x.example'")
    story = told(house, ana)
    [row] = story.differing
    assert (row.mine, row.theirs, row.base, row.state, row.who) == (
        "Poe", "Pou", "Poe", "changed", "Order desk",
    )  # fmt: skip
    house.hub.update("contacts", ana, {"lastname": "Paw"})
    [row] = told(house, ana).differing
    assert (row.mine, row.state) == ("Paw", "clash")


def decided(kind: Decision.Kind) -> Callable[[House, str], None]:
    def decide(house: House, record_id: str) -> None:
        from hubconnect.engine.plan import source_hash  # noqa: PLC0415
        from hubconnect.integrations.services.looking import looking  # noqa: PLC0415

        with looking() as look:
            session = look.session(house.to_desk)
            record = session.source.read("contacts", [record_id], session.spec.read_fields)
            values_hash = source_hash(record[record_id], session.spec.plan, ())
        Decision.objects.create(
            type_pair=TypePair.objects.get(),
            side=Side.LEFT,
            record_id=record_id,
            kind=kind,
            values_hash=values_hash,
            reason="So it was.",
        )

    return decide


def changed(**values: Any) -> Callable[[House, str], None]:
    def change(house: House, _record_id: str) -> None:
        Flow.objects.filter(pk=house.to_desk.pk).update(**values)

    return change


def switched_off(house: House, _record_id: str) -> None:
    house.integration.is_active = False
    house.integration.save()


def failed(house: House, record_id: str) -> None:
    now = timezone.now()
    Failure.objects.create(
        flow=house.to_desk, type_pair=house.to_desk.pair.type_pair, level="record", side="left",
        record_id=record_id, category="VALIDATION_ERROR", message="No.", first_at=now, last_at=now,
    )  # fmt: skip


def flow_failed(house: House, _record_id: str) -> None:
    now = timezone.now()
    Failure.objects.create(
        flow=house.to_desk, level="flow", category="UNREACHABLE", message="Away.",
        first_at=now, last_at=now,
    )  # fmt: skip


def queued(house: House, record_id: str) -> None:
    QueuedRead.objects.create(
        flow=house.to_desk, record_id=record_id, reason="Because.", due_at=timezone.now()
    )


def sent(house: House, record_id: str) -> None:
    Intent.objects.create(
        type_pair=TypePair.objects.get(), flow=house.to_desk, kind="create", key="k",
        source_side="left", source_id=record_id, sent_at=timezone.now(), fence=1,
    )  # fmt: skip


def doubled(house: House, record_id: str) -> None:
    """Have two customers with the contact's address, which the desk then allows."""
    email = house.hub.get("contacts", record_id)["properties"]["email"]
    house.desk.script(
        "drop table customers; create table customers (id integer primary key, email varchar(200),"
        " first_name varchar(30), last_name varchar(100), updated_at datetime);"
    )
    for _ in range(2):
        house.desk.run("insert into customers (email) values (?)", email)


def passed_by(house: House, _record_id: str) -> None:
    later = timezone.now() + timedelta(days=1)
    Flow.objects.filter(pk=house.to_desk.pk).update(window_lower=later)


ANSWERS: list[tuple[Callable[[House, str], object], str, str]] = [
    (lambda h, i: h.hub.archive("contacts", i), "Not found in HubSpot", "The record is there"),
    (switched_off, "HubSpot and desk is inactive", "The integration is active"),
    (changed(is_enabled=False), "the direction is off", "The flow is on"),
    (changed(is_paused=True), "The safety brake paused the flow", "The flow is on"),
    (flow_failed, "The flow cannot run", "The flow goes without a failure of its own"),
    (changed(phase="new"), "has not started yet", "It has started"),
    (changed(phase="loading"), "first load is under way", "It has started"),
    (
        changed(start_at=timezone.now() + timedelta(days=1)),
        "changed before the start",
        "Changed after the start",
    ),
    (decided(Decision.Kind.KNOWN), "there before the start", "Changed after the start"),
    (decided(Decision.Kind.DISMISSED), "A person dismissed it", "Nothing was decided about it"),
    (decided(Decision.Kind.RETIRED), "link was given up", "Nothing was decided about it"),
    (decided(Decision.Kind.SKIPPED), "leave it alone", "Nothing was decided about it"),
    (changed(criteria=ONLY_ANA), "outside the criteria", "Inside the criteria"),
    (failed, "A failure holds it", "No failure holds it"),
    (sent, "a write whose reply was lost", "No write of unknown outcome"),
    (queued, "queued for a fresh read", "Not waiting for a fresh read"),
    (doubled, "It would fail", "Lookup, mapping and target let it pass"),
    (
        changed(none_found="skip"),
        "The lookup's rules leave it alone",
        "Lookup, mapping and target let it pass",
    ),
    (passed_by, "the flow has passed it by", "A run has come by"),
    (changed(window_lower=None), "The next run takes it", "A run has come by"),
]


def test_the_first_no_is_the_answer(house: House) -> None:
    flow = Flow.objects.filter(pk=house.to_desk.pk).values().get()
    for number, (arrange, headline, question) in enumerate(ANSWERS):
        cy = newcomer(house, email=f"cy{number}@x.example")
        arrange(house, cy)
        answer = outgoing(house, cy)
        assert headline.lower() in answer.headline.lower(), (headline, answer.headline)
        states = [one.state for one in answer.questions]
        first_no = next(i for i, one in enumerate(answer.questions) if one.headline)
        assert answer.questions[first_no].text == question
        assert set(states[:first_no]) <= {"ok"}
        assert set(states[first_no + 1 :]) <= {"idle"}
        Flow.objects.filter(pk=flow["id"]).update(**flow)
        Integration.objects.update(is_active=True)
        for model in (Decision, Failure, Intent, QueuedRead):
            model.objects.all().delete()


def test_criteria_are_shown_one_by_one(house: House, monitor_client: Client) -> None:
    cy = newcomer(house, lastname="Doe")
    both = [*ONLY_ANA, {"condition": "EQUALS", "field": "lastname", "value": "Doe"}]
    Flow.objects.filter(pk=house.to_desk.pk).update(criteria=both)
    answer = outgoing(house, cy)
    assert [(one.value, one.holds) for one in answer.conditions] == [("Cy", False), ("Doe", True)]
    url = reverse("integrations:record", args=[house.to_desk.pair_id, "left"])
    page = text(monitor_client.get(url, {"id": cy}))
    assert "Not sent to Order desk: it is outside the criteria" in page
    assert "no, 1 of 2 hold" in page


def test_linked_record_outside_the_criteria_stops_only_if_the_flow_is_set_so(house: House) -> None:
    ben = house.contact_id("ben@x.example")
    house.hub.update("contacts", ben, {"lastname": "Older"})
    Flow.objects.filter(pk=house.to_desk.pk).update(criteria=ONLY_ANA, outside="stop")
    assert "outside the criteria" in outgoing(house, ben).headline
    Flow.objects.filter(pk=house.to_desk.pk).update(outside="keep")
    answer = outgoing(house, ben)
    assert answer.plan is not None
    assert answer.plan.kind == "updated"


def test_a_system_that_is_away_is_told_in_words(house: House, monitor_client: Client) -> None:
    ana = house.contact_id("ana@x.example")
    house.hub.take_scope("crm.objects.contacts.read")
    try:
        url = reverse("integrations:record", args=[house.to_desk.pair_id, "left"])
        page = text(monitor_client.get(url, {"id": ana}))
    finally:
        house.hub.give_scope("crm.objects.contacts.read")
    assert "crm.objects.contacts.read" in page
    assert "It cannot be looked at now" in page


@pytest.mark.parametrize(
    "path", ["records/99/left/?id=1", "records/1/middle/?id=1", "records/1/left/"]
)
def test_addresses_that_name_no_record_are_not_found(
    house: House, monitor_client: Client, path: str
) -> None:
    pk = house.to_desk.pair_id
    assert monitor_client.get(f"/{path.replace('/1/', f'/{pk}/')}").status_code == 404


# --- Sync now ----------------------------------------------------------------------------------


def test_sync_now_takes_up_what_was_left_alone(house: House, sync_admin_client: Client) -> None:
    cy = newcomer(house)
    decided(Decision.Kind.DISMISSED)(house, cy)
    url = reverse("integrations:record_sync", args=[house.to_desk.pair_id, "left"])
    page = sync_admin_client.post(url, {"id": cy}, follow=True)
    assert "Syncing now" in text(page)
    follow = page.context["progress_url"]
    assert "HX-Redirect" not in sync_admin_client.get(follow).headers
    house.run("to_right")
    assert "cy@x.example" in house.desk.customers()
    over = sync_admin_client.get(follow)
    assert "Synced now" in text(over)
    assert "Synced now" in text(sync_admin_client.get(over.headers["HX-Redirect"]))


def test_sync_now_reads_both_sides_of_a_linked_record(house: House, sync_admin: User) -> None:
    ana = house.contact_id("ana@x.example")
    link = Link.objects.get(left_id=ana)
    syncing_now.sync_now(place(house, ana), sync_admin)
    reads = {(one.flow_id, one.record_id) for one in QueuedRead.objects.all()}
    assert reads == {(house.to_desk.pk, ana), (house.to_hub.pk, link.right_id)}
    assert {one.reason for one in QueuedRead.objects.all()} == {f"Sync now, by {sync_admin}."}


def test_sync_now_needs_a_flow_at_work_and_the_role(
    house: House, sync_admin: User, monitor_client: Client
) -> None:
    ana = house.contact_id("ana@x.example")
    url = reverse("integrations:record_sync", args=[house.to_desk.pair_id, "left"])
    assert monitor_client.post(url, {"id": ana}).status_code == 403
    switched_off(house, ana)
    with pytest.raises(NotSyncedError, match="inactive"):
        syncing_now.sync_now(place(house, ana), sync_admin)
    assert not QueuedRead.objects.exists()
