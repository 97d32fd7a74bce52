"""From an empty database to a synced record, through the forms alone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.integrations.models import Flow, Integration, Link, Pair, Run
from hubconnect.integrations.services.execute import run_flow
from hubconnect.mappings.models import Mapping
from hubconnect.systems.models import System
from tests.house import CUSTOMERS, Desk
from tests.pages import submit, text
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hub() -> Iterator[Sandbox]:
    with sandbox() as running:
        running.create(
            "contacts", {"email": "ana@x.example", "firstname": "Ana", "lastname": "Poe"}
        )
        yield running


@pytest.fixture
def desk(tmp_path: Path, settings: Settings) -> Desk:
    settings.SQLITE_DIR = tmp_path
    made = Desk(tmp_path / "desk.sqlite3")
    made.script(CUSTOMERS)
    return made


def add_hubspot(client: Client, hub: Sandbox) -> System:
    submit(
        client,
        reverse("systems:add") + "?connector=hubspot",
        connector="hubspot",
        name="HubSpot",
        api_url=hub.url,
        user_email="rae.poe@example.com",
        auth_type="token",
        access_token=hub.token,
        app_id="https://app.hubspot.com/private-apps/4242/9001",
        action="save",
    )
    return System.objects.get(name="HubSpot")


def add_desk(client: Client, desk: Desk) -> System:
    submit(
        client,
        reverse("systems:add") + "?connector=sql",
        connector="sql",
        name="Order desk",
        database_url=f"sqlite:///{desk.file}",
        modified_column="updated_at",
        time_zone="UTC",
        action="save",
    )
    system = System.objects.get(name="Order desk")
    client.post(reverse("systems:prepare", args=[system.pk]), {"preparation": "ledger"})
    system.refresh_from_db()
    return system


def add_mapping(client: Client, left: System, right: System) -> Mapping:
    submit(
        client,
        reverse("mappings:add"),
        name="Contacts and customers",
        left_system=left.pk,
        right_system=right.pk,
        left_type="contacts",
        right_type="customers",
        act="create",
    )
    mapping = Mapping.objects.get()
    rows = {"rows-TOTAL_FORMS": "3", "rows-INITIAL_FORMS": "3", "act": "save"}
    pairs = (("email", "email"), ("firstname", "first_name"), ("lastname", "last_name"))
    for at, (here, there) in enumerate(pairs):
        rows |= {
            f"rows-{at}-left": here,
            f"rows-{at}-right": there,
            f"rows-{at}-direction": "both",
            f"rows-{at}-when": "both",
            f"rows-{at}-pairs-TOTAL_FORMS": "0",
            f"rows-{at}-pairs-INITIAL_FORMS": "0",
        }
    submit(client, reverse("mappings:edit", args=[mapping.pk]), **rows)
    return mapping


def add_integration(client: Client, left: System, right: System, mapping: Mapping) -> Integration:
    submit(
        client,
        reverse("integrations:create"),
        name="HubSpot and desk",
        left_system=left.pk,
        right_system=right.pk,
    )
    integration = Integration.objects.get()
    added = {"mapping": mapping.pk, "direction": "both"}
    client.post(reverse("integrations:pair_add", args=[integration.pk]), added)
    return integration


def set_up(client: Client, hub: Sandbox, desk: Desk) -> Integration:
    left, right = add_hubspot(client, hub), add_desk(client, desk)
    return add_integration(client, left, right, add_mapping(client, left, right))


def run_all() -> None:
    for flow in Flow.objects.order_by("pk"):
        Flow.objects.filter(pk=flow.pk).update(next_run_at=timezone.now())
        run_flow(flow.pk)


def start_everything(client: Client, **more: str) -> str:
    settings_page = reverse("integrations:pair", args=[Pair.objects.get().pk])
    starts = {"to_right-start": "everything", "to_left-start": "everything"}
    return text(submit(client, settings_page, **(starts | more)))


@pytest.mark.requirement("S51", "S52")
def test_a_record_is_synced_by_hand(sync_admin_client: Client, hub: Sandbox, desk: Desk) -> None:
    client = sync_admin_client
    integration = set_up(client, hub, desk)
    assert System.objects.get(name="HubSpot").parameters["app_id"] == "9001"
    start_everything(client)
    activating = reverse("integrations:activate", args=[integration.pk])
    assert "1" in text(client.get(activating))
    submit(client, activating)
    integration.refresh_from_db()
    assert integration.is_active
    run_all()
    assert desk.customers() == {"ana@x.example": ("Ana", "Poe")}
    assert Link.objects.count() == 1
    assert "Contacts and customers" in text(client.get(reverse("integrations:run_list")))
    run = Run.objects.filter(created=1).get()
    page = text(client.get(reverse("integrations:run_detail", args=[run.pk])))
    assert "Created" in page
    assert "Ana" in page
    for name in ("overview", "list", "failure_list"):
        assert (
            "HubSpot" in text(client.get(reverse(f"integrations:{name}"))) or name == "failure_list"
        )


def test_what_runs_cannot_be_edited(sync_admin_client: Client, hub: Sandbox, desk: Desk) -> None:
    client = sync_admin_client
    integration = set_up(client, hub, desk)
    start_everything(client)
    submit(client, reverse("integrations:activate", args=[integration.pk]))
    refused = client.post(
        reverse("integrations:pair", args=[Pair.objects.get().pk]),
        {"to_right-start": "now", "to_left-start": "now", "to_right-is_enabled": "on"},
        follow=True,
    )
    assert "eactivate" in text(refused)
    assert Flow.objects.filter(start="now").count() == 0


def test_a_start_must_be_chosen(sync_admin_client: Client, hub: Sandbox, desk: Desk) -> None:
    integration = set_up(sync_admin_client, hub, desk)
    refused = submit(sync_admin_client, reverse("integrations:activate", args=[integration.pk]))
    assert "start" in text(refused).lower()
    integration.refresh_from_db()
    assert not integration.is_active


@pytest.mark.parametrize(
    ("criteria", "sentence"),
    [
        ('[{"condition": "EQUALS", ', "line"),
        ('[{"condition": "EQUALS", "field": "emial", "value": "x"}]', "emial"),
        ('[{"condition": "EQUALS", "field": "email", "value": null}]', "NOT_HAS_PROPERTY"),
        (
            "[" + ", ".join(['{"condition": "HAS_PROPERTY", "field": "email"}'] * 4) + "]",
            "at most 3 may be given",
        ),
        ('{"condition": "OR", "criterias": []}', "list"),
    ],
)
def test_bad_criteria_are_refused_where_they_are_typed(
    sync_admin_client: Client, hub: Sandbox, desk: Desk, criteria: str, sentence: str
) -> None:
    set_up(sync_admin_client, hub, desk)
    page = start_everything(sync_admin_client, **{"to_right-criteria": criteria})
    assert "Not saved" in page
    assert re.search(sentence, page, re.IGNORECASE)
    assert not Flow.objects.exclude(criteria=[]).exists()


def test_both_sides_filled_without_lookup_ask_for_the_number(
    sync_admin_client: Client, hub: Sandbox, desk: Desk
) -> None:
    desk.run("insert into customers (email, first_name) values ('cy@x.example', 'Cy')")
    integration = set_up(sync_admin_client, hub, desk)
    start_everything(sync_admin_client)
    activating = reverse("integrations:activate", args=[integration.pk])
    refused = submit(sync_admin_client, activating)
    assert "Type 1 if that is what you want" in text(refused)
    integration.refresh_from_db()
    assert not integration.is_active
    typed = {f"creates_{flow.pk}": "1" for flow in Flow.objects.all()}
    submit(sync_admin_client, activating, **typed)
    integration.refresh_from_db()
    assert integration.is_active


def test_pages_of_a_monitor_change_nothing(
    sync_admin_client: Client, monitor_client: Client, hub: Sandbox, desk: Desk
) -> None:
    integration = set_up(sync_admin_client, hub, desk)
    for name in ("activate", "deactivate", "run_now", "delete", "pair_add"):
        url = reverse(f"integrations:{name}", args=[integration.pk])
        assert monitor_client.post(url).status_code == 403
    detail = reverse("integrations:detail", args=[integration.pk])
    assert hub.token not in text(monitor_client.get(detail))
