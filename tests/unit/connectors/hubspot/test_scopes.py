"""Which scopes HubSpot uses need."""

import pytest

from hubconnect.connectors.grants import build_grants
from hubconnect.connectors.hubspot.scopes import build_needs
from hubconnect.connectors.needs import Use


def needed(*uses: Use) -> list[str]:
    return [need.scopes[0] for need in build_needs(uses) if not need.is_optional]


@pytest.mark.requirement("S13", "S14", "S16")
@pytest.mark.parametrize("name", ["deals", "contacts", "companies", "orders"])
def test_reading_and_writing_need_the_scopes_of_the_type(name: str) -> None:
    assert needed(Use(object_type=name, reads=True)) == [f"crm.objects.{name}.read"]
    both = [f"crm.objects.{name}.read", f"crm.objects.{name}.write"]
    assert needed(Use(object_type=name, writes=True)) == both


@pytest.mark.requirement("S15")
def test_links_need_the_scopes_of_the_other_end() -> None:
    use = Use(object_type="deals", reads=True, associated=("tickets", "contacts"))
    found = {need.known_as or need.scopes[0] for need in build_needs([use]) if not need.is_optional}
    assert {"crm.objects.tickets.read", "crm.objects.contacts.read"} <= found


@pytest.mark.requirement("S17", "S18")
def test_files_need_notes_and_files() -> None:
    use = Use(object_type="deals", reads=True, writes=True, has_attachments=True)
    needs = {need.known_as or need.scopes[0]: need for need in build_needs([use])}
    assert {"crm.objects.notes.read", "crm.objects.notes.write", "files"} <= set(needs)
    assert needs["crm.objects.notes.read"].scopes[0] == "crm.objects.contacts.read"
    assert needs["files"].is_met({"files.write"})


@pytest.mark.parametrize(
    ("granted", "is_met"),
    [
        ({"tickets"}, True),
        ({"crm.objects.tickets.read"}, True),
        ({"crm.objects.deals.read"}, False),
    ],
)
def test_either_name_will_do(granted: set[str], is_met: bool) -> None:  # noqa: FBT001 - a parameter
    needs = build_needs([Use(object_type="tickets", reads=True)])
    assert all(need.is_met(granted) for need in needs if not need.is_optional) is is_met


def test_name_of_notes_alone_does_not_let_contacts_be_read() -> None:
    uses = [Use(object_type="contacts", reads=True), Use(object_type="notes", reads=True)]
    unmet = [need for need in build_needs(uses) if not need.is_met({"crm.objects.notes.read"})]
    assert [need.acts for need in unmet if not need.is_optional] == [(("read", "contacts"),)]


def test_custom_objects_need_their_own_scopes() -> None:
    found = needed(Use(object_type="p4242_machines", writes=True))
    assert {"crm.objects.custom.read", "crm.objects.custom.write"} <= set(found)


def test_grants_tell_needed_missing_and_other_scopes() -> None:
    needs = build_needs([Use(object_type="deals", writes=True)])
    grants = {one.name: one for one in build_grants({"crm.objects.deals.read", "oauth"}, needs)}
    assert grants["crm.objects.deals.read"].granted
    assert grants["crm.objects.deals.write"].is_missing
    assert not grants["crm.objects.owners.read"].is_missing, "it is optional"
    assert grants["oauth"].purpose == ""
