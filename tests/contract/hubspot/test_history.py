"""Which values properties had before, and whether we wrote them."""

import pytest

from hubconnect.connectors.base import Patch
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from hubconnect.connectors.hubspot.remembering import BATCH
from tests.sandbox_process import Sandbox


def test_earlier_values_come_newest_first_with_who_wrote_them(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    record_id = account.create("companies", {"name": "Chairs", "annualrevenue": "10"})
    connector.update("companies", [Patch("k", record_id, {"name": "Tables"})])
    account.update("companies", record_id, {"name": "Lamps"})
    told = connector.remembering.history("companies", [record_id], ["name", "annualrevenue"])
    names = told[record_id]["name"]
    assert [one.value for one in names] == ["Lamps", "Tables", "Chairs"]
    assert [one.is_ours for one in names] == [False, True, False]
    assert names[0].at >= names[1].at >= names[2].at
    (revenue,) = told[record_id]["annualrevenue"]
    assert revenue.value == 10


def test_fifty_records_cost_one_call(account: Sandbox, connector: HubSpotConnector) -> None:
    ids = [account.create("companies", {"name": f"C{at}"}) for at in range(BATCH + 1)]
    told = connector.remembering.history("companies", [*ids, "999999", "no id"], ["name"])
    assert set(told) == set(ids)
    assert connector.calls["history"] == 2


@pytest.mark.parametrize("value", ["", None])
def test_an_emptied_value_is_none(
    account: Sandbox, connector: HubSpotConnector, value: str | None
) -> None:
    record_id = account.create("companies", {"name": "Chairs", "city": "Ulm"})
    account.update("companies", record_id, {"city": value or ""})
    told = connector.remembering.history("companies", [record_id], ["city"])
    assert [one.value for one in told[record_id]["city"]] == [None, "Ulm"]
