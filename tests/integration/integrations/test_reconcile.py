"""Both sides of a pair compared in full: what is found, what is done about it, and by whom."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.core.models import User
from hubconnect.integrations.models import (
    Flow,
    Link,
    Pair,
    QueuedRead,
    ReconcileFinding,
    Reconciliation,
    TypePair,
)
from hubconnect.integrations.services import lease, purging, reconciling, remedying
from hubconnect.integrations.services.reconciling import ReconcileRefusedError
from tests.house import House, furnish
from tests.pages import text
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

Kind = ReconcileFinding.Kind
Remedy = ReconcileFinding.Remedy


@pytest.fixture
def hub(emptied: Sandbox) -> Sandbox:
    return emptied


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    """Six records in sync: Ana, Ben, Cy, Dee, Eve, Fay."""
    settings.SQLITE_DIR = tmp_path
    for name in ("ana", "ben", "cy", "dee", "eve", "fay"):
        hub.create("contacts", {"email": f"{name}@x.example", "firstname": name.title()})
    made = furnish(hub, tmp_path / "desk.sqlite3")
    made.activate()
    made.sync()
    return made


def disturb(house: House) -> None:
    """Make one finding of each kind, behind the flows' backs."""
    house.desk.run("update customers set last_name = 'Poe' where email = 'ana@x.example'")
    house.hub.archive("contacts", house.contact_id("ben@x.example"))
    house.desk.run("delete from customers where email = 'cy@x.example'")
    house.hub.archive("contacts", house.contact_id("dee@x.example"))
    house.desk.run("delete from customers where email = 'dee@x.example'")
    Link.objects.filter(left_id=house.contact_id("eve@x.example")).delete()
    house.hub.create("contacts", {"email": "gus@x.example", "firstname": "Gus"})
    house.desk.run("insert into customers (email) values ('hal@x.example')")
    house.hub.create("contacts", {"email": "ida@x.example", "firstname": "I" * 31})


def pair() -> Pair:
    return Pair.objects.get()


def compared(actor: User) -> Reconciliation:
    """Compare to the end."""
    row = reconciling.start(pair(), actor)
    return turned(row)


def turned(row: Reconciliation) -> Reconciliation:
    """Give turns until nothing is left to do."""
    for _ in range(50):
        reconciling.take_turn(row.pk)
        row.refresh_from_db()
        if row.state != Reconciliation.State.WORKING and not row.has_asked:
            return row
    message = f"{row} does not end: {row.message}"
    raise AssertionError(message)


def by_kind(row: Reconciliation) -> dict[str, list[ReconcileFinding]]:
    found: dict[str, list[ReconcileFinding]] = {}
    for one in row.findings.order_by("pk"):
        found.setdefault(one.kind, []).append(one)
    return found


def test_sides_that_are_the_same_have_no_finding(house: House, sync_admin: User) -> None:
    before = (house.contacts(), house.desk.customers(), list(Link.objects.values()))
    row = compared(sync_admin)
    assert row.state == Reconciliation.State.DONE
    assert (row.same, row.looked_at, row.expected) == (6, 18, 18)
    assert not row.findings.exists()
    assert row.calls["HubSpot"] > 0
    assert (house.contacts(), house.desk.customers(), list(Link.objects.values())) == before


def test_every_kind_of_difference_is_found_and_nothing_written(
    house: House, sync_admin: User
) -> None:
    disturb(house)
    before = (house.contacts(), house.desk.customers(), list(Link.objects.values()))
    found = by_kind(compared(sync_admin))
    assert (house.contacts(), house.desk.customers(), list(Link.objects.values())) == before
    assert {kind: len(ones) for kind, ones in found.items()} == {
        Kind.DIFFERENT: 1,
        Kind.LEFT_GONE: 1,
        Kind.RIGHT_GONE: 1,
        Kind.BOTH_GONE: 1,
        Kind.UNLINKED: 1,
        Kind.ONLY_LEFT: 1,
        Kind.ONLY_RIGHT: 1,
        Kind.UNCLEAR: 1,
    }
    [different] = found[Kind.DIFFERENT]
    [field] = different.detail["fields"]
    assert (field["left"], field["right"]) == ("", "Poe")
    [unlinked] = found[Kind.UNLINKED]
    assert unlinked.left_id == house.contact_id("eve@x.example")
    assert unlinked.right_id
    assert "30 characters" in found[Kind.UNCLEAR][0].detail["reason"]


def test_it_goes_on_where_it_stopped(house: House, sync_admin: User, settings: Settings) -> None:
    disturb(house)
    settings.RECONCILE_TURN_S = -1  # one page a turn
    row = reconciling.start(pair(), sync_admin)
    turns = []
    for _ in range(4):
        reconciling.take_turn(row.pk)
        row.refresh_from_db()
        turns.append((row.state, row.step))
    assert turns == [
        ("working", "links"),
        ("working", "left"),
        ("working", "right"),
        ("done", "right"),
    ]
    assert {kind: len(ones) for kind, ones in by_kind(row).items()} == dict.fromkeys(Kind, 1)


@pytest.mark.usefixtures("house")
def test_two_workers_do_not_go_on_with_it_at_once(sync_admin: User) -> None:
    row = reconciling.start(pair(), sync_admin)
    with pytest.raises(ReconcileRefusedError, match="under way already"):
        reconciling.start(pair(), sync_admin)
    later = timezone.now() + timedelta(seconds=30)
    Reconciliation.objects.update(leased_until=later, settle_after=later)
    assert reconciling.take_turn(row.pk) is None
    reconciling.cancel(row)
    Reconciliation.objects.update(leased_until=timezone.now(), settle_after=timezone.now())
    assert reconciling.take_turn(row.pk) is None
    row.refresh_from_db()
    assert row.state == Reconciliation.State.CANCELLED


def test_a_system_that_is_away_is_waited_for_and_a_lost_right_is_told(
    house: House, sync_admin: User
) -> None:
    row = reconciling.start(pair(), sync_admin)
    house.hub.take_scope("crm.objects.contacts.read")
    try:
        reconciling.take_turn(row.pk)
    finally:
        house.hub.give_scope("crm.objects.contacts.read")
    row.refresh_from_db()
    assert row.state == Reconciliation.State.STOPPED
    assert "crm.objects.contacts.read" in f"{row.message} {row.hint}"
    reconciling.go_on(row)
    assert turned(row).state == Reconciliation.State.DONE


def test_criteria_bound_what_is_compared(house: House, sync_admin: User) -> None:
    only_ana = [{"condition": "EQUALS", "field": "firstname", "value": "Ana"}]
    house.desk.run("update customers set last_name = 'Poe'")
    house.hub.create("contacts", {"email": "gus@x.example", "firstname": "Gus"})
    Flow.objects.filter(pk=house.to_desk.pk).update(criteria=only_ana, outside="stop")
    Flow.objects.filter(pk=house.to_hub.pk).update(is_enabled=False)
    row = compared(sync_admin)
    assert {kind: len(ones) for kind, ones in by_kind(row).items()} == {Kind.DIFFERENT: 1}
    assert row.outside == 5


def asked(row: Reconciliation, kind: Kind, remedy: Remedy, actor: User) -> ReconcileFinding:
    finding = row.findings.get(kind=kind)
    assert remedying.ask(row, row.findings.filter(pk=finding.pk), remedy, actor) == 1
    turned(row)
    finding.refresh_from_db()
    return finding


def test_missing_and_different_records_are_synced_now(house: House, sync_admin: User) -> None:
    disturb(house)
    row = compared(sync_admin)
    for kind in (Kind.ONLY_LEFT, Kind.ONLY_RIGHT, Kind.DIFFERENT):
        assert asked(row, kind, Remedy.SYNC, sync_admin).state == "done"
    house.sync()
    assert "gus@x.example" in house.desk.customers()
    assert "hal@x.example" in house.contacts()
    assert house.contacts()["ana@x.example"][1] == "Poe"


def test_two_records_are_linked_on_request(house: House, sync_admin: User) -> None:
    disturb(house)
    row = compared(sync_admin)
    customers = house.desk.customers()
    finding = asked(row, Kind.UNLINKED, Remedy.LINK, sync_admin)
    assert (finding.state, finding.note) == ("done", "Linked. The next run reads it afresh.")
    assert Link.objects.filter(left_id=finding.left_id, right_id=finding.right_id).exists()
    house.sync()
    assert len(house.desk.customers()) >= len(customers)
    assert [one for one in house.open_failures() if one.record_id == finding.left_id] == []


@pytest.mark.parametrize(("remedy", "last"), [("take_left", "Left"), ("take_right", "Right")])
def test_one_sides_values_are_taken(house: House, sync_admin: User, remedy: str, last: str) -> None:
    ana = house.contact_id("ana@x.example")
    house.hub.update("contacts", ana, {"lastname": "Left"})
    house.desk.run("update customers set last_name = 'Right' where email = 'ana@x.example'")
    row = compared(sync_admin)
    assert asked(row, Kind.DIFFERENT, Remedy(remedy), sync_admin).state == "done"
    house.sync()
    assert house.contacts()["ana@x.example"][1] == last
    assert house.desk.customers()["ana@x.example"][1] == last


def test_a_side_that_did_not_change_is_taken(house: House, sync_admin: User) -> None:
    house.hub.update("contacts", house.contact_id("ana@x.example"), {"lastname": "Left"})
    row = compared(sync_admin)
    assert asked(row, Kind.DIFFERENT, Remedy.TAKE_RIGHT, sync_admin).state == "done"
    house.sync()
    assert house.contacts()["ana@x.example"][1] is None


def test_a_deleted_counterpart_is_created_again(house: House, sync_admin: User) -> None:
    disturb(house)
    row = compared(sync_admin)
    for kind in (Kind.LEFT_GONE, Kind.RIGHT_GONE):
        assert asked(row, kind, Remedy.RECREATE, sync_admin).state == "done"
    house.sync_until(lambda: "ben@x.example" in house.contacts())
    house.sync_until(lambda: "cy@x.example" in house.desk.customers())
    house.sync_until(house.open_failures)
    assert {one.title[:1] for one in house.open_failures()} == {"I"}  # Ida's name is too long


def test_links_are_given_up_and_what_stays_is_left_alone(house: House, sync_admin: User) -> None:
    disturb(house)
    row = compared(sync_admin)
    for kind in (Kind.LEFT_GONE, Kind.RIGHT_GONE, Kind.BOTH_GONE):
        assert asked(row, kind, Remedy.UNLINK, sync_admin).state == "done"
    house.desk.run("update customers set last_name = 'Ode' where email = 'ben@x.example'")
    house.sync()
    assert "ben@x.example" not in house.contacts()
    assert "cy@x.example" not in house.desk.customers()
    gone = row.findings.filter(kind__endswith="gone").values_list("left_id", flat=True)
    assert not Link.objects.filter(left_id__in=gone).exists()


def test_a_finding_is_looked_at_anew_before_anything_is_done(
    house: House, sync_admin: User
) -> None:
    disturb(house)
    row = compared(sync_admin)
    house.desk.run("update customers set last_name = null where email = 'ana@x.example'")
    gus = house.contact_id("gus@x.example")
    house.hub.archive("contacts", gus)
    different = asked(row, Kind.DIFFERENT, Remedy.TAKE_RIGHT, sync_admin)
    assert (different.state, different.note) == ("solved", "Both sides are the same by now.")
    missing = asked(row, Kind.ONLY_LEFT, Remedy.SYNC, sync_admin)
    assert (missing.state, missing.note) == ("solved", "It is not there any more.")
    assert not QueuedRead.objects.exists()


def test_what_changes_links_waits_for_a_run_at_work(house: House, sync_admin: User) -> None:
    disturb(house)
    row = compared(sync_admin)
    finding = row.findings.get(kind=Kind.UNLINKED)
    held = lease.claim(TypePair.objects.get().pk)
    assert held is not None
    remedying.ask(row, row.findings.filter(pk=finding.pk), Remedy.LINK, sync_admin)
    reconciling.take_turn(row.pk)
    finding.refresh_from_db()
    row.refresh_from_db()
    assert finding.state == "asked"
    assert row.has_asked
    assert row.next_turn_at > timezone.now()
    lease.release(held)
    Reconciliation.objects.update(next_turn_at=timezone.now())
    turned(row)
    finding.refresh_from_db()
    assert finding.state == "done"


def test_pages_show_findings_and_only_a_sync_admin_acts(
    house: House, sync_admin_client: Client, monitor_client: Client
) -> None:
    disturb(house)
    start = reverse("integrations:pair_reconcile", args=[pair().pk])
    assert monitor_client.post(start).status_code == 403
    began = sync_admin_client.post(start, follow=True)
    assert "Comparing" in text(began)
    row = turned(Reconciliation.objects.get())
    url = reverse("integrations:reconciliation", args=[row.pk])
    seen = text(monitor_client.get(url))
    for words in ("Missing in Order desk", "Deleted in HubSpot", "There on both sides, not linked"):
        assert words in seen
    assert "Sync now" not in seen
    remedy = reverse("integrations:reconcile_remedy", args=[row.pk])
    assert monitor_client.post(remedy, {"remedy": "sync"}).status_code == 403
    page = sync_admin_client.post(
        f"{remedy}?kind=only_left", {"remedy": "sync", "all": "1"}, follow=True
    )
    assert "Sync now: asked for 1 finding" in text(page)
    bad = sync_admin_client.post(remedy, {"remedy": "nonsense:x", "pick": ["a", "9"]}, follow=True)
    assert "Choose what to do" in text(bad)
    turned(row)
    progress = sync_admin_client.get(reverse("integrations:reconcile_progress", args=[row.pk]))
    assert progress.headers["HX-Refresh"] == "true"


def test_findings_are_a_csv_file_that_runs_no_formula(
    house: House, sync_admin: User, monitor_client: Client
) -> None:
    house.hub.create("contacts", {"email": "gus@x.example", "firstname": "=1+1"})
    row = compared(sync_admin)
    answer = monitor_client.get(reverse("integrations:reconcile_csv", args=[row.pk]))
    content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    [line] = csv.DictReader(io.StringIO(content))
    assert line["Finding"] == "Missing in Order desk"
    assert line["Title"] == "'=1+1"


def test_old_comparisons_are_purged(house: House, sync_admin: User, settings: Settings) -> None:
    disturb(house)
    row = compared(sync_admin)
    settings.KEEP_COMPARISONS_DAYS = 1
    purging.purge_all()
    assert Reconciliation.objects.exists()
    Reconciliation.objects.filter(pk=row.pk).update(finished_at=timezone.now() - timedelta(days=2))
    purging.purge_all()
    assert not Reconciliation.objects.exists()
    assert not ReconcileFinding.objects.exists()
