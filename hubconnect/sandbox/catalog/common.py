"""Properties that nearly every object type has, and how a property table is read.

A table has one property a line: name | label | type/fieldType | marks. Marks are ``ro`` (its
value cannot be set), ``calc`` (calculated, so read-only), ``unique``, ``ext`` (allowed values stand
elsewhere), ``owner`` (takes an owner id), ``hidden``. Options of enumerations follow in a mapping
by name; an option without a label gets one made of its value.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Options = Mapping[str, Iterable[tuple[str, str]]]

COMMON = """
hs_object_id | Record ID | number/number | ro
hs_object_source | Record source | string/text | ro
hs_object_source_id | Record source ID | string/text | ro
hs_object_source_label | Record source label | string/text | ro
hs_object_source_user_id | Record creation source user ID | number/number | ro
hs_object_source_detail_1 | Record source detail 1 | string/text | ro
hs_created_by_user_id | Created by user ID | number/number | ro
hs_updated_by_user_id | Updated by user ID | number/number | ro
hs_merged_object_ids | Merged record IDs | enumeration/checkbox | ro ext
hs_unique_creation_key | Unique creation key | string/text | ro unique hidden
hs_user_ids_of_all_owners | User IDs of all owners | enumeration/checkbox | ro ext
hs_all_owner_ids | All owner IDs | enumeration/checkbox | ro ext
hs_read_only | Read only object | bool/booleancheckbox | ro
hs_was_imported | Performed in an import | bool/booleancheckbox | ro
hs_pinned_engagement_id | Pinned engagement ID | number/number |
hubspot_owner_id | Owner | enumeration/select | owner
hubspot_owner_assigneddate | Owner assigned date | datetime/date | ro
hubspot_team_id | HubSpot team | enumeration/select | ro ext
"""

BOOLEAN = (("true", "True"), ("false", "False"))


def build_property(
    name: str, label: str, kinds: str, marks: Iterable[str], group: str
) -> dict[str, Any]:
    """Build one property definition as the properties API returns it, without dates."""
    value_type, _, field_type = kinds.partition("/")
    calculated = "calc" in marks
    definition: dict[str, Any] = {
        "name": name,
        "label": label,
        "type": value_type,
        "fieldType": field_type,
        "groupName": group,
        "description": "",
        "options": [],
        "displayOrder": -1,
        "calculated": calculated,
        "externalOptions": "ext" in marks or "owner" in marks,
        "hasUniqueValue": "unique" in marks,
        "hidden": "hidden" in marks,
        "formField": False,
        "hubspotDefined": True,
        "archived": False,
        "dataSensitivity": "non_sensitive",
        "modificationMetadata": {
            "archivable": False,
            "readOnlyDefinition": True,
            "readOnlyValue": calculated or "ro" in marks,
        },
    }
    if "owner" in marks:
        definition["referencedObjectType"] = "OWNER"
    return definition


def build_options(options: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Build the option list of a property from pairs of value and label."""
    return [
        {"label": label, "value": value, "displayOrder": order, "hidden": False, "description": ""}
        for order, (value, label) in enumerate(options)
    ]


def build_table(table: str, options: Options, group: str) -> list[dict[str, Any]]:
    """Build the definitions of one property table, in its order."""
    definitions = []
    for line in table.strip().splitlines():
        name, label, kinds, marks = (part.strip() for part in line.split("|"))
        definition = build_property(name, label, kinds, marks.split(), group)
        if definition["type"] == "bool":
            definition["options"] = build_options(BOOLEAN)
        elif name in options:
            definition["options"] = build_options(options[name])
        definitions.append(definition)
    return definitions


def titled(*values: str) -> list[tuple[str, str]]:
    """Pair option values with labels made of them: ``IN_PROGRESS`` becomes "In Progress"."""
    return [(value, value.replace("_", " ").title()) for value in values]
