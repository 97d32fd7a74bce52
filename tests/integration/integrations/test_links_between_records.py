"""Links between records are carried both ways and wait for their far ends."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.core.models import Role, User
from hubconnect.integrations.models import AssociationLink, Failure, Flow, FollowUp, Pair
from hubconnect.integrations.services import activation, failures
from hubconnect.integrations.services.execute import run_flow
from hubconnect.mappings.models import AssociationMapping, FieldMapping, Mapping
from tests.house import PATIENCE_S, House, furnish, let_second_pass
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

DEAL_TO_CONTACT = "HUBSPOT_DEFINED:3"
NOTE_TO_CONTACT = "HUBSPOT_DEFINED:202"
LINK_DEALS = "/crm/associations/2026-03/deals/contacts/batch/create"
TABLES = """
create table orders (
    id integer primary key,
    title varchar(200) not null,
    customer_id integer references customers (id),
    hub_id varchar(40),
    hub_url varchar(300),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create trigger orders_touch after update on orders when new.updated_at is old.updated_at
begin
    update orders set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id;
end;
create table remarks (
    id integer primary key,
    body text not null,
    customer_id integer references customers (id),
    made_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create trigger remarks_touch after update on remarks when new.updated_at is old.updated_at
begin
    update remarks set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id;
end;
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Settings) -> None:
    settings.SQLITE_DIR = tmp_path


class Shop(House):
    """The house with a second pair: deals ↔ orders, or notes ↔ remarks."""

    pair: Pair

    def add_pair(self, left_type: str, right_type: str, *rows: tuple[str, str]) -> Mapping:
        """Add a pair whose flows are called after the right type."""
        mapping = Mapping.objects.create(
            name=f"{left_type} and {right_type}",
            left_system=self.hubspot,
            left_type=left_type,
            right_system=self.order_desk,
            right_type=right_type,
        )
        for position, (left, right) in enumerate(rows):
            FieldMapping.objects.create(
                mapping=mapping, position=position, left_field=left, right_field=right
            )
        self.pair = Pair.objects.create(integration=self.integration, mapping=mapping, position=1)
        for direction in ("to_right", "to_left"):
            self.flows[f"{right_type} {direction}"] = Flow.objects.create(
                pair=self.pair, direction=direction, start=Flow.Start.EVERYTHING
            )
        return mapping

    def orders(self) -> dict[str, str | None]:
        """Return the customer's e-mail by the order's title."""
        rows = self.desk.run(
            "select title, email from orders left join customers on customers.id = customer_id"
        )
        return dict(rows)

    def sync_orders_until(self, is_so: Callable[[], bool]) -> None:
        """Run both directions of the orders until a condition holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline
            self.run("orders to_right")
            self.run("orders to_left")

    def order_id(self, title: str) -> str:
        return str(self.desk.run("select id from orders where title = ?", title)[0][0])


def open_shop(hub: Sandbox, tmp_path: Path) -> Shop:
    house = furnish(hub, tmp_path / "desk.sqlite3")
    house.desk.script(TABLES)
    return Shop(**{name: getattr(house, name) for name in House.__dataclass_fields__})


@pytest.fixture
def shop(hub: Sandbox, tmp_path: Path) -> Shop:
    """Deals ↔ orders with their customers; one deal of one contact."""
    shop = open_shop(hub, tmp_path)
    mapping = shop.add_pair("deals", "orders", ("dealname", "title"))
    FieldMapping.objects.create(
        mapping=mapping,
        position=1,
        left_field="dealstage",
        direction="to_left",
        default_left="appointmentscheduled",
    )
    AssociationMapping.objects.create(
        mapping=mapping,
        left_association=DEAL_TO_CONTACT,
        left_to_type="contacts",
        right_association="column:customer_id",
        right_to_type="customers",
    )
    return shop


def stage() -> dict[str, str]:
    return {"pipeline": "default", "dealstage": "appointmentscheduled"}


def deal(hub: Sandbox, name: str, *contacts: str) -> str:
    deal_id = hub.create("deals", {"dealname": name, **stage()})
    for contact in contacts:
        hub.associate("deals", deal_id, "contacts", contact)
    return deal_id


def contact(hub: Sandbox, name: str) -> str:
    return hub.create("contacts", {"email": f"{name}@x.example", "firstname": name})


def test_a_link_is_carried_to_the_column_of_the_other_side(shop: Shop, hub: Sandbox) -> None:
    deal(hub, "Roof", contact(hub, "ana"))
    shop.activate()
    shop.run("to_right")

    run = shop.run("orders to_right")

    assert shop.orders() == {"Roof": "ana@x.example"}
    assert run.associations == 1


def test_a_link_is_carried_to_hubspot(shop: Shop, hub: Sandbox) -> None:
    shop.desk.run("insert into customers (email) values ('bo@x.example')")
    shop.desk.run("insert into orders (title, customer_id) values ('Door', 1)")
    shop.activate()
    for name in ("to_right", "to_left", "orders to_right", "orders to_left"):
        shop.run(name)

    made = hub.list("deals", "dealname")

    assert [one["properties"]["dealname"] for one in made] == ["Door"]
    linked = hub.associations("deals", made[0]["id"], "contacts")
    assert list(linked) == [shop.contact_id("bo@x.example")]


def test_nothing_is_sent_again_once_both_sides_agree(shop: Shop, hub: Sandbox) -> None:
    deal(hub, "Roof", contact(hub, "ana"))
    shop.activate()
    for name in ("to_right", "to_left", "orders to_right", "orders to_left"):
        shop.run(name)
    hub.reset_statistics()

    for name in ("orders to_right", "orders to_left"):
        assert shop.run(name).associations == 0

    assert not {"associations.batch_create"} & set(hub.statistics()["calls"])
    assert AssociationLink.objects.count() == 1


def test_a_link_follows_once_its_far_record_is_synced(shop: Shop, hub: Sandbox) -> None:
    deal(hub, "Roof", contact(hub, "ana"))
    shop.activate()
    shop.run("orders to_right")
    assert shop.orders() == {"Roof": None}
    assert FollowUp.objects.filter(waits_type="hubspot:4242/contacts").exists()

    shop.run("to_right")  # ana arrives, which wakes the link
    shop.run("orders to_right")

    assert shop.orders() == {"Roof": "ana@x.example"}
    assert not FollowUp.objects.exists()
    assert not shop.open_failures()


def test_a_link_follows_though_its_far_record_was_linked_while_it_began_to_wait(
    shop: Shop, hub: Sandbox
) -> None:
    deal(hub, "Roof", contact(hub, "ana"))
    shop.activate()
    shop.run("orders to_right")
    shop.run("to_right")
    # As if both had run at once: the wait was stored too late to be woken.
    FollowUp.objects.update(due_at=timezone.now() + timedelta(days=1))

    shop.run("orders to_right")

    assert shop.orders() == {"Roof": "ana@x.example"}
    assert not FollowUp.objects.exists()


def test_a_link_that_must_exist_fails_at_once_where_no_flow_carries_its_far_records(
    shop: Shop, hub: Sandbox
) -> None:
    AssociationMapping.objects.update(must_exist=True)
    Flow.objects.filter(pair__position=0).update(is_enabled=False)
    far = contact(hub, "ana")
    deal(hub, "Roof", far)
    shop.activate()

    shop.run("orders to_right")

    (failure,) = shop.open_failures()
    assert failure.category == Category.MISSING_LINK
    assert f"contacts {far}" in failure.message
    assert "No active integration carries contacts" in failure.hint
    assert shop.orders() == {"Roof": None}  # the record itself went on


def test_a_link_that_must_exist_fails_once_the_far_flow_passed_it_by_and_heals(
    shop: Shop, hub: Sandbox
) -> None:
    AssociationMapping.objects.update(must_exist=True)
    bad = hub.create("contacts", {"email": "ana@x.example", "firstname": "A" * 31})
    deal(hub, "Roof", bad)
    shop.activate()
    shop.run("orders to_right")
    assert not shop.open_failures()  # ana may still come

    shop.run("to_right")  # the first load: ana is too long for her column
    Flow.objects.filter(pair__position=0).update(window_lower=timezone.now() + timedelta(seconds=2))
    FollowUp.objects.update(due_at=timezone.now())
    shop.run("orders to_right")
    found = {one.category for one in shop.open_failures()}
    assert found == {Category.TOO_LONG, Category.MISSING_LINK}

    hub.update("contacts", bad, {"firstname": "Ana"})
    Flow.objects.filter(pair__position=0).update(window_lower=timezone.now())
    shop.sync_until(lambda: not Failure.objects.filter(state="open", child="").exists())
    shop.run("orders to_right")

    assert shop.orders() == {"Roof": "ana@x.example"}
    assert not shop.open_failures()


def test_a_removed_link_is_removed_on_the_other_side(shop: Shop, hub: Sandbox) -> None:
    ana = contact(hub, "ana")
    roof = deal(hub, "Roof", ana)
    shop.activate()
    shop.run("to_right")
    shop.run("orders to_right")

    hub.dissociate("deals", roof, "contacts", ana)
    hub.update("deals", roof, {"dealname": "Roofs"})
    shop.run_until_seen("orders to_right")

    assert shop.orders() == {"Roofs": None}


def test_a_removed_link_is_left_where_the_mapping_says_so(shop: Shop, hub: Sandbox) -> None:
    AssociationMapping.objects.update(carries_removal=False)
    ana = contact(hub, "ana")
    roof = deal(hub, "Roof", ana)
    shop.activate()
    shop.run("to_right")
    shop.run("orders to_right")

    hub.dissociate("deals", roof, "contacts", ana)
    hub.update("deals", roof, {"dealname": "Roofs"})
    shop.run_until_seen("orders to_right")
    shop.run("orders to_left")

    assert shop.orders() == {"Roofs": "ana@x.example"}
    assert not hub.associations("deals", roof, "contacts")


def test_a_changed_column_moves_the_link_in_hubspot(shop: Shop, hub: Sandbox) -> None:
    ana, bo = contact(hub, "ana"), contact(hub, "bo")
    roof = deal(hub, "Roof", ana)
    shop.activate()
    shop.run("to_right")
    shop.run("orders to_right")
    shop.run("orders to_left")

    shop.desk.run(
        "update orders set customer_id = (select id from customers where email = 'bo@x.example')"
    )
    shop.run_until_seen("orders to_left")

    assert list(hub.associations("deals", roof, "contacts")) == [bo]


def test_a_default_record_is_linked_where_the_source_names_none(shop: Shop, hub: Sandbox) -> None:
    shop.desk.run("insert into customers (id, email) values (77, 'counter@x.example')")
    AssociationMapping.objects.update(default_right="77")
    deal(hub, "Walk-in")
    shop.activate()

    shop.run("orders to_right")

    assert shop.orders() == {"Walk-in": "counter@x.example"}


def test_the_counterparts_id_and_address_are_written_on_both_sides(
    shop: Shop, hub: Sandbox
) -> None:
    shop.pair.right_id_field, shop.pair.right_link_field = "hub_id", "hub_url"
    shop.pair.left_id_field = "description"
    shop.pair.save()
    roof = deal(hub, "Roof")
    shop.activate()

    shop.run("orders to_right")

    rows = shop.desk.run("select hub_id, hub_url from orders")
    assert rows[0][0] == roof
    assert rows[0][1].endswith(f"/contacts/4242/record/0-3/{roof}")
    assert hub.get("deals", roof)["properties"]["description"] == shop.order_id("Roof")
    hub.reset_statistics()
    assert shop.run("orders to_right").updated == 0
    assert "batch.batch_update" not in hub.statistics()["calls"]


@pytest.fixture
def remarks(hub: Sandbox, tmp_path: Path) -> Shop:
    """Notes of HubSpot as an entity ↔ remarks about customers."""
    shop = open_shop(hub, tmp_path)
    mapping = shop.add_pair(
        "notes", "remarks", ("hs_note_body", "body"), ("hs_timestamp", "made_at")
    )
    AssociationMapping.objects.create(
        mapping=mapping,
        left_association=NOTE_TO_CONTACT,
        left_to_type="contacts",
        right_association="column:customer_id",
        right_to_type="customers",
    )
    return shop


@pytest.mark.requirement("S48", "S50")
def test_a_note_is_created_in_hubspot_with_the_record_it_is_about(
    remarks: Shop, hub: Sandbox
) -> None:
    remarks.desk.run("insert into customers (email) values ('bo@x.example')")
    remarks.desk.run("insert into remarks (body, customer_id) values ('Called twice', 1)")
    remarks.activate()
    for name in ("to_right", "to_left", "remarks to_right", "remarks to_left"):
        remarks.run(name)

    (note,) = hub.list("notes", "hs_note_body")

    assert note["properties"]["hs_note_body"] == "Called twice"
    linked = hub.associations("notes", note["id"], "contacts")
    assert list(linked) == [remarks.contact_id("bo@x.example")]


@pytest.mark.requirement("S48", "S50")
def test_a_note_without_a_link_fails_with_that_reason_and_goes_on_once_it_has_one(
    remarks: Shop, hub: Sandbox
) -> None:
    remarks.desk.run("insert into customers (email) values ('bo@x.example')")
    remarks.desk.run("insert into remarks (body) values ('About nobody')")
    remarks.activate()
    for name in ("to_right", "to_left", "remarks to_right", "remarks to_left"):
        remarks.run(name)

    (failure,) = remarks.open_failures()
    assert failure.category == Category.MISSING_LINK
    assert "cannot be created without a link" in failure.message
    assert not hub.list("notes")

    remarks.desk.run("update remarks set customer_id = 1")
    remarks.run("remarks to_left")

    assert len(hub.list("notes")) == 1
    assert not remarks.open_failures()


def test_a_note_waits_for_the_record_it_is_about(remarks: Shop, hub: Sandbox) -> None:
    remarks.desk.run("insert into customers (email) values ('bo@x.example')")
    remarks.desk.run("insert into remarks (body, customer_id) values ('Called', 1)")
    remarks.activate()
    remarks.run("remarks to_right")
    remarks.run("remarks to_left")  # bo is not in HubSpot yet
    assert [one.category for one in remarks.open_failures()] == [Category.MISSING_LINK]

    remarks.run("to_right")
    remarks.run("to_left")  # now he is
    remarks.run("remarks to_left")
    remarks.run("remarks to_left")

    assert len(hub.list("notes")) == 1
    assert not remarks.open_failures()


@pytest.mark.requirement("S48", "S50")
def test_activation_is_refused_where_no_note_could_be_created(remarks: Shop) -> None:
    AssociationMapping.objects.all().delete()

    with pytest.raises(activation.ActivationRefusedError) as caught:
        remarks.activate()

    (problem,) = caught.value.problems
    assert "notes are created in HubSpot only with a link to one of deals" in problem
    assert "Add an association" in problem


def test_an_integration_that_was_never_run_has_no_follow_ups(shop: Shop) -> None:
    actor = User.objects.create_user("anna", password="secret-of-tests", role=Role.ADMIN)
    activation.activate(shop.integration, actor, confirmed={})

    assert run_flow(shop.flows["orders to_right"].pk) is not None
    assert not FollowUp.objects.exists()


def test_a_dismissed_link_is_let_go_and_made_once_its_far_record_is_synced(
    shop: Shop, hub: Sandbox, admin: User
) -> None:
    AssociationMapping.objects.update(must_exist=True)
    deal(hub, "Roof", contact(hub, "ana"))
    shop.activate()
    Flow.objects.filter(pair__position=0).update(is_enabled=False)
    shop.run("orders to_right")
    (failure,) = shop.open_failures()

    failures.dismiss(failure, admin)
    sweep(shop, "orders to_right")

    assert shop.open_failures() == []
    Flow.objects.filter(pair__position=0).update(is_enabled=True)
    shop.run("to_right")
    shop.run("orders to_right")
    assert shop.orders() == {"Roof": "ana@x.example"}


def test_a_link_that_the_target_refused_and_a_person_let_go_is_not_sent_again(
    shop: Shop, hub: Sandbox, admin: User
) -> None:
    deal(hub, "Roof", contact(hub, "ana"))
    shop.activate()
    shop.run("to_right")
    shop.desk.script(
        "create trigger closed before update of customer_id on orders "
        "begin select raise(abort, 'The books are closed'); end;"
    )
    shop.run("orders to_right")
    (failure,) = shop.open_failures()
    assert "The books are closed" in failure.message

    failures.dismiss(failure, admin)
    sweep(shop, "orders to_right")
    sweep(shop, "orders to_right")

    assert shop.open_failures() == []


def test_a_link_passed_over_in_the_answer_is_looked_at_soon(shop: Shop, hub: Sandbox) -> None:
    shop.desk.run("insert into customers (email) values ('bo@x.example')")
    shop.desk.run("insert into orders (title, customer_id) values ('Door', 1)")
    shop.activate()
    for name in ("to_right", "to_left", "orders to_right"):
        shop.run(name)
    strayed = {
        "status": "COMPLETE",
        "results": [],
        "errors": [{"status": "error", "category": "VALIDATION_ERROR", "message": "A stray."}],
    }
    hub.fault(path=LINK_DEALS, method="POST", status=207, body=strayed)

    shop.run("orders to_left")

    (row,) = FollowUp.objects.all()
    assert row.due_at < timezone.now() + timedelta(minutes=2)
    FollowUp.objects.update(due_at=timezone.now())
    shop.run("orders to_left")
    door = hub.list("deals", "dealname")[0]["id"]
    assert list(hub.associations("deals", door, "contacts")) == [shop.contact_id("bo@x.example")]


def sweep(shop: Shop, name: str) -> None:
    """Run a flow with its sweep due."""
    Flow.objects.update(next_sweep_at=timezone.now())
    shop.run(name)


def test_a_default_that_the_source_names_later_stays_agreed_on(shop: Shop, hub: Sandbox) -> None:
    shop.desk.run("insert into customers (id, email) values (77, 'ana@x.example')")
    AssociationMapping.objects.update(default_right="77")
    roof = deal(hub, "Roof")
    shop.activate()
    for name in ("to_right", "to_left", "orders to_right"):
        shop.run(name)
    assert shop.orders() == {"Roof": "ana@x.example"}
    ana = shop.contact_id("ana@x.example")

    hub.associate("deals", roof, "contacts", ana)
    sweep(shop, "orders to_right")

    row = AssociationLink.objects.get()
    assert (row.left_to_id, row.right_to_id) == (ana, "77")
    assert shop.orders() == {"Roof": "ana@x.example"}


def test_a_dismissed_id_is_not_refused_again_until_the_record_changes(
    shop: Shop, hub: Sandbox, admin: User
) -> None:
    shop.desk.script("alter table orders add column short_id varchar(2)")
    deal(hub, "Roof")
    shop.activate()
    shop.run("orders to_right")
    Pair.objects.filter(pk=shop.pair.pk).update(right_id_field="short_id")
    hub.update("deals", hub.list("deals")[0]["id"], {"dealname": "Roofs"})
    shop.run_until_seen("orders to_right")
    (failure,) = shop.open_failures()

    failures.dismiss(failure, admin)
    sweep(shop, "orders to_right")

    assert shop.open_failures() == []


def test_links_to_a_merged_record_go_on_under_its_new_id(shop: Shop, hub: Sandbox) -> None:
    """What the far record is called now is ended and made, not what it was called before."""
    ana = contact(hub, "ana")
    deal_id = deal(hub, "Roof", ana)
    shop.activate()
    for name in ("to_right", "to_left", "orders to_right", "orders to_left"):
        shop.run(name)
    new = hub.merge("contacts", ana, contact(hub, "aa"))
    shop.run_until_seen("to_right")
    assert AssociationLink.objects.get().left_to_id == new
    shop.desk.run("update orders set customer_id = null")
    AssociationMapping.objects.update(carries_removal=True)
    shop.sync_orders_until(lambda: not hub.associations("deals", deal_id, "contacts"))
    assert not AssociationLink.objects.exists()


def test_what_waited_for_a_merged_record_finds_the_survivor(
    shop: Shop, hub: Sandbox, settings: Settings
) -> None:
    """Nothing else has the deal looked at: its date does not move, and the sweep is far off."""
    settings.OVERLAPS_S = {"hubspot": 0}
    hub.settings(calculation_delay_s=None)
    Flow.objects.update(next_sweep_at=timezone.now() + timedelta(days=1))
    ana = contact(hub, "ana")
    deal(hub, "Roof", ana)
    shop.activate()
    shop.run("orders to_right")
    assert FollowUp.objects.filter(waits_id=ana).exists()
    other = contact(hub, "aa")
    let_second_pass()
    shop.run("orders to_right")
    hub.merge("contacts", ana, other)
    shop.run("to_right")
    shop.run("orders to_right")
    assert shop.orders() == {"Roof": "ana@x.example"}


def test_a_recreated_record_is_linked_again_by_what_was_linked_with_it(
    shop: Shop, hub: Sandbox
) -> None:
    deal(hub, "Roof", contact(hub, "ana"))
    shop.activate()
    for name in ("to_right", "to_left", "orders to_right", "orders to_left"):
        shop.run(name)
    Flow.objects.update(target_deleted="recreate")
    shop.desk.run("update orders set customer_id = null")
    shop.desk.run("delete from customers")
    shop.desk.run("insert into customers (id, email) values (77, 'other@x.example')")
    hub.update("contacts", shop.contact_id("ana@x.example"), {"firstname": "Anna"})
    shop.run_until_seen("to_right")
    shop.run("orders to_right")
    assert shop.orders() == {"Roof": "ana@x.example"}
