"""A preview shows what the next run does, by the run's own code, and writes nothing anywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.base import Draft, Patch
from hubconnect.connectors.children import Association
from hubconnect.connectors.read_only import WriteRefusedError
from hubconnect.integrations.models import Failure, Flow, Link, QueuedRead, Run, TypePair
from hubconnect.integrations.services import previewing
from hubconnect.integrations.services.looking import LookWroteError, looking, nothing_stored
from hubconnect.integrations.services.plan_lines import Line
from hubconnect.integrations.services.previewing import Place, Preview
from hubconnect.systems.services.connections import open_connector
from tests.house import House, furnish, let_second_pass
from tests.pages import text
from tests.sandbox_process import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hub(emptied: Sandbox) -> Sandbox:
    return emptied


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    """Three contacts, of whom the desk knows one; a fourth whose name is too long for it."""
    settings.SQLITE_DIR = tmp_path
    for name in ("ana", "ben", "cy"):
        hub.create("contacts", {"email": f"{name}@x.example", "firstname": name.title()})
    hub.create("contacts", {"email": "dee@x.example", "firstname": "D" * 31})
    made = furnish(hub, tmp_path / "desk.sqlite3", directions=("to_right",))
    made.desk.run("insert into customers (email, last_name) values ('ben@x.example', 'Ode')")
    return made


READS = {
    "account_info.get_details",
    "batch.batch_read",
    "objects.list_records",
    "owners.list_owners",
    "search.search",
}


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return every row of the application that syncs."""
    models = apps.get_app_config("integrations").get_models()
    return {one.__name__: list(one._default_manager.order_by("pk").values()) for one in models}


def looked(house: House, place: Place | None = None) -> Preview:
    """Preview the flow to the desk, and see that nothing was written anywhere."""
    flow = Flow.objects.select_related(
        "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
    ).get(pk=house.to_desk.pk)
    before, customers, contacts = rows(), house.desk.customers(), house.contacts()
    house.hub.reset_statistics()
    seen = previewing.preview(flow, place or Place())
    assert set(house.hub.statistics()["calls"]) <= READS
    assert rows() == before
    assert (house.desk.customers(), house.contacts()) == (customers, contacts)
    return seen


def changed(line: Line) -> set[tuple[str, str, str]]:
    return {(one.label, one.old, one.new) for one in line.changes}


def agrees(seen: Preview, run: Run) -> None:
    """See that a run did what its preview said."""
    run.refresh_from_db()
    assert seen.read == run.read
    assert seen.counts["created"] == run.created
    assert seen.counts["updated"] + seen.counts["linked"] == run.updated
    assert seen.counts["failed"] == run.failed
    assert seen.counts["skipped"] == run.skipped
    assert seen.counts["held"] == run.held


def test_first_load_is_previewed_before_anything_was_activated(house: House) -> None:
    assert not TypePair.objects.exists()
    seen = looked(house)
    assert seen.stage == "load"
    assert (seen.counts["created"], seen.counts["linked"], seen.counts["failed"]) == (2, 1, 1)
    created = {line.title: line for line in seen.lines if line.kind == "created"}
    assert ("First name", "", "Ana") in changed(created["Ana"])
    [linked] = [line for line in seen.lines if line.kind == "linked"]
    assert ("First name", "", "Ben") in changed(linked)
    [failed] = [line for line in seen.lines if line.kind == "failed"]
    assert "First name" in failed.reason
    assert sum(seen.calls.values()) > 0
    house.activate()
    agrees(seen, house.run("to_right"))


def test_window_of_changes_and_what_is_due_are_previewed(house: House) -> None:
    house.activate()
    house.run("to_right")
    ana, ben = house.contact_id("ana@x.example"), house.contact_id("ben@x.example")
    house.hub.update("contacts", ana, {"firstname": "Anna"})
    QueuedRead.objects.create(
        flow=house.to_desk, record_id=ben, reason="Asked for", due_at=timezone.now()
    )
    due = looked(house)
    assert due.stage == "due"
    assert due.later is not None
    on = Place.read(due.later.as_text())
    let_second_pass()  # HubSpot's clock shows whole seconds
    [line] = [one for one in looked(house, on).lines if one.source_id == ana]
    assert (line.kind, line.title) == ("updated", "Anna")
    assert changed(line) == {("First name", "Ana", "Anna")}
    house.run_until_seen("to_right")
    assert house.desk.customers()["ana@x.example"][0] == "Anna"


def test_links_of_another_integration_are_known_without_a_row(house: House) -> None:
    house.activate()
    house.run("to_right")
    pair = house.to_desk.pair
    pair.type_pair = None
    pair.save()
    Flow.objects.update(phase=Flow.Phase.NEW, after_id="", window_lower=None)
    counts = looked(house).counts
    assert (counts["created"], counts["linked"]) == (0, 0)
    pair.refresh_from_db()
    assert pair.type_pair is None


def test_merged_and_deleted_records_are_previewed_without_a_trace(house: House) -> None:
    house.activate()
    house.run("to_right")
    ana, cy = house.contact_id("ana@x.example"), house.contact_id("cy@x.example")
    house.hub.update("contacts", house.contact_id("ben@x.example"), {"lastname": "New"})
    house.desk.run("delete from customers where email = 'ben@x.example'")
    house.hub.merge("contacts", ana, cy)
    let_second_pass()  # HubSpot's clock shows whole seconds
    seen = looked(house)
    assert [(one.kind, one.title) for one in seen.lines] == [("failed", "Ben")]
    assert "no longer exists" in seen.lines[0].reason


def test_pages_follow_each_other_by_the_address(house: House, monitor_client: Client) -> None:
    for number in range(101):
        house.hub.create("contacts", {"email": f"n{number}@x.example", "firstname": "N"})
    url = reverse("integrations:preview", args=[house.to_desk.pk])
    first = monitor_client.get(url)
    assert first.context["preview"].read == 100
    assert "Next page" in text(first)
    second = monitor_client.get(url, {"at": first.context["later"]})
    assert second.context["preview"].read == 5
    assert "That was the last page" in text(second)
    ids = {line.source_id for page in (first, second) for line in page.context["preview"].lines}
    assert len(ids) == 105
    forged = monitor_client.get(url, {"at": "x:y:z", "kind": "nonsense"})
    assert forged.context["preview"].read == 100
    assert not Link.objects.exists()


def test_flow_from_now_on_and_a_system_that_is_away_say_so(
    house: House, monitor_client: Client
) -> None:
    Flow.objects.update(start=Flow.Start.NOW)
    url = reverse("integrations:preview", args=[house.to_desk.pk])
    page = text(monitor_client.get(url))
    assert "starts with changes from its activation on" in page
    assert "Nothing would be written" in page
    house.hub.take_scope("crm.objects.contacts.read")
    Flow.objects.update(start=Flow.Start.EVERYTHING)
    try:
        assert "crm.objects.contacts.read" in text(monitor_client.get(url))
    finally:
        house.hub.give_scope("crm.objects.contacts.read")


def test_a_connector_that_only_reads_refuses_every_write(house: House) -> None:
    with open_connector(house.hubspot, is_read_only=True) as connector:
        assert connector.count("contacts") >= 4
        assert connector.batch_size == 100
        acts: list[Callable[[], object]] = [
            lambda: connector.create("contacts", [Draft("k", {"email": "no@x.example"})]),
            lambda: connector.update("contacts", [Patch("k", "1", {"email": "no@x.example"})]),
            lambda: connector.prepare("hubconnect_key:contacts"),
            lambda: connector.associating.associate("contacts", [Association("1", "x", "2")]),  # type: ignore[union-attr]
            lambda: connector.commenting.add_comments("contacts", []),  # type: ignore[union-attr]
            lambda: connector.attaching.add_files("contacts", []),  # type: ignore[union-attr]
        ]
        for act in acts:
            with pytest.raises(WriteRefusedError):
                act()
    assert "no@x.example" not in house.contacts()


def test_a_look_refuses_to_store_rows_of_ours(house: House) -> None:
    with nothing_stored(), pytest.raises(LookWroteError):
        Flow.objects.update(is_paused=True)
    with looking(), pytest.raises(LookWroteError):
        QueuedRead.objects.create(
            flow=house.to_desk, record_id="1", reason="", due_at=timezone.now()
        )
    assert not Failure.objects.exists()
    assert not house.to_desk.is_paused
