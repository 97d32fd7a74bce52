from pathlib import Path

from hubconnect.connectors.base import Capability, Draft, NewAssociation
from hubconnect.connectors.sql.connector import SQLConnector
from hubconnect.integrations.management.order_desk import PARAMETERS, make_order_desk
from tests.unit.connectors.sql.conftest import context_of


def test_the_demos_order_desk_holds_comments_files_and_links(tmp_path: Path) -> None:
    make_order_desk(tmp_path / "desk.sqlite3")
    settings = {"database_url": "sqlite:///desk.sqlite3", **PARAMETERS}
    connector = SQLConnector(settings, context_of(tmp_path))
    connector.prepare("ledger")
    found = {one.name: one.capabilities for one in connector.object_types()}
    children = {Capability.COMMENTS, Capability.ATTACHMENTS, Capability.ASSOCIATIONS}
    links = (NewAssociation("column:customer_id", "1"),)
    (order,) = connector.create("orders", [Draft("k", {"title": "Tea"}, links)])
    comments = connector.commenting.comment_ids("customers", ["1", "2", "9"])

    assert children <= found["customers"] & found["orders"]
    assert not connector.check().remarks
    assert order.error is None
    assert [len(ids) for ids in comments.values()] == [1, 1, 0]
    assert len(connector.attaching.holder_ids("customers", ["2"])["2"]) == 1
    connector.close()
