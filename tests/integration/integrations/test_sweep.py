"""Notes that are associated later, and other changes that move no date."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.integrations.models import Flow
from hubconnect.integrations.services import follow_ups, sweeping
from hubconnect.mappings.models import Direction
from tests.children import PairHouse, add_pair, furnish_pair
from tests.house import Desk, make_hubspot, make_system
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
# A table of deals and one of tickets, each with comments.
TABLES = "".join(
    f"""
create table {name}s (
    id integer primary key,
    title varchar(100) not null unique,
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create table {name}_comments (
    id integer primary key,
    {name}_id integer not null references {name}s (id),
    body text not null,
    author varchar(200),
    created_at datetime,
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
"""
    for name in ("deal", "ticket")
)
DEAL = {"pipeline": "default", "dealstage": "appointmentscheduled"}
TICKET = {"hs_pipeline": "0", "hs_pipeline_stage": "1"}
THREE_HOURS_S = 3 * 3600
TO_DESK = (Direction.TO_RIGHT,)


def by_title(field: str) -> list[dict[str, str]]:
    return [{"condition": "EQUALS", "field": "title", "value": f"@{field}@"}]


@dataclass
class Sales:
    """Deals and tickets of a sandbox, and the desk that receives them with their comments."""

    hub: Sandbox
    desk: Desk
    house: PairHouse
    tickets: PairHouse

    def said(self, kind: str, title: str) -> list[str]:
        """Return the comments of a deal or ticket at the desk."""
        rows = self.desk.run(
            f"select body from {kind}_comments c join {kind}s r on r.id = c.{kind}_id "
            "where r.title = ? order by c.id",
            title,
        )
        return [row[0] for row in rows]

    def run(self) -> None:
        """Run both flows once."""
        self.house.run("to_right")
        self.tickets.run("to_right")

    def sweep(self) -> None:
        """Run both flows when their sweeps are due."""
        Flow.objects.update(next_sweep_at=timezone.now())
        self.run()

    def let_hours_pass(self) -> None:
        """Have HubSpot's clock show three hours later."""
        self.hub.settings(clock_offset_s=THREE_HOURS_S)


@pytest.fixture
def sales(hub: Sandbox, tmp_path: Path, settings: Settings) -> Sales:
    settings.SQLITE_DIR = tmp_path
    hub.create("deals", {"dealname": "Deal 1", **DEAL})
    hub.create("deals", {"dealname": "Deal 2", **DEAL})
    hub.create("tickets", {"subject": "Ticket 1", **TICKET})
    desk = Desk(tmp_path / "desk.sqlite3")
    desk.script(TABLES)
    parameters = {
        "database_url": f"sqlite:///{desk.file}",
        "modified_column": "updated_at",
        "time_zone": "UTC",
        "comment_tables": "deal_comments\nticket_comments",
    }
    left, right = make_hubspot(hub), make_system("Desk", "sql", parameters, {})
    chosen: dict[str, Any] = {"comments": "to_right", "directions": TO_DESK}
    house = furnish_pair(
        (left, "deals"),
        (right, "deals"),
        (("dealname", "title"),),
        lookup=by_title("dealname"),
        **chosen,
    )
    flows = add_pair(
        house.integration,
        "tickets",
        "tickets",
        (("subject", "title"),),
        lookup=by_title("subject"),
        **chosen,
    )
    house.activate()
    made = Sales(hub, desk, house, PairHouse(house.integration, flows))
    made.run()
    made.run()
    return made


def record_id(hub: Sandbox, kind: str, field: str, value: str) -> str:
    return next(str(o["id"]) for o in hub.list(kind, field) if o["properties"][field] == value)


def note_on_deal_1(sales: Sales) -> str:
    """Write note A on deal 1, have it carried, and let hours pass."""
    deal = record_id(sales.hub, "deals", "dealname", "Deal 1")
    note = sales.hub.add_note("Note A", ("deals", deal))
    sales.house.run_until_seen("to_right")
    sales.let_hours_pass()
    sales.run()
    return note


@pytest.mark.requirement("S80", "S82")
def test_row_1_a_note_on_a_deal_is_a_comment(sales: Sales) -> None:
    deal = record_id(sales.hub, "deals", "dealname", "Deal 1")
    sales.hub.add_note("Note A", ("deals", deal))
    sales.house.run_until_seen("to_right")
    assert sales.said("deal", "Deal 1") == ["Note A"]


@pytest.mark.requirement("S80", "S81", "S83", "S85")
def test_row_2_the_note_associated_later_with_another_deal_arrives_within_a_sweep(
    sales: Sales,
) -> None:
    note = note_on_deal_1(sales)
    before = sales.hub.get("notes", note)["properties"]["hs_lastmodifieddate"]
    other = record_id(sales.hub, "deals", "dealname", "Deal 2")
    sales.hub.associate("notes", note, "deals", other)
    sales.run()
    assert sales.said("deal", "Deal 2") == [], "windows show dates alone"
    sales.sweep()
    assert sales.said("deal", "Deal 1") == ["Note A"]
    assert sales.said("deal", "Deal 2") == ["Note A"]
    assert sales.hub.get("notes", note)["properties"]["hs_lastmodifieddate"] == before


@pytest.mark.requirement("S80", "S84")
def test_row_3_the_note_associated_later_with_a_ticket_synced_before_arrives_within_a_sweep(
    sales: Sales,
) -> None:
    note = note_on_deal_1(sales)
    ticket = record_id(sales.hub, "tickets", "subject", "Ticket 1")
    sales.hub.associate("notes", note, "tickets", ticket)
    sales.sweep()
    assert sales.said("ticket", "Ticket 1") == ["Note A"]
    sales.sweep()
    assert sales.said("ticket", "Ticket 1") == ["Note A"]


def test_an_edit_that_the_index_showed_late_is_found_by_the_sweep(sales: Sales) -> None:
    deal = record_id(sales.hub, "deals", "dealname", "Deal 1")
    note = sales.hub.add_note("Note A", ("deals", deal))
    sales.house.run_until_seen("to_right")
    sales.hub.update("notes", note, {"hs_note_body": "Note A, edited"})
    flow = sales.house.flows["to_right"]
    sales.hub.settings(clock_offset_s=3600)
    Flow.objects.filter(pk=flow.pk).update(comments_read_to=timezone.now() + timedelta(hours=1))
    sales.run()
    assert sales.said("deal", "Deal 1") == ["Note A"]
    sales.sweep()
    assert sales.said("deal", "Deal 1") == ["Note A, edited"]


def test_a_sweep_goes_on_in_the_next_run(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_ups, "BATCH", 1)
    monkeypatch.setattr(sweeping, "BATCHES", 1)
    note = note_on_deal_1(sales)
    other = record_id(sales.hub, "deals", "dealname", "Deal 2")
    sales.hub.associate("notes", note, "deals", other)
    sales.sweep()
    flow = Flow.objects.get(pk=sales.house.flows["to_right"].pk)
    assert flow.sweep_after
    assert flow.next_sweep_at is not None
    assert flow.next_sweep_at > timezone.now()
    for _ in range(2):
        sales.run()
    flow.refresh_from_db()
    assert sales.said("deal", "Deal 2") == ["Note A"]
    assert flow.sweep_after == 0


def test_sweeps_come_as_often_as_set(sales: Sales, settings: Settings) -> None:
    settings.SWEEP_EVERY_S = 60
    before = timezone.now()
    sales.sweep()
    for flow in Flow.objects.all():
        assert flow.next_sweep_at is not None
        assert before < flow.next_sweep_at <= timezone.now() + timedelta(seconds=60)
