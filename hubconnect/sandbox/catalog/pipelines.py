"""The pipelines of a fresh account, and one that a user added (with numeric ids)."""

from typing import Any

Stage = tuple[str, str, dict[str, str]]


def _deal(stage_id: str, label: str, probability: str) -> Stage:
    closed = "true" if probability in {"1.0", "0.0"} else "false"
    return stage_id, label, {"isClosed": closed, "probability": probability}


def _ticket(stage_id: str, label: str, state: str = "OPEN") -> Stage:
    closed = "true" if state == "CLOSED" else "false"
    return stage_id, label, {"isClosed": closed, "ticketState": state}


def _order(stage_id: str, label: str, state: str = "OPEN") -> Stage:
    return stage_id, label, {"state": state}


PIPELINES: dict[str, list[tuple[str, str, list[Stage]]]] = {
    "deals": [
        (
            "default",
            "Sales Pipeline",
            [
                _deal("appointmentscheduled", "Appointment Scheduled", "0.2"),
                _deal("qualifiedtobuy", "Qualified To Buy", "0.4"),
                _deal("presentationscheduled", "Presentation Scheduled", "0.6"),
                _deal("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
                _deal("contractsent", "Contract Sent", "0.9"),
                _deal("closedwon", "Closed Won", "1.0"),
                _deal("closedlost", "Closed Lost", "0.0"),
            ],
        ),
        (
            "74310021",
            "Renewals",
            [
                _deal("145220101", "Renewal due", "0.5"),
                _deal("145220102", "Offer sent", "0.7"),
                _deal("145220103", "Renewed", "1.0"),
                _deal("145220104", "Cancelled", "0.0"),
            ],
        ),
    ],
    "tickets": [
        (
            "0",
            "Support Pipeline",
            [
                _ticket("1", "New"),
                _ticket("2", "Waiting on contact"),
                _ticket("3", "Waiting on us"),
                _ticket("4", "Closed", "CLOSED"),
            ],
        )
    ],
    "orders": [
        (
            "14a2e10e-5471-408a-906e-c51f3b04369e",
            "Order Pipeline",
            [
                _order("4b27b500-f031-4927-9811-68a0b525cbae", "Open"),
                _order("937ea84d-0a4f-4dcf-9028-3f9c2aafbf03", "Processed"),
                _order("aa99e8d0-c1d5-4071-b915-d240bbb1aed9", "Shipped"),
                _order("3725360f-519b-4b18-a593-494d60a29c9f", "Delivered", "CLOSED"),
                _order("3c85a297-e9ce-400b-b42e-9f16853d69d6", "Cancelled", "CLOSED"),
            ],
        )
    ],
}


def build_stage(stage: Stage, order: int, created_at: str) -> dict[str, Any]:
    """Build one stage as the pipelines API returns it."""
    stage_id, label, metadata = stage
    return {
        "id": stage_id,
        "label": label,
        "displayOrder": order,
        "metadata": metadata,
        "archived": False,
        "createdAt": created_at,
        "updatedAt": created_at,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def build_pipelines(kind_name: str, created_at: str) -> list[dict[str, Any]]:
    """Build the pipelines of one object type as the pipelines API returns them."""
    return [
        {
            "id": pipeline_id,
            "label": label,
            "displayOrder": order,
            "archived": False,
            "createdAt": created_at,
            "updatedAt": created_at,
            "stages": [build_stage(stage, at, created_at) for at, stage in enumerate(stages)],
        }
        for order, (pipeline_id, label, stages) in enumerate(PIPELINES.get(kind_name, []))
    ]
