"""Fields that both sides changed, about which a person decides."""

import pytest
from django.test import Client
from django.urls import reverse

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, Flow, QueuedRead, RecordEvent
from hubconnect.mappings.models import FieldMapping
from tests.asking import ANA, decide
from tests.house import House, let_second_pass
from tests.pages import text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(asking_house: House) -> House:
    return asking_house


def edit_hub(house: House, **values: str) -> None:
    house.hub.update("contacts", house.contact_id(ANA), values)


def edit_desk(house: House, column: str, value: str | None) -> None:
    house.desk.run(f"update customers set {column} = ? where email = ?", value, ANA)


def disagree(house: House) -> Failure:
    """Change the first name on both sides, and the last name on one."""
    edit_hub(house, firstname="Anna", lastname="Poet")
    edit_desk(house, "first_name", "Anne")
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    return failure


def test_a_conflict_is_one_failure_with_both_values_and_the_rest_goes_on(house: House) -> None:
    failure = disagree(house)
    assert house.desk.customers()[ANA] == ("Anne", "Poet")
    house.sync()
    house.sync()
    (again,) = house.open_failures()
    assert again.pk == failure.pk
    assert (again.category, again.attempts, again.next_try_at) == (Category.CONFLICT, 1, None)
    (entry,) = again.conflicts
    left, right = entry["left"], entry["right"]
    assert (left["base"], left["value"]) == ("Ana", "Anna")
    assert (right["base"], right["value"]) == ("Ana", "Anne")
    assert "First Name" in again.message
    assert house.contacts()[ANA] == ("Anna", "Poet")
    assert house.desk.customers()[ANA] == ("Anne", "Poet")
    assert RecordEvent.objects.filter(kind="failed").count() == 1


@pytest.mark.parametrize(("side", "holds"), [("left", "Anna"), ("right", "Anne")])
def test_the_chosen_value_goes_to_the_other_side(
    house: House, sync_admin_client: Client, side: str, holds: str
) -> None:
    failure = disagree(house)
    page = text(sync_admin_client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    for word in ("Anna", "Anne", "Last agreed on: Ana", "HubSpot", "Order desk"):
        assert word in page
    assert "carried out with the next run" in decide(sync_admin_client, failure, side)
    house.sync()
    house.sync()
    assert house.open_failures() == []
    assert Failure.objects.get().state == Failure.State.HEALED
    assert house.contacts()[ANA] == house.desk.customers()[ANA] == (holds, "Poet")
    house.sync()
    there, back = house.sync()
    assert there.is_idle
    assert back.is_idle
    assert QueuedRead.objects.count() == 0


def test_a_choice_about_values_that_changed_since_is_not_carried_out(
    house: House, sync_admin_client: Client
) -> None:
    failure = disagree(house)
    decide(sync_admin_client, failure, "left")
    edit_desk(house, "first_name", "Annika")
    house.run("to_right")
    (failure,) = house.open_failures()
    assert "Choose again" in failure.hint
    assert failure.conflicts[0]["right"]["value"] == "Annika"
    assert "choice" not in failure.conflicts[0]
    assert house.desk.customers()[ANA] == ("Annika", "Poet")
    decide(sync_admin_client, failure, "left")
    house.run("to_right")
    assert house.desk.customers()[ANA] == ("Anna", "Poet")


def test_a_choice_made_on_an_old_page_is_refused(house: House, sync_admin_client: Client) -> None:
    failure = disagree(house)
    said = decide(sync_admin_client, failure, "left", seen="of an older page")
    assert "A value changed since this page was shown" in said
    assert QueuedRead.objects.count() == 0
    assert "Choose a value" in decide(sync_admin_client, failure, "middle")


def test_a_conflict_heals_when_both_sides_become_equal(house: House) -> None:
    disagree(house)
    edit_desk(house, "first_name", "Anna")
    house.sync_until(lambda: not house.open_failures())
    house.sync()
    there, back = house.sync()
    assert there.is_idle
    assert back.is_idle


def test_a_conflict_heals_when_one_side_takes_its_change_back(house: House) -> None:
    disagree(house)
    edit_desk(house, "first_name", "Ana")
    house.sync_until(lambda: house.desk.customers()[ANA] == ("Anna", "Poet"))
    assert house.open_failures() == []


def test_dismissing_leaves_both_sides_until_one_changes(
    house: House, sync_admin_client: Client
) -> None:
    failure = disagree(house)
    sync_admin_client.post(reverse("integrations:failure_dismiss", args=[failure.pk]))
    house.sync()
    house.sync()
    assert house.open_failures() == []
    assert house.contacts()[ANA] == ("Anna", "Poet")
    assert house.desk.customers()[ANA] == ("Anne", "Poet")
    edit_desk(house, "first_name", "Annette")
    house.sync_until(lambda: house.contacts()[ANA] == ("Annette", "Poet"))


def test_retrying_asks_again_and_writes_nothing(house: House, sync_admin_client: Client) -> None:
    failure = disagree(house)
    sync_admin_client.post(reverse("integrations:failure_retry", args=[failure.pk]))
    assert QueuedRead.objects.count() == 2
    house.sync()
    (again,) = house.open_failures()
    assert again.pk == failure.pk
    assert house.desk.customers()[ANA] == ("Anne", "Poet")


def test_a_value_kept_against_a_flow_that_is_off_stays(
    house: House, sync_admin_client: Client
) -> None:
    failure = disagree(house)
    Flow.objects.filter(direction="to_left").update(is_enabled=False)
    decide(sync_admin_client, failure, "right")
    house.run("to_right")
    assert house.open_failures() == []
    assert house.run("to_right").is_idle
    assert house.desk.customers()[ANA] == ("Anne", "Poet")
    edit_hub(house, firstname="Annabel")
    house.run_until_seen("to_right")
    assert house.desk.customers()[ANA] == ("Annabel", "Poet")


def test_records_that_meet_without_a_base_are_asked_about(
    house: House, sync_admin_client: Client
) -> None:
    house.hub.create("contacts", {"email": "ben@x.example", "firstname": "Ben"})
    house.desk.run("insert into customers (email, first_name) values ('ben@x.example', 'Benno')")
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    assert "nothing was agreed on" in failure.message
    page = sync_admin_client.get(reverse("integrations:failure_detail", args=[failure.pk]))
    assert "Nothing was agreed on before." in text(page)
    decide(sync_admin_client, failure, "right")
    house.sync_until(lambda: house.contacts()["ben@x.example"] == ("Benno", None))
    assert house.open_failures() == []


def test_no_detection_lets_the_running_flow_win_and_keeps_the_replaced_value(
    house: House,
) -> None:
    FieldMapping.objects.update(conflict="none")
    edit_hub(house, firstname="Anna")
    edit_desk(house, "first_name", "Anne")
    run = house.run_until_seen("to_left")
    assert house.contacts()[ANA] == ("Anne", "Poe")
    (line,) = RecordEvent.objects.get(run=run).detail["fields"]
    assert (line["old"], line["new"]) == ("Anna", "Anne")
    assert "the later run's source wins" in line["remark"]


def test_what_belongs_on_the_source_is_read_afresh_by_the_opposite_flow(house: House) -> None:
    FieldMapping.objects.update(conflict="right")
    edit_hub(house, firstname="Anna")
    edit_desk(house, "first_name", "Anne")
    let_second_pass()
    house.run("to_right")
    queued = QueuedRead.objects.get()
    assert queued.flow == house.to_hub
    house.run("to_left")
    assert house.contacts()[ANA] == house.desk.customers()[ANA] == ("Anne", "Poe")


def test_an_opposite_flow_that_is_off_is_told_once(house: House) -> None:
    FieldMapping.objects.update(conflict="right")
    Flow.objects.filter(direction="to_left").update(is_enabled=False)
    edit_hub(house, firstname="Anna")
    edit_desk(house, "first_name", "Anne")
    let_second_pass()
    for _ in range(3):
        house.run("to_right")
    told = [
        line["remark"]
        for one in RecordEvent.objects.all()
        for line in one.detail.get("fields", [])
        if "the sides differ" in line["remark"]
    ]
    (remark,) = told
    assert remark == (
        "both sides changed; the target wins; the other direction is not at work,"
        " so the sides differ"
    )
    assert QueuedRead.objects.count() == 0
