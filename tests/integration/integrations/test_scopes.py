"""Scopes that flows need: counted from what they do, refused when missing, healed when back."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.core.models import User
from hubconnect.integrations.models import Failure, Flow
from hubconnect.integrations.services import scopes
from hubconnect.integrations.services.activation import ActivationRefusedError
from hubconnect.mappings.models import Carried, Mapping
from hubconnect.systems.models import System
from hubconnect.systems.services import checking, consent, needs, signing_in
from tests.house import House, furnish
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

READ, WRITE = "crm.objects.contacts.read", "crm.objects.contacts.write"


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    cache.clear()
    hub.create("contacts", {"email": "ana@x.example", "firstname": "Ana", "lastname": "Poe"})
    return furnish(hub, tmp_path / "desk.sqlite3")


def needed(system: System) -> set[str]:
    found = needs.needs_of("hubspot", system)
    return {need.scopes[0] for need in found if not need.is_optional}


@pytest.mark.requirement("S10", "S13", "S16", "S113", "S114")
def test_needs_come_from_what_the_flows_do(house: House) -> None:
    assert needed(house.hubspot) == {READ, WRITE}
    Flow.objects.filter(pk=house.to_hub.pk).update(is_enabled=False)
    assert needed(house.hubspot) == {READ}
    assert needs.needs_of("sql", house.order_desk) == ()


@pytest.mark.requirement("S15", "S17")
def test_comments_and_files_need_more(house: House) -> None:
    Mapping.objects.update(files=Carried.BOTH, comments=Carried.BOTH)
    found = needs.needs_of("hubspot", house.hubspot)
    by_guide = {need.known_as or need.scopes[0] for need in found if not need.is_optional}
    assert {"crm.objects.notes.read", "crm.objects.notes.write", "files"} <= by_guide


@pytest.mark.requirement("S12", "S110", "S111")
def test_activating_without_a_scope_is_refused_naming_it(house: House, hub: Sandbox) -> None:
    hub.add_token(hub.token, scopes=["oauth", READ])
    with pytest.raises(ActivationRefusedError) as caught:
        house.activate()
    assert [one for one in caught.value.problems if WRITE in one and "HubSpot lacks" in one]
    house.integration.refresh_from_db()
    assert not house.integration.is_active
    hub.add_token(hub.token)
    house.activate()
    assert house.integration.is_active


@pytest.mark.requirement("S12", "S112")
@pytest.mark.parametrize(
    ("direction", "kept", "lacking"), [("to_right", ["oauth"], READ), ("to_left", [READ], WRITE)]
)
def test_scope_taken_away_is_one_failure_of_the_flow_and_heals_once_it_is_back(
    house: House, hub: Sandbox, direction: str, kept: list[str], lacking: str
) -> None:
    house.activate()
    house.sync()
    house.sync()
    hub.create("contacts", {"email": "ben@x.example"})
    house.desk.run("insert into customers (email, first_name) values ('cy@x.example', 'Cy')")
    hub.add_token(hub.token, scopes=["oauth", "crm.schemas.contacts.read", *kept])
    for _ in range(3):
        house.run(direction)
    (failure,) = house.open_failures()
    assert (failure.level, failure.category) == (Failure.Level.FLOW, Category.PERMISSION)
    assert lacking in failure.message
    hub.add_token(hub.token)
    everybody = {"ana@x.example", "ben@x.example", "cy@x.example"}
    house.sync_until(lambda: everybody <= set(house.contacts()) & set(house.desk.customers()))
    assert house.open_failures() == []


@pytest.mark.requirement("S11", "S110")
def test_system_page_marks_granted_and_missing_under_both_names(
    house: House, hub: Sandbox, sync_admin_client: Client
) -> None:
    Mapping.objects.update(comments=Carried.BOTH)
    hub.add_token(hub.token, scopes=["oauth", READ])
    cache.clear()
    checking.check_system(house.hubspot)
    page = sync_admin_client.get(f"/systems/{house.hubspot.pk}/").content.decode()
    assert "1 scope missing" in page
    assert "in guides crm.objects.notes.write" in page
    assert "Copy scope list" in page
    assert "<code>crm.objects.deals.read</code>" not in page, "no flow needs it"


def test_uses_follow_the_direction(house: House) -> None:
    uses = scopes.uses_of(house.hubspot)
    assert {(use.reads, use.writes) for use in uses} == {(True, False), (False, True)}


def test_sign_in_that_is_lost_is_one_failure_of_the_flow_and_heals_after_reconnecting(
    house: House, hub: Sandbox
) -> None:
    app = {"client_secret": "hush-hush", "app_id": 9301, "redirect_uris": [consent.redirect_uri()]}
    hub.add_app("app-one", **app)
    system = house.hubspot
    system.parameters |= {"auth_type": "oauth", "client_id": "app-one", "app_id": "9301"}
    system.secrets = {"client_secret": "hush-hush"}
    system.save()
    connect(hub, system)
    house.activate()
    house.sync()
    hub.change_app("app-one", uninstall=True)
    for _ in range(2):
        house.run("to_right")
    (failure,) = house.open_failures()
    assert (failure.level, failure.category) == (Failure.Level.FLOW, Category.AUTHENTICATION)
    assert "Press Reconnect" in failure.hint
    system.refresh_from_db()
    assert system.state == System.State.RECONNECT
    connect(hub, system)
    hub.create("contacts", {"email": "ben@x.example"})
    house.sync_until(lambda: "ben@x.example" in house.desk.customers())
    assert house.open_failures() == []


def connect(hub: Sandbox, system: System) -> None:
    """Let the system's app in, with the scopes that its flows need."""
    app = signing_in.app_of(system)
    address = hub.consent(signing_in.invite(app, "s", "hubspot", system))
    code = parse_qs(urlsplit(address).query)["code"][0]
    actor, _ = User.objects.get_or_create(username="connector")
    signing_in.reconnect(system, signing_in.exchange(app, code), actor)
    app.close()
