"""A custom object for accounts under test: machines, with a pipeline of their own."""

from typing import Any

from tests.sandbox_process import Sandbox

MACHINES = "p4242_machine"
PIPELINE = "Maintenance"
_SCHEMA: dict[str, Any] = {
    "name": "machine",
    "labels": {"singular": "Machine", "plural": "Machines"},
    "primaryDisplayProperty": "serial",
    "requiredProperties": ["serial"],
    "searchableProperties": ["serial"],
    "associatedObjects": ["CONTACT", "COMPANY", "DEAL", "TICKET"],
    "properties": [
        {
            "name": "serial",
            "label": "Serial number",
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": True,
        },
        {"name": "built_on", "label": "Built on", "type": "date", "fieldType": "date"},
        {
            "name": "extras",
            "label": "Extras",
            "type": "enumeration",
            "fieldType": "checkbox",
            "options": [
                {"label": "Heated seat", "value": "heated_seat"},
                {"label": "Tow bar", "value": "tow_bar"},
            ],
        },
        {"name": "manual", "label": "Manual", "type": "string", "fieldType": "html"},
        {"name": "is_leased", "label": "Leased", "type": "bool", "fieldType": "booleancheckbox"},
        {"name": "hours", "label": "Hours", "type": "number", "fieldType": "number"},
    ],
}


def add_machines(account: Sandbox) -> None:
    """Give an account machines, and a pipeline with the stages Running and Broken."""
    status, made, _ = account.api("POST", "/crm-object-schemas/2026-03/schemas", _SCHEMA)
    assert status == 201, made
    stages = [
        {"stageId": "running", "label": "Running", "displayOrder": 0},
        {"stageId": "broken", "label": "Broken", "displayOrder": 1},
    ]
    body = {"label": PIPELINE, "displayOrder": 0, "stages": stages}
    status, made, _ = account.api("POST", f"/crm/pipelines/2026-03/{MACHINES}", body)
    assert status == 201, made
