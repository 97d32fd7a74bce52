import http.client
import re
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.sandbox_process import Sandbox, sandbox

CONTACTS = "/crm/v3/objects/contacts"


def browse(
    hub: Sandbox,
    path: str,
    form: dict[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str, str]:
    """Ask for a page as a browser; returns status, text and where it leads."""
    connection = http.client.HTTPConnection(hub.url.removeprefix("http://"), timeout=30)
    try:
        body = None if form is None else urllib.parse.urlencode(form)
        sent = dict(headers or {})
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if form is None else "POST", path, body, sent)
        response = connection.getresponse()
        return response.status, response.read().decode(), response.getheader("Location") or ""
    finally:
        connection.close()


def test_pages_show_records_and_find_them(seeded: Sandbox) -> None:
    assert "320" in browse(seeded, "/")[1]
    _, text, _ = browse(seeded, "/sandbox/records/deals")
    assert text.count("/sandbox/records/deals/1") == 100  # number and name of fifty deals
    _, text, _ = browse(seeded, "/sandbox/records/contacts?q=%25")
    assert "0 records" in text


def test_edit_on_the_page_counts_as_one_by_a_person(hub: Sandbox) -> None:
    record = hub.create("deals", {"dealname": "Before", "dealstage": "contractsent"})
    path = f"/sandbox/records/deals/{record}"
    status, _, where = browse(hub, path, {"dealname": "<After>", "amount": "5"})
    assert (status, where) == (303, f"{path}?saved=1")
    _, text, _ = browse(hub, where)
    assert "Saved." in text
    assert "&lt;After&gt;" in text
    _, read, _ = hub.api("GET", f"/crm/v3/objects/deals/{record}?propertiesWithHistory=dealname")
    newest = read["propertiesWithHistory"]["dealname"][0]
    assert (newest["sourceType"], newest["sourceId"]) == ("CRM_UI", "userId:77")


def test_wrong_value_on_the_page_is_told_at_its_field(hub: Sandbox) -> None:
    record = hub.create("deals", {"dealname": "Same", "dealstage": "contractsent"})
    status, text, _ = browse(hub, f"/sandbox/records/deals/{record}", {"amount": "abc"})
    assert status == 400
    assert re.search(r'value="abc"><p class="fault">abc was not a valid number', text)


def test_record_is_made_and_deleted_on_the_page(hub: Sandbox) -> None:
    status, _, where = browse(hub, "/sandbox/records/companies/new", {"name": "Paper & Co"})
    assert status == 303
    path = where.partition("?")[0]
    assert browse(hub, f"{path}/archive", {})[0] == 303
    assert browse(hub, path)[0] == 404


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}]
)
def test_foreign_pages_are_refused(hub: Sandbox, headers: dict[str, str]) -> None:
    assert browse(hub, "/sandbox/", headers=headers)[0] == 403
    assert browse(hub, "/sandbox/records/companies/new", {"name": "X"}, headers)[0] == 403


def test_update_can_come_from_another_app(hub: Sandbox) -> None:
    record = hub.create("contacts", {"firstname": "A"})
    hub.update("contacts", record, {"city": "Rome"}, {"type": "INTEGRATION", "id": "5555"})
    _, read, _ = hub.api("GET", f"{CONTACTS}/{record}?propertiesWithHistory=city")
    assert read["propertiesWithHistory"]["city"][0]["sourceId"] == "5555"


def test_fault_answers_in_place_of_the_call(hub: Sandbox) -> None:
    hub.fault(path=CONTACTS, status=477, headers={"Retry-After": "30"}, times=2, skip=1)
    assert [hub.api("GET", CONTACTS)[0] for _ in range(4)] == [200, 477, 477, 200]
    hub.fault(path=CONTACTS, method="POST", status=502, body="<html>Bad gateway</html>")
    assert hub.api("GET", CONTACTS)[0] == 200
    status, text, headers = hub.api("POST", CONTACTS, {"properties": {"firstname": "A"}})
    assert (status, text) == (502, "<html>Bad gateway</html>")
    assert headers["Content-Type"].startswith("text/html")


def test_connection_can_drop_before_or_after_the_call_was_carried_out() -> None:
    with sandbox() as crm:
        for moment, expected in (("before", 0), ("after", 1)):
            crm.fault(path=CONTACTS, drop=moment)
            with pytest.raises(http.client.RemoteDisconnected):
                crm.api("POST", CONTACTS, {"properties": {"firstname": moment}})
            assert len(crm.list("contacts")) == expected


def test_faults_can_be_switched_off(hub: Sandbox) -> None:
    hub.fault(path=CONTACTS, status=500)
    hub.clear_faults()
    assert hub.api("GET", CONTACTS)[0] == 200


def test_unknown_member_of_a_fault_is_refused(hub: Sandbox) -> None:
    with pytest.raises(AssertionError, match="400"):
        hub.fault(colour="red")


def test_second_start_goes_on_with_the_data(tmp_path: Path) -> None:
    database = tmp_path / "hub.sqlite3"
    with sandbox(database, contacts=3) as first:
        first.create("contacts", {"firstname": "Fourth"})
    assert first.process.returncode == 0
    with sandbox(database, contacts=99) as second:
        assert len(second.list("contacts")) == 4


def test_same_seed_makes_the_same_people() -> None:
    emails = []
    for _ in range(2):
        with sandbox(contacts=5, companies=2, seed=7) as crm:
            emails.append([one["properties"]["email"] for one in crm.list("contacts", "email")])
    assert emails[0] == emails[1]


def test_seeded_account_is_linked_and_large_enough(seeded: Sandbox) -> None:
    assert seeded.statistics()["records"] == {
        "contacts": 320,
        "companies": 60,
        "deals": 120,
        "tickets": 80,
    }
    _, deal, _ = seeded.api("GET", "/crm/v3/objects/deals/1001?associations=contacts,companies")
    assert set(deal["associations"]) == {"contacts", "companies"}
    _, company, _ = seeded.api("GET", "/crm/v3/objects/companies/1001?associations=contacts")
    assert len(company["associations"]["contacts"]["results"]) == 12


def test_the_address_of_a_record_leads_to_its_page(hub: Sandbox) -> None:
    record_id = hub.create("deals", {"dealname": "Chairs", "dealstage": "closedwon"})
    status, _, where = browse(hub, f"/contacts/4242/record/0-3/{record_id}")
    assert status == 302
    assert "Chairs" in browse(hub, where)[1]
