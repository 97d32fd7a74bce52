import pytest

from hubconnect.connectors.addresses import NetworkPolicy
from hubconnect.connectors.base import Ability
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from hubconnect.connectors.hubspot.objects import KINDS
from tests.contract.hubspot.conftest import connect
from tests.contract.hubspot.custom_objects import MACHINES, add_machines
from tests.sandbox_process import Sandbox


def test_check_tells_account_user_app_and_scopes(connector: HubSpotConnector) -> None:
    report = connector.check()
    assert report.identity == connector.identity() == "hubspot:4242"
    facts = dict(report.facts)
    assert facts["Account"] == "HubSpot account 4242"
    assert facts["App"] == "9001"
    assert facts["User"].startswith("rae.poe@example.com")
    assert report.remarks == ()
    assert all(each.granted for each in report.grants)
    assert {(each.name, each.read, each.write) for each in report.object_types} == {
        (name, Ability.YES, Ability.YES) for name in KINDS
    }
    # Account, custom objects, token, user; then properties of each type, pipelines of three.
    assert report.calls <= 4 + len(KINDS) + 3


def test_another_app_or_user_is_pointed_out(account: Sandbox) -> None:
    with connect(account, app_id="1234", user_email="someone@example.com") as opened:
        remarks = {remark.parameter: remark for remark in opened.check().remarks}
    assert remarks["app_id"].suggestion == "9001"
    assert remarks["user_email"].suggestion == "rae.poe@example.com"
    assert all(remark.is_error for remark in remarks.values())


def test_missing_scopes_are_told_by_object_type(account: Sandbox) -> None:
    account.add_token("few", scopes=["oauth", "crm.objects.deals.read"])
    with connect(account, access_token="few") as opened:
        report = opened.check()
        types = {each.name: each for each in report.object_types}
        assert (types["deals"].read, types["deals"].write) == (Ability.YES, Ability.NO)
        assert types["contacts"].read is Ability.NO
        assert "crm.objects.contacts.read" in types["contacts"].needed
        missing = {each.name for each in report.grants if not each.granted}
        assert "crm.objects.deals.write" in missing
        assert "User Email could not be checked" in report.remarks[0].message
        with pytest.raises(AttentionError) as caught:
            opened.count("contacts")
    assert caught.value.category is Category.PERMISSION
    assert "crm.objects.contacts.read" in caught.value.missing_scopes


@pytest.mark.requirement("S13", "S16")
def test_custom_objects_are_listed_if_the_token_may_see_them(account: Sandbox) -> None:
    add_machines(account)
    with connect(account) as opened:
        report = opened.check()
        assert report.remarks == ()
        assert {each.name: each.write for each in report.object_types}[MACHINES] is Ability.YES
        assert f"hubconnect_key:{MACHINES}" in {each.name for each in report.preparations}
        listed = {each.name: each for each in opened.object_types()}[MACHINES]
    assert (listed.label, listed.code[:2]) == ("Machines", "2-")
    account.add_token("blind", scopes=["oauth", "crm.objects.deals.read"])
    with connect(account, access_token="blind") as opened:
        report = opened.check()
        assert MACHINES not in {each.name for each in report.object_types}
        assert any("crm.schemas.custom.read" in each.message for each in report.remarks)
        assert MACHINES not in {each.name for each in opened.object_types()}
    account.add_token("half", scopes=["oauth", "crm.schemas.custom.read"])
    with connect(account, access_token="half") as opened:
        (half,) = [each for each in opened.object_types() if each.name == MACHINES]
        assert "crm.objects.custom.read" in half.unreadable


def test_a_token_that_tells_nothing_is_tried_out(account: Sandbox) -> None:
    account.add_token("quiet", scopes=["oauth", "crm.objects.deals.read"])
    account.fault(path="/oauth/v2/private-apps", status=404, body={"status": "error"})
    with connect(account, access_token="quiet") as opened:
        report = opened.check()
    types = {each.name: each for each in report.object_types}
    assert (types["deals"].read, types["deals"].write) == (Ability.YES, Ability.UNKNOWN)
    assert types["contacts"].read is Ability.NO
    assert report.grants == ()
    assert report.remarks


def test_a_token_that_tells_nothing_asks_for_the_application_id(account: Sandbox) -> None:
    account.add_token("quiet", scopes=["oauth"])
    account.fault(path="/oauth/v2/private-apps", status=404, body={"status": "error"})
    with connect(account, access_token="quiet", app_id="") as opened:
        remarks = {remark.parameter: remark for remark in opened.check().remarks}
    assert "unless it is a service key" in remarks["app_id"].message
    assert not remarks["app_id"].is_error


def test_an_account_that_may_not_be_seen_is_known_by_its_token(account: Sandbox) -> None:
    account.add_token("narrow", scopes=["crm.objects.deals.read"])
    with connect(account, access_token="narrow") as opened:
        assert opened.identity() == "hubspot:4242"


def test_preparing_makes_the_key_once(account: Sandbox) -> None:
    with connect(account) as opened:
        before = {each.name: each for each in opened.check().preparations}
        assert not before["hubconnect_key:deals"].is_done
        assert '"hasUniqueValue": true' in before["hubconnect_key:deals"].statement
        assert opened.settles_with("deals")
        opened.prepare("hubconnect_key:deals")
        opened.prepare("hubconnect_key:deals")
        assert opened.settles_with("deals") == ""
        assert {e.name for e in opened.check().preparations if e.is_done} == {
            "hubconnect_key:deals"
        }
        with pytest.raises(LookupError):
            opened.prepare("drop everything")


def test_a_wrong_token_points_at_the_token(account: Sandbox) -> None:
    with connect(account, access_token="wrong") as opened, pytest.raises(AttentionError) as caught:
        opened.check()
    assert caught.value.parameter == "access_token"
    assert "wrong" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("path", ["/nowhere", "/sandbox/api"])
def test_what_is_no_hubspot_api_points_at_the_address(account: Sandbox, path: str) -> None:
    with (
        connect(account, api_url=account.url + path) as opened,
        pytest.raises(AttentionError) as caught,
    ):
        opened.check()
    assert caught.value.parameter == "api_url"


def test_an_address_where_nobody_answers_points_at_the_address(account: Sandbox) -> None:
    with (
        connect(account, api_url="http://127.0.0.1:9") as opened,
        pytest.raises(AttentionError) as caught,
    ):
        opened.check()
    assert caught.value.parameter == "api_url"


def test_an_address_that_is_not_allowed_is_refused(account: Sandbox) -> None:
    with (
        connect(account, policy=NetworkPolicy()) as opened,
        pytest.raises(AttentionError) as caught,
    ):
        opened.check()
    assert caught.value.parameter == "api_url"
    assert "ALLOWED_PRIVATE_ADDRESSES" in caught.value.hint


def test_oauth_without_a_connected_app_points_at_the_code(account: Sandbox) -> None:
    with connect(account, auth_type="oauth") as opened, pytest.raises(AttentionError) as caught:
        opened.check()
    assert caught.value.parameter == "authorization_code"
