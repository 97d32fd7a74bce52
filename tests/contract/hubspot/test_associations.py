"""HubSpot's associations beyond the contract: labels, primary links, paging, calls."""

from typing import Any

import pytest

from hubconnect.connectors.children import Association
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.conftest import connect
from tests.sandbox_process import Sandbox

PLAIN, PRIMARY = "HUBSPOT_DEFINED:279", "HUBSPOT_DEFINED:1"
LABELS = "/crm/v4/associations/contacts/companies/labels"


def contact(account: Sandbox) -> str:
    return account.create("contacts", {"lastname": "Linked"})


def company(account: Sandbox) -> str:
    return account.create("companies", {"name": "Far end"})


def label(account: Sandbox, text: str) -> str:
    """Make a label as an admin of the account; returns the association type's name."""
    body = {"name": text.lower(), "label": text, "inverseLabel": f"{text} of"}
    _, made, _ = account.api("POST", LABELS, body)
    (one,) = [each for each in made["results"] if each["label"] == text]
    return f"{one['category']}:{one['typeId']}"


def held(connector: HubSpotConnector, near: str, *types: str) -> set[tuple[str, str]]:
    found = connector.associating.associations("contacts", [near], types)
    return {(one.type, one.to_id) for one in found[near]}


def test_types_are_named_for_a_person(account: Sandbox, connector: HubSpotConnector) -> None:
    made = label(account, "Reseller")
    types = {one.name: one for one in connector.associating.association_types("contacts")}

    assert types[PLAIN].label == "Company"
    assert types[PRIMARY].label == "Company: Primary"
    assert types[made].label == "Company: Reseller"
    assert (types[PLAIN].is_many, types[PRIMARY].is_many) == (True, False)
    assert {one.to_type for one in types.values()} >= {"companies", "deals", "tickets", "notes"}


def test_types_are_asked_for_once_an_hour(account: Sandbox) -> None:
    with connect(account) as connector:
        connector.associating.association_types("contacts")
        before = connector.calls["schema"]
        connector.associating.association_types("contacts")
        assert connector.calls["schema"] == before


def test_a_label_made_within_the_hour_is_found(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    connector.associating.association_types("contacts")
    made = label(account, "Partner")
    near, far = contact(account), company(account)
    connector.associating.associate("contacts", [Association(near, made, far)])

    assert held(connector, near, made, PLAIN) == {(made, far), (PLAIN, far)}


def test_a_type_that_is_no_more_is_named(account: Sandbox, connector: HubSpotConnector) -> None:
    with pytest.raises(AttentionError, match="USER_DEFINED:987"):
        connector.associating.associations("contacts", [contact(account)], ["USER_DEFINED:987"])


def test_a_new_label_keeps_the_older_ones(account: Sandbox, connector: HubSpotConnector) -> None:
    one, two = label(account, "Buyer"), label(account, "Payer")
    near, far = contact(account), company(account)
    connector.associating.associate("contacts", [Association(near, one, far)])
    connector.associating.associate("contacts", [Association(near, two, far)])

    assert held(connector, near, one, two) == {(one, far), (two, far)}


def test_a_new_primary_takes_the_place_of_the_old(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near, first, second = contact(account), company(account), company(account)
    for far in (first, second):
        connector.associating.associate("contacts", [Association(near, PRIMARY, far)])

    assert held(connector, near, PRIMARY) == {(PRIMARY, second)}
    assert held(connector, near, PLAIN) == {(PLAIN, first), (PLAIN, second)}


def test_ending_one_label_leaves_the_others(account: Sandbox, connector: HubSpotConnector) -> None:
    one, two = label(account, "Tenant"), label(account, "Landlord")
    near, far = contact(account), company(account)
    links = [Association(near, one, far), Association(near, two, far)]
    connector.associating.associate("contacts", links)
    (outcome,) = connector.associating.dissociate("contacts", links[:1])

    assert outcome.id == far
    assert held(connector, near, one, two, PLAIN) == {(two, far), (PLAIN, far)}


def test_ending_the_plain_link_never_takes_a_label_along(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    one = label(account, "Auditor")
    near, far = contact(account), company(account)
    connector.associating.associate("contacts", [Association(near, one, far)])
    (outcome,) = connector.associating.dissociate("contacts", [Association(near, PLAIN, far)])

    assert outcome.error is not None
    assert "Auditor" in outcome.error.message
    assert held(connector, near, one) == {(one, far)}


def test_ending_the_plain_link_ends_a_primary_one(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near, far = contact(account), company(account)
    connector.associating.associate("contacts", [Association(near, PRIMARY, far)])
    (outcome,) = connector.associating.dissociate("contacts", [Association(near, PLAIN, far)])

    assert outcome.id == far
    assert held(connector, near, PLAIN, PRIMARY) == set()


def test_a_missing_end_is_the_error_of_its_link_alone(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near, far = contact(account), company(account)
    good, bad = Association(near, PLAIN, far), Association(near, PLAIN, "987654321")
    outcomes = {one.key: one for one in connector.associating.associate("contacts", [good, bad])}
    error = outcomes[bad.key].error

    assert outcomes[good.key].id == far
    assert error is not None
    assert error.category is Category.TARGET_DELETED


def test_a_record_with_more_links_than_a_page_has_them_all(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    far = company(account)
    near = [contact(account) for _ in range(510)]
    links = [Association(each, PLAIN, far) for each in near]
    outcomes = connector.associating.associate("contacts", links)
    found = connector.associating.associations("companies", [far], ["HUBSPOT_DEFINED:280"])

    assert all(one.id == far for one in outcomes)
    assert {one.to_id for one in found[far]} == set(near)
    assert connector.calls["associations create"] == 1


def test_a_thousand_records_cost_one_call(seeded: Sandbox) -> None:
    with connect(seeded) as connector:
        ids = [str(one["id"]) for one in seeded.list("contacts")][:1000]
        connector.associating.association_types("contacts")
        found = connector.associating.associations("contacts", ids, [PLAIN, PRIMARY])

        assert connector.calls["associations read"] == 1
        assert set(found) == set(ids)
        assert any(found.values())


def test_a_lost_answer_to_an_associate_is_made_good(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near, far = contact(account), company(account)
    connector.associating.association_types("contacts")
    account.fault(path="/crm/associations", method="POST", drop="after", skip=1)
    (outcome,) = connector.associating.associate("contacts", [Association(near, PLAIN, far)])

    assert outcome.id == far
    assert held(connector, near, PLAIN) == {(PLAIN, far)}


def test_an_error_that_names_no_record_leaves_outcomes_open(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near, far = contact(account), company(account)
    connector.associating.association_types("contacts")
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": [],
        "errors": [{"status": "error", "category": "OBJECT_NOT_FOUND", "message": "?"}],
    }
    account.fault(path="/crm/associations", method="POST", status=207, body=body, skip=1)
    (outcome,) = connector.associating.associate("contacts", [Association(near, PLAIN, far)])

    assert outcome.is_unknown


def test_a_primary_link_that_moves_is_not_set_back(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    made = label(account, "Owner")
    near, first, second = contact(account), company(account), company(account)
    connector.associating.associate("contacts", [Association(near, PRIMARY, first)])
    moved = [Association(near, PRIMARY, second), Association(near, made, first)]
    connector.associating.associate("contacts", moved)

    assert held(connector, near, PRIMARY, made) == {(PRIMARY, second), (made, first)}


def test_a_label_next_to_a_primary_link_leaves_it(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    made = label(account, "Tester")
    near, far = contact(account), company(account)
    connector.associating.associate("contacts", [Association(near, PRIMARY, far)])
    connector.associating.associate("contacts", [Association(near, made, far)])

    assert held(connector, near, PRIMARY, made) == {(PRIMARY, far), (made, far)}
