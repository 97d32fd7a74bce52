"""Ids that are none: typed by somebody, or written into a property by another app."""

import pytest

from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.test_attachments import contact, files_of
from tests.sandbox_process import Sandbox


@pytest.mark.parametrize("odd", ["abc", "../contacts/{}", "{}?archived=true", "{}/", "", "9" * 40])
def test_an_id_that_is_none_finds_no_record(
    account: Sandbox, connector: HubSpotConnector, odd: str
) -> None:
    near = contact(account)
    found = connector.read("contacts", [near, odd.format(near)], ["lastname"])

    assert set(found) == {near}


@pytest.mark.parametrize("odd", ["abc", "../../../crm/objects/2026-03/contacts/{}", "1?x=", "²"])
def test_an_attachment_that_is_none_keeps_no_other_from_being_read(
    account: Sandbox, connector: HubSpotConnector, odd: str
) -> None:
    near, file = contact(account), account.add_file(b"x", "one.txt")
    ids = [odd.format(near), str(file["id"])]
    account.add_note("x", ("contacts", near), files=ids)

    assert [each.id for each in files_of(connector, near)] == [ids[1]]
