"""Reading by an id from before a merge: a batch read does not know it, a single read does."""

import json
from datetime import timedelta
from typing import Any

from hubconnect.connectors.addresses import NetworkPolicy
from hubconnect.connectors.base import Context, Patch
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from hubconnect.connectors.limits import MemoryRateLimiter
from hubconnect.connectors.parameters import Secret
from tests.unit.connectors.scripted_server import Reply, Server, serving

SCHEMA = {
    "results": [
        {"name": "lastname", "label": "Last name", "type": "string", "fieldType": "text"},
        {"name": "hs_merged_object_ids", "type": "enumeration", "fieldType": "checkbox"},
    ]
}


def contact(record_id: str, merged: str | None = None) -> dict[str, Any]:
    return {
        "id": record_id,
        "properties": {"lastname": "Poe", "hs_merged_object_ids": merged},
        "createdAt": "2026-01-05T09:12:44.120Z",
        "updatedAt": "2026-01-05T09:12:44.120Z",
    }


def reply(data: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(data).encode())


def connect(server: Server) -> HubSpotConnector:
    context = Context(
        limiter=MemoryRateLimiter(),
        addresses=NetworkPolicy(["127.0.0.1"]),
        request_timeout=timedelta(seconds=5),
    )
    token = Secret("pat-1")
    settings: dict[str, str | Secret] = {
        "api_url": server.url,
        "auth_type": "token",
        "access_token": token,
    }
    return HubSpotConnector(settings, context)


def test_a_former_id_leads_to_the_survivor() -> None:
    with serving(
        reply(SCHEMA),
        reply({"results": [contact("3")], "errors": []}, 207),
        reply(contact("9", "1;2")),
        reply({"status": "error", "category": "OBJECT_NOT_FOUND"}, 404),
        reply({"results": [contact("9", "1;2")]}),
    ) as server:
        connector = connect(server)
        found = connector.read("contacts", ["1", "2", "3"], ["lastname"])
        connector.close()
    assert {asked: record.id for asked, record in found.items()} == {"1": "9", "3": "3"}
    assert found["1"].former_ids == ("1", "2")
    assert dict(connector.calls) == {"schema": 1, "batch read": 2, "read": 2}


def test_a_batch_read_that_gives_the_survivor_itself_will_do() -> None:
    with serving(reply(SCHEMA), reply({"results": [contact("9", "1;2")]})) as server:
        connector = connect(server)
        found = connector.read("contacts", ["1", "2"], ["lastname"])
        connector.close()
    assert {asked: record.id for asked, record in found.items()} == {"1": "9", "2": "9"}


def test_an_update_that_vanishes_from_the_answer_is_unknown() -> None:
    with serving(reply(SCHEMA), reply({"status": "COMPLETE", "results": []})) as server:
        connector = connect(server)
        outcome = connector.update("contacts", [Patch("k", "1", {"lastname": "X"})])[0]
        connector.close()
    assert outcome.is_unknown
