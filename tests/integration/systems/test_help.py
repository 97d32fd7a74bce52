"""The Help section: its frame, the addresses in it, and the fields that lead to it."""

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hubconnect.connectors.base import CheckReport
from hubconnect.connectors.hubspot.objects import KINDS
from hubconnect.connectors.registry import connectors
from hubconnect.core.helping import TOPICS, find_topic
from hubconnect.systems.models import System
from hubconnect.systems.services.reports import to_plain
from tests.factories.systems import SystemFactory
from tests.pages import text

pytestmark = pytest.mark.django_db

EU = "https://app-eu1.hubspot.com"


def words(client: Client, slug: str, query: str = "") -> str:
    """Return what a reader reads in a guide, in one line."""
    page = text(client.get(reverse("help:topic", args=[slug]) + query))
    found = re.search(r'<article class="stack">(.*)</article>', page, re.DOTALL)
    assert found
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", found[1])).split())


def links(client: Client, slug: str, query: str = "") -> set[str]:
    """Return where a guide leads."""
    page = text(client.get(reverse("help:topic", args=[slug]) + query))
    return {html.unescape(one) for one in re.findall(r'href="([^"#]+)"', page)}


def report_of(portal: str, base: str) -> dict[str, object]:
    found = CheckReport(
        identity=f"hubspot:{portal}", identity_label="", facts=(("Opened at", base),)
    )
    nothing = timedelta(0)
    return to_plain(found, at=timezone.now(), took=nothing, calls=1, clock_ahead=nothing)


def hubspot(name: str, portal: str, base: str) -> System:
    made: System = SystemFactory.create(
        name=name,
        connector="hubspot",
        parameters={"api_url": "https://api.hubapi.com", "auth_type": "token"},
        identity=f"hubspot:{portal}",
        report=report_of(portal, base) if base else None,
    )
    return made


@pytest.mark.parametrize("topic", TOPICS, ids=lambda one: one.slug)
def test_every_guide_opens_and_stands_in_the_index(monitor_client: Client, topic: object) -> None:
    slug = getattr(topic, "slug", "")
    assert len(words(monitor_client, slug)) > 300
    assert reverse("help:topic", args=[slug]) in text(monitor_client.get(reverse("help:index")))


def test_guides_are_for_those_who_signed_in(client: Client) -> None:
    for url in (reverse("help:index"), reverse("help:topic", args=["hubspot-user"])):
        assert client.get(url).status_code == 302


def test_unknown_guide_is_not_found(monitor_client: Client) -> None:
    assert monitor_client.get("/help/nonsense/").status_code == 404


def test_links_between_guides_and_pages_lead_somewhere(sync_admin_client: Client) -> None:
    hubspot("Main", "4242", EU)
    inner = {
        one
        for topic in TOPICS
        for one in links(sync_admin_client, topic.slug)
        if one.startswith("/") and not one.startswith("/static/")
    }
    assert len(inner) > len(TOPICS)
    for url in inner:
        assert sync_admin_client.get(url).status_code == 200, url


@pytest.mark.requirement("S34", "S11", "S29")
def test_every_field_of_a_connector_leads_to_a_guide_that_exists(
    sync_admin_client: Client,
) -> None:
    topics = [one.help_topic for each in connectors().values() for one in each.parameters]
    assert all(find_topic(slug) for slug in topics if slug)
    page = text(sync_admin_client.get(reverse("systems:add") + "?connector=hubspot"))
    for one in connectors()["hubspot"].parameters:
        assert one.help_topic
        assert f'href="{reverse("help:topic", args=[one.help_topic])}"' in page
    assert "/help/hubspot-scopes/" in links(sync_admin_client, "hubspot-prerequisites")


def test_a_field_of_a_saved_system_leads_to_the_guide_with_its_addresses(
    sync_admin_client: Client,
) -> None:
    system = hubspot("Main", "4242", EU)
    page = text(sync_admin_client.get(reverse("systems:edit", args=[system.pk])))
    assert f"/help/hubspot-app-id/?system={system.pk}" in page


def test_addresses_are_those_of_the_only_account(monitor_client: Client) -> None:
    hubspot("Main", "4242", EU)
    assert f"{EU}/private-apps/4242" in links(monitor_client, "hubspot-private-app")
    assert f"{EU}/settings/4242/users" in links(monitor_client, "hubspot-user")
    assert "account 4242" in words(monitor_client, "hubspot-user")


def test_one_of_several_accounts_is_chosen(monitor_client: Client) -> None:
    hubspot("Main", "4242", EU)
    other = hubspot("Other", "5151", "")
    assert not any("hubspot.com/private-apps" in one for one in _outside(monitor_client, ""))
    found = _outside(monitor_client, f"?system={other.pk}")
    assert "https://app.hubspot.com/private-apps/5151" in found
    # The choice goes along to the next guide.
    assert f"/help/hubspot-user/?system={other.pk}" in links(
        monitor_client, "hubspot-private-app", f"?system={other.pk}"
    )
    for nonsense in ("?system=x", "?system=999"):
        assert "4242" not in words(monitor_client, "hubspot-private-app", nonsense)


def _outside(client: Client, query: str) -> set[str]:
    return links(client, "hubspot-private-app", query)


def test_systems_never_checked_and_of_other_kinds_are_left_out(monitor_client: Client) -> None:
    SystemFactory.create(name="Desk", connector="sql", identity="sql:1")
    hubspot("Fresh", "", "")
    assert "Once a HubSpot system was checked" in words(monitor_client, "hubspot-user")


@pytest.mark.requirement("S4")
def test_scopes_guide_names_a_scope_of_every_object_type(monitor_client: Client) -> None:
    told = words(monitor_client, "hubspot-scopes")
    for kind in KINDS.values():
        assert any(scope in told for scope in kind.read_scopes), kind.name
        assert any(scope in told for scope in kind.write_scopes), kind.name
