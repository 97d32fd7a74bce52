"""The audit page: who changed what and when, before and after."""

import csv
import io
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from hubconnect.core.models import Role, User
from hubconnect.integrations.models import Integration
from hubconnect.systems.models import System
from tests.factories.systems import SystemFactory


def edit(client: Client, person: User, **changed: str) -> None:
    data = {"username": person.username, "role": person.role, "time_zone": "UTC"}
    client.post(reverse("core:user_edit", args=[person.pk]), {**data, "is_active": "on", **changed})


def page(client: Client, **query: Any) -> str:
    answer = client.get(reverse("core:audit_list"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_change_is_shown_with_who_made_it_and_both_values(
    admin_client: Client, monitor: User
) -> None:
    edit(admin_client, monitor, role="sync_admin")
    text = page(admin_client, action=LogEntry.Action.UPDATE)
    assert "<del>Monitor</del>" in text
    assert "<ins>Sync Admin</ins>" in text
    assert f'href="{reverse("core:user_edit", args=[monitor.pk])}"' in text


def test_everybody_who_signs_in_may_read_it(monitor_client: Client, client: Client) -> None:
    assert page(monitor_client)
    assert client.get(reverse("core:audit_list")).status_code == 302
    assert client.get(reverse("core:audit_csv")).status_code == 302


def test_secrets_are_masked_on_the_page_and_in_the_file(admin_client: Client) -> None:
    system = System.objects.create(
        name="Desk", connector="sql", parameters={"table": "a"}, secrets={"password": "plum-tart"}
    )
    system.secrets = {"password": "apple-pie"}
    system.save()
    exported = b"".join(admin_client.get(reverse("core:audit_csv"))).decode()
    for text in (page(admin_client), exported):
        assert "changed, not shown" in text
        assert "plum-tart" not in text
        assert "apple-pie" not in text


def test_a_parameter_is_named_and_the_others_left_out(admin_client: Client) -> None:
    system = System.objects.create(
        name="Desk", connector="sql", parameters={"time_zone": "UTC", "schema": "public"}
    )
    system.parameters = {"time_zone": "Europe/Berlin", "schema": "public"}
    system.save()
    text = page(admin_client, action=LogEntry.Action.UPDATE)
    assert "Parameters: time_zone:" in text
    assert "<ins>Europe/Berlin</ins>" in text
    assert "public" not in text


def test_names_stand_for_the_objects_a_change_leads_to(admin_client: Client) -> None:
    left, right = SystemFactory.create(name="North"), SystemFactory.create(name="South")
    Integration.objects.create(name="Both", left_system=left, right_system=right)
    text = page(admin_client, q="Both")
    assert "<ins>North</ins>" in text
    assert "<ins>South</ins>" in text


def test_filters_narrow_the_list(admin_client: Client, admin: User, monitor: User) -> None:
    edit(admin_client, monitor, first_name="Mona")
    System.objects.create(name="Desk", connector="sql")
    assert "<ins>Mona" in page(admin_client, actor=admin.pk)
    assert "Desk" not in page(admin_client, actor=admin.pk)
    assert "Desk" in page(admin_client, q="desk")
    assert "<ins>Mona" not in page(admin_client, q="desk")
    assert "No entry fits" in page(admin_client, q="nothing like it")


@pytest.mark.parametrize("query", ["actor=x", "kind=0", "action=99", "time=x", "older=x", "q=%00"])
def test_odd_addresses_still_give_a_page(admin_client: Client, query: str) -> None:
    assert admin_client.get(f"{reverse('core:audit_list')}?{query}").status_code == 200
    assert admin_client.get(f"{reverse('core:audit_csv')}?{query}").status_code == 200


def test_the_file_has_a_row_for_each_field_and_runs_no_formula(
    admin_client: Client, monitor: User
) -> None:
    edit(admin_client, monitor, first_name="=1+1", last_name="Poe")
    answer = admin_client.get(reverse("core:audit_csv"), {"action": LogEntry.Action.UPDATE})
    text = b"".join(answer).decode().removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["Field"]: row["After"] for row in rows} == {
        "First name": "'=1+1",
        "Last name": "Poe",
    }
    assert {row["Who"] for row in rows} == {"admin"}


def test_the_number_of_queries_does_not_grow_with_the_entries(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    page(admin_client)
    left, right = SystemFactory.create(), SystemFactory.create()

    def add(number: int) -> None:
        for each in range(number):
            Integration.objects.create(
                name=f"{Integration.objects.count()} {each}", left_system=left, right_system=right
            )

    add(2)
    with CaptureQueriesContext(connection) as few:
        page(admin_client)
    add(20)
    with django_assert_num_queries(len(few)):
        page(admin_client)


def test_an_address_that_anybody_may_have_sent_is_not_kept(
    admin_client: Client, monitor: User, settings: Settings
) -> None:
    forged = {"X-Forwarded-For": "10.9.9.9, 203.0.113.5"}
    url = reverse("core:user_edit", args=[monitor.pk])
    data = {"username": "monitor", "role": Role.MONITOR, "time_zone": "UTC", "is_active": "on"}
    admin_client.post(url, {**data, "first_name": "A"}, headers=forged)
    assert LogEntry.objects.get_for_object(monitor).latest().remote_addr == "127.0.0.1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    admin_client.post(url, {**data, "first_name": "B"}, headers=forged)
    assert LogEntry.objects.get_for_object(monitor).latest().remote_addr == "203.0.113.5"
    admin_client.post(url, {**data, "first_name": "C"}, headers={"X-Forwarded-For": "no address"})
    assert LogEntry.objects.get_for_object(monitor).latest().remote_addr is None
