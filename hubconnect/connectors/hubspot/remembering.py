"""The history of properties: which values they had, and who wrote them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from hubconnect.connectors.hubspot.api import HubSpotApi, Json, results
from hubconnect.connectors.hubspot.origins import APP
from hubconnect.connectors.hubspot.schema import Schema
from hubconnect.connectors.hubspot.values import is_id, parse_moment
from hubconnect.connectors.remembering import FieldEntry, History

# A batch read with history takes fewer records than one without.
BATCH = 50


class Histories:
    """Reads histories by batch; each call counts as ``history``."""

    def __init__(self, api: HubSpotApi, get_schema: Callable[[str], Schema], app_id: str) -> None:
        """Keep all; ``app_id`` is our own app's, or ""."""
        self._api = api
        self._get_schema = get_schema
        self._app_id = app_id

    def history(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, History]:
        """Return the entries of these fields, the newest first, by record id and field."""
        schema = self._get_schema(object_type)
        asked = [each for each in dict.fromkeys(ids) if is_id(each)]
        found: dict[str, History] = {}
        for start in range(0, len(asked), BATCH):
            part = asked[start : start + BATCH]
            for item in results(self._api.batch_history(schema.kind.name, part, fields)):
                told = item.get("propertiesWithHistory") or {}
                found[str(item["id"])] = {
                    name: [
                        self._entry(schema, name, one, at)
                        for one in told.get(name) or ()
                        if (at := parse_moment(one.get("timestamp") or "")) is not None
                    ]
                    for name in fields
                }
        return found

    def _entry(self, schema: Schema, name: str, entry: Json, at: datetime) -> FieldEntry:
        value = schema.read_known({name: entry.get("value")}, [name])[name]
        is_ours = None
        if self._app_id:
            is_ours = entry.get("sourceType") == APP and entry.get("sourceId") == self._app_id
        return FieldEntry(value, at, is_ours)
