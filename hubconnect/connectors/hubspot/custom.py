"""An account's custom objects as object types ("Custom objects" in HubSpot's documentation)."""

import json
from collections.abc import Mapping
from typing import Any

from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.hubspot.api import HubSpotApi
from hubconnect.connectors.hubspot.objects import ObjectKind

READ_SCOPE = "crm.objects.custom.read"
WRITE_SCOPE = "crm.objects.custom.write"
SEE_SCOPE = "crm.schemas.custom.read"
MAKE_SCOPE = "crm.schemas.custom.write"
UNSEEN = (
    f"The token lacks the scope {SEE_SCOPE}, so this account's custom objects, if it has any, are "
    "not listed."
)


def read_custom_objects(api: HubSpotApi) -> str:
    """Ask for the account's custom objects; return what is used of them, as text to be cached.

    Where the credential may not see them, or the subscription has none, the list is empty and the
    answer's own words say why.
    """
    try:
        schemas = api.schemas()
    except AttentionError as error:
        if error.parameter and not error.missing_scopes:
            raise
        why = UNSEEN if error.missing_scopes else f"Custom objects: {error.message}"
        return json.dumps({"schemas": [], "why": why})
    kept = [
        {
            "name": schema["fullyQualifiedName"],
            "code": schema["objectTypeId"],
            "singular": (schema.get("labels") or {}).get("singular") or schema.get("name"),
            "label": (schema.get("labels") or {}).get("plural") or schema.get("name"),
            "group": f"{schema.get('name')}_information",
            "required": schema.get("requiredProperties") or [],
        }
        for schema in schemas
        if not schema.get("archived")
        and schema.get("fullyQualifiedName")
        and schema.get("objectTypeId")
    ]
    return json.dumps({"schemas": kept, "why": ""})


def custom_kinds(text: str) -> dict[str, ObjectKind]:
    """Return the object types of a cached text, by name."""
    kinds = map(_kind, json.loads(text)["schemas"])
    return {kind.name: kind for kind in kinds}


def _kind(kept: Mapping[str, Any]) -> ObjectKind:
    return ObjectKind(
        name=kept["name"],
        singular=str(kept["singular"]).lower(),
        label=str(kept["label"]),
        code=kept["code"],
        read_scopes=(READ_SCOPE,),
        write_scopes=(WRITE_SCOPE,),
        schema_scopes=(MAKE_SCOPE,),
        group=kept["group"],
        required=tuple(kept["required"]),
        pipeline="hs_pipeline",
        stage="hs_pipeline_stage",
        is_custom=True,
    )


def why_unseen(text: str) -> str:
    """Return why custom objects could not be listed, or ""."""
    return str(json.loads(text)["why"])
