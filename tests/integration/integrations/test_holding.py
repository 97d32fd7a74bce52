"""Changes of one record go in order: what a failure holds back, and what it lets go on."""

from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.core.models import User
from hubconnect.integrations.models import (
    Decision,
    Failure,
    Flow,
    Intent,
    Link,
    QueuedRead,
    Run,
    TypePair,
)
from hubconnect.integrations.services import activation, failures, saving
from hubconnect.integrations.services.execute import run_flow
from hubconnect.mappings.models import FieldMapping, Mapping
from tests.two_desks import TwoDesks, furnish_desks, integrate

pytestmark = pytest.mark.django_db(transaction=True)

ANA, BEN = "ana@x.example", "ben@x.example"


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> TwoDesks:
    """Two customers in sync."""
    settings.SQLITE_DIR = tmp_path
    made = furnish_desks(tmp_path)
    for email in (ANA, BEN):
        made.left.run("insert into customers (email, first_name) values (?, 'A')", email)
    made.activate()
    made.sync()
    made.sync()
    assert Link.objects.count() == 2
    return made


def refuse_to_right(house: TwoDesks, email: str = ANA) -> Failure:
    """Have a change of the left refused on the right."""
    house.rename(house.left, email, last_name="bad")
    house.run("to_right")
    (failure,) = house.open_failures()
    return failure


def make_due() -> None:
    Failure.objects.filter(state="open").update(next_try_at=timezone.now())


def names(house: TwoDesks, side: str, email: str = ANA) -> tuple[object, ...]:
    desk = house.left if side == "left" else house.right
    return desk.customers()[email]


def actor() -> User:
    return User.objects.get(username="house-admin")


def test_a_failed_record_holds_nothing_but_itself(house: TwoDesks) -> None:
    refuse_to_right(house)
    house.rename(house.left, BEN, first_name="Benno")
    assert house.run("to_right").updated == 1
    house.rename(house.right, BEN, last_name="Ode")
    house.rename(house.right, ANA, first_name="Held")
    run = house.run("to_left")
    assert (run.updated, run.held) == (1, 1)
    assert names(house, "left") == ("A", "bad")
    assert names(house, "left", BEN) == names(house, "right", BEN) == ("Benno", "Ode")


def test_what_waited_goes_once_with_the_newest_state(house: TwoDesks) -> None:
    failure = refuse_to_right(house)
    for name in ("First", "Second", "Third"):
        house.rename(house.right, ANA, first_name=name)
        assert house.run("to_left").held == 1
    failure.refresh_from_db()
    assert (failure.waits_to_left, failure.waits_to_right) == (True, False)
    house.rename(house.left, ANA, last_name="good")
    house.run("to_right")
    assert QueuedRead.objects.count() == 1
    run = house.run("to_left")
    assert (run.updated, run.held) == (1, 0)
    assert names(house, "left") == names(house, "right") == ("Third", "good")
    assert QueuedRead.objects.count() == 0
    for run in house.sync():
        assert run.is_idle


def test_a_newer_version_is_tried_at_once_and_the_same_one_is_not(house: TwoDesks) -> None:
    failure = refuse_to_right(house)
    house.run("to_right")
    failure.refresh_from_db()
    assert failure.attempts == 1
    house.rename(house.left, ANA, first_name="Newer")
    house.run("to_right")
    failure.refresh_from_db()
    assert (failure.attempts, failure.state) == (2, "open")


def test_dismissing_drops_these_values_and_lets_the_other_direction_go_on(
    house: TwoDesks,
) -> None:
    failure = refuse_to_right(house)
    house.rename(house.right, ANA, first_name="Waited")
    house.run("to_left")
    failures.dismiss(failure, actor())
    house.run("to_left")
    assert names(house, "left") == ("Waited", "bad")
    house.sync()
    assert names(house, "right") == ("Waited", None)  # what was dismissed is not sent later
    assert house.open_failures() == []
    house.rename(house.left, ANA, last_name="good")
    house.run("to_right")
    assert names(house, "right") == ("Waited", "good")  # the next edit is


def test_dismissing_an_unlinked_record_holds_until_its_values_change(house: TwoDesks) -> None:
    house.left.run("insert into customers (email, last_name) values ('cy@x.example', 'bad')")
    house.run("to_right")
    failures.dismiss(house.open_failures()[0], actor())
    assert Decision.objects.get().kind == Decision.Kind.DISMISSED
    house.left.run("update customers set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')")
    house.run("to_right")
    assert house.open_failures() == []
    house.rename(house.left, "cy@x.example", last_name="good")
    assert house.run("to_right").created == 1


def test_a_change_held_behind_an_unlinked_record_finds_its_counterpart(house: TwoDesks) -> None:
    """Its failure knows no target: the record was linked from the other side after it."""
    house.left.run("insert into customers (email, last_name) values ('cy@x.example', 'bad')")
    house.run("to_right")
    (failure,) = house.open_failures()
    assert failure.target_id == ""
    house.right.run("insert into customers (email, first_name) values ('cy@x.example', 'Cy')")
    house.run("to_left")  # links both; "bad" still has to go to the right, and is refused
    assert Link.objects.count() == 3
    Failure.objects.update(target_id="", next_try_at=None)
    house.rename(house.right, "cy@x.example", first_name="Cyrus")
    assert house.run("to_left").held == 1
    house.rename(house.left, "cy@x.example", last_name="good")
    house.run("to_right")
    assert house.open_failures() == []
    assert QueuedRead.objects.get().record_id == house.id_of(house.right, "cy@x.example")
    house.run("to_left")
    assert names(house, "left", "cy@x.example") == ("Cyrus", "good")


def test_linking_a_failed_record_from_the_other_side_has_it_tried_at_once(
    house: TwoDesks,
) -> None:
    house.left.run("insert into customers (email, last_name) values ('cy@x.example', 'bad')")
    house.run("to_right")
    Failure.objects.update(next_try_at=None, attempts=3)  # it waits for a person
    house.right.run("insert into customers (email, last_name) values ('cy@x.example', 'x')")
    house.run("to_left")
    assert house.open_failures()[0].next_try_at is not None


def test_two_failures_of_one_link_do_not_wait_for_each_other(house: TwoDesks) -> None:
    first = refuse_to_right(house)
    Failure.objects.update(flow=house.flow("to_left"))  # out of the way while the other fails
    Failure.objects.update(record_id="elsewhere")
    house.rename(house.right, ANA, last_name="evil")
    FieldMapping.objects.filter(left_field="last_name").update(conflict="none")
    house.run("to_left")
    Failure.objects.filter(pk=first.pk).update(
        flow=house.flow("to_right"), record_id=house.id_of(house.left, ANA)
    )
    assert [one.side for one in house.open_failures()] == ["left", "right"]
    house.left.run("update customers set last_name = 'good' where email = ?", ANA)
    house.run("to_right")  # the one that failed first goes first
    first.refresh_from_db()
    assert first.state == Failure.State.HEALED
    make_due()
    house.sync_until(lambda: house.open_failures() == [])
    assert names(house, "left") == names(house, "right")


def test_a_failure_of_a_flow_that_is_switched_off_holds_nothing(house: TwoDesks) -> None:
    failure = refuse_to_right(house)
    house.rename(house.right, ANA, first_name="Waited")
    assert house.run("to_left").held == 1
    activation.deactivate(house.integration, actor())
    flow = house.flow("to_right")
    flow.is_enabled = False
    saving.save_flows(flow.pair, [flow])
    failure.refresh_from_db()
    assert (failure.state, failure.waits_to_left) == ("open", False)
    house.activate()
    assert house.run("to_left").updated == 1
    house.rename(house.right, ANA, first_name="Later")
    run = house.run("to_left")
    assert (run.updated, run.held) == (1, 0)
    assert names(house, "left") == ("Later", "bad")


def second_integration(house: TwoDesks) -> dict[str, Flow]:
    """Put a mapping of the same object types to work in another integration."""
    mapping = Mapping.objects.create(
        name="First names",
        left_system=house.mapping.left_system,
        left_type="customers",
        right_system=house.mapping.right_system,
        right_type="customers",
    )
    FieldMapping.objects.create(mapping=mapping, left_field="first_name", right_field="first_name")
    integration, flows = integrate(mapping, "Other", none_found="skip")
    activation.activate(integration, actor(), confirmed={flow.pk: 0 for flow in flows.values()})
    return flows


def run_now(flow: Flow) -> Run:
    Flow.objects.filter(pk=flow.pk).update(next_run_at=timezone.now())
    run = run_flow(flow.pk)
    assert run is not None
    run.refresh_from_db()
    return run


def test_flows_of_another_integration_wait_too_and_go_on_once(house: TwoDesks) -> None:
    others = second_integration(house)
    for flow in others.values():
        run_now(flow)
    failure = refuse_to_right(house)
    house.rename(house.right, ANA, first_name="Waited")
    assert run_now(others["to_left"]).held == 1
    house.rename(house.left, ANA, first_name="Own")
    assert run_now(others["to_right"]).held == 1
    failure.refresh_from_db()
    assert (failure.waits_to_left, failure.waits_to_right) == (True, True)
    failures.dismiss(failure, actor())
    queued = set(QueuedRead.objects.values_list("flow_id", flat=True))
    assert queued == {house.flows["to_left"].pk, others["to_left"].pk, others["to_right"].pk}


def test_deleting_an_integration_lets_go_on_what_waited_behind_its_failures(
    house: TwoDesks,
) -> None:
    others = second_integration(house)
    for flow in others.values():
        run_now(flow)
    refuse_to_right(house)
    house.rename(house.right, ANA, first_name="Waited")
    assert run_now(others["to_left"]).held == 1
    activation.deactivate(house.integration, actor())
    saving.delete_integration(house.integration)
    assert run_now(others["to_left"]).updated == 1
    assert names(house, "left") == ("Waited", "bad")


def test_an_integration_with_a_lost_reply_stays_while_another_has_the_same_records(
    house: TwoDesks,
) -> None:
    others = second_integration(house)
    sent = {"kind": "create", "source_side": "left", "source_id": "9", "fence": 1}
    intent = Intent.objects.create(
        type_pair=TypePair.objects.get(),
        flow=house.flows["to_right"],
        key="lost",
        sent_at=timezone.now(),
        **sent,
    )
    activation.deactivate(house.integration, actor())
    pair = house.integration.pairs.get()
    with pytest.raises(saving.WritesUnsettledError, match="Other"):
        saving.remove_pair(pair)
    with pytest.raises(saving.WritesUnsettledError, match="Other"):
        saving.delete_integration(house.integration)
    run_now(others["to_right"])  # a run over the same object types settles it
    assert not Intent.objects.filter(pk=intent.pk).exists()
    saving.delete_integration(house.integration)


def test_a_failure_whose_record_was_deleted_closes_by_itself(house: TwoDesks) -> None:
    failure = refuse_to_right(house)
    house.left.run("delete from customers where email = ?", ANA)
    make_due()
    house.run("to_right")
    failure.refresh_from_db()
    assert failure.state == Failure.State.DISMISSED
    assert "no longer exists" in failure.hint


def test_what_is_closed_while_a_run_is_at_work_holds_nothing_back(house: TwoDesks) -> None:
    """A person dismisses the failure between the run's look at it and its commit."""
    from hubconnect.integrations.services import committing  # noqa: PLC0415
    from hubconnect.integrations.services.session import Result  # noqa: PLC0415

    failure = refuse_to_right(house)
    failures.dismiss(failure, actor())

    class Seen:
        flow = house.flow("to_left")
        waits_field = "waits_to_left"

    result = Result(waiting={failure.pk: "1"})
    with transaction.atomic():
        committing._store_waits(Seen(), result)  # type: ignore[arg-type]  # all that it looks at
    assert [one.record_id for one in result.queued] == ["1"]
    failure.refresh_from_db()
    assert not failure.waits_to_left
