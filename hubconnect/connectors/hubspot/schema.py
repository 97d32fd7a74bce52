"""HubSpot's property definitions as fields, with a parser and a formatter made once for each."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hubconnect.connectors.base import Field, Option, Value, Values, ValueType
from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.hubspot.mentions import MENTIONED, Mentions
from hubconnect.connectors.hubspot.objects import KEY_PROPERTY, ObjectKind
from hubconnect.connectors.hubspot.values import (
    LONGEST_TEXT,
    Formatter,
    Owners,
    Parse,
    build_parser,
)

Properties = Mapping[str, str | None]
ReadValues = Callable[[Properties], dict[str, Value]]

TYPES: Mapping[str, ValueType] = {
    "string": ValueType.TEXT,
    "phone_number": ValueType.TEXT,
    "number": ValueType.NUMBER,
    "bool": ValueType.BOOLEAN,
    "date": ValueType.DATE,
    "datetime": ValueType.DATETIME,
    "enumeration": ValueType.OPTION,
}
# Types that show in the field's form only.
SPECIAL_FORMS: Mapping[tuple[str, str], ValueType] = {
    ("enumeration", "checkbox"): ValueType.OPTIONS,
    ("enumeration", "booleancheckbox"): ValueType.BOOLEAN,
    ("string", "html"): ValueType.RICH_TEXT,
}
# What of a definition is used; the rest is not worth keeping.
KEPT = (
    "name",
    "label",
    "type",
    "fieldType",
    "groupName",
    "description",
    "options",
    "calculated",
    "externalOptions",
    "hasUniqueValue",
    "hidden",
    "modificationMetadata",
    "referencedObjectType",
)
# Their options are the account's currencies, which definitions leave out.
CURRENCY_FIELDS = ("deal_currency_code", "hs_currency_code")
# Where HubSpot's definition leaves a person alone with the value's form.
HELP: Mapping[str, str] = {
    "hs_email_headers": (
        'JSON with the people of the e-mail: {"from":{"email":"ana@example.com","firstName":"Ana",'
        '"lastName":"Poe"},"to":[{"email":"rae@example.com"}],"cc":[],"bcc":[]}. HubSpot fills its '
        "from, to, cc and bcc properties, which are read-only, from it."
    ),
    "hs_timestamp": "Where the activity stands on the timeline; for a task, when it is due.",
    "hs_attachment_ids": "Ids of files in HubSpot.",
    "hs_call_duration": "In milliseconds.",
}
# HubSpot keeps times to the millisecond.
MOMENT_DIGITS = 3


class Schema:
    """The fields of one object type of one account."""

    def __init__(self, kind: ObjectKind, fields: Iterable[Field], owners: Owners) -> None:
        """Build parsers and formatters of all fields."""
        self.kind = kind
        self.fields = {field.name: field for field in fields}
        self.formatters = {name: Formatter(f, owners) for name, f in self.fields.items()}
        self._parsers = {name: build_parser(f, owners) for name, f in self.fields.items()}
        self._mentions = Mentions(owners)
        rich = [one for one in self.fields.values() if one.type is ValueType.RICH_TEXT]
        self._bodies = frozenset(one.name for one in rich if kind.is_activity)
        for name in self._bodies:
            self.formatters[name] = Formatter(self.fields[name], owners, self._mentions.write)
            self._parsers[name] = self._mentions.read

    @property
    def has_key(self) -> bool:
        """Tell whether creates can be made idempotent."""
        field = self.fields.get(KEY_PROPERTY)
        return field is not None and field.unique

    def get_field(self, name: str) -> Field:
        """Return a field.

        Raises:
            AttentionError: there is none of this name.
        """
        try:
            return self.fields[name]
        except KeyError:
            msg = f"HubSpot's {self.kind.label.lower()} have no property {name!r} (any more)."
            hint = "Correct the mapping or the criteria, or create the property in HubSpot."
            raise AttentionError(msg, hint=hint) from None

    def get_searchable(self, name: str) -> Field:
        """Return a field that a search may filter by.

        Raises:
            AttentionError: there is none of this name, or HubSpot's search refuses it.
        """
        field = self.get_field(name)
        if not field.searchable:
            msg = f"HubSpot cannot search {self.kind.label.lower()} by {field.label} ({name})."
            hint = "Use another property in the criteria or the lookup."
            raise AttentionError(msg, hint=hint)
        return field

    @property
    def group(self) -> str:
        """Return the property group for properties of ours: HubSpot refuses one it has not."""
        groups = Counter(field.group for field in self.fields.values() if field.group)
        if self.kind.group in groups or not groups:
            return self.kind.group
        return groups.most_common(1)[0][0]

    def parse(self, name: str, text: str) -> Value:
        """Return one text as a canonical value."""
        return self._parsers[name](text)

    def reader(self, names: Sequence[str]) -> ReadValues:
        """Return the function that gives these fields' canonical values of a record.

        Raises:
            AttentionError: there is no field of one of the names.
        """
        parsers: list[tuple[str, Parse]] = [
            (name, self._parsers[self.get_field(name).name]) for name in dict.fromkeys(names)
        ]

        def read(properties: Properties) -> dict[str, Value]:
            return {
                name: parse(text) if (text := properties.get(name)) else None
                for name, parse in parsers
            }

        return read

    def read_known(self, properties: Properties, names: Iterable[str]) -> dict[str, Value]:
        """Return canonical values of those of the fields that an answer shows."""
        return {
            name: self._parsers[name](text) if text else None
            for name in names
            if name in self._parsers and (text := properties.get(name, MISSING)) is not MISSING
        }

    def write(self, values: Values) -> dict[str, str]:
        """Return HubSpot's texts for canonical values.

        Raises:
            RecordError: a value does not suit its field.
            AttentionError: there is no such field.
        """
        texts = {self.get_field(name).name: self.formatters[name](v) for name, v in values.items()}
        bodies = [text for n in self._bodies & values.keys() if isinstance(text := values[n], str)]
        listing = self.fields.get(MENTIONED)
        if bodies and listing is not None and not listing.read_only and MENTIONED not in values:
            texts[MENTIONED] = self._mentions.mentioned(bodies)
        return texts


# Stands for a property an answer does not show, as None stands for an empty one.
MISSING = "\0"


def pack(properties: list[dict[str, Any]], pipelines: list[dict[str, Any]]) -> str:
    """Return what of both answers a schema is built from, as text to be cached."""
    kept = [{key: each[key] for key in KEPT if each.get(key)} for each in properties]
    lines = [
        {
            "id": pipeline.get("id"),
            "label": pipeline.get("label"),
            "stages": [
                {"id": stage.get("id"), "label": stage.get("label")}
                for stage in pipeline.get("stages") or ()
            ],
        }
        for pipeline in pipelines
        if not pipeline.get("archived")
    ]
    return json.dumps([kept, lines])


def unpack(
    text: str, kind: ObjectKind, owners: Owners, currencies: Callable[[], Sequence[str]]
) -> Schema:
    """Return the schema built from a packed text.

    Args:
        text: what ``pack`` gave.
        kind: the object type.
        owners: of the account.
        currencies: gives the codes of the account's currencies; none if they are not known.
    """
    properties, pipelines = json.loads(text)
    own_options = pipeline_options(kind, pipelines)
    if any(each["name"] in CURRENCY_FIELDS and each.get("externalOptions") for each in properties):
        codes = tuple(Option(code, code) for code in currencies())
        own_options |= dict.fromkeys(CURRENCY_FIELDS, codes) if codes else {}
    fields = (build_field(kind, each, own_options.get(each["name"])) for each in properties)
    return Schema(kind, fields, owners)


def pipeline_options(
    kind: ObjectKind, pipelines: list[dict[str, Any]]
) -> dict[str, tuple[Option, ...]]:
    """Return the options of the pipeline and stage fields, which definitions leave out."""
    if not kind.pipeline:
        return {}
    several = len(pipelines) > 1
    stages = tuple(
        Option(
            str(stage["id"]),
            f"{stage['label']} ({pipeline['label']})" if several else str(stage["label"]),
        )
        for pipeline in pipelines
        for stage in pipeline["stages"]
    )
    lines = tuple(Option(str(pipeline["id"]), str(pipeline["label"])) for pipeline in pipelines)
    return {kind.pipeline: lines, kind.stage: stages}


def build_field(
    kind: ObjectKind, definition: Mapping[str, Any], own_options: tuple[Option, ...] | None
) -> Field:
    """Return the field of one property definition."""
    name = definition["name"]
    value_type = _value_type(kind, definition)
    has_options = value_type in {ValueType.OPTION, ValueType.OPTIONS}
    if has_options:
        options = own_options if own_options is not None else _options(definition)
    else:
        options = ()
    metadata = definition.get("modificationMetadata") or {}
    is_text = value_type in {ValueType.TEXT, ValueType.RICH_TEXT}
    return Field(
        name=name,
        label=definition.get("label") or name,
        type=value_type,
        native_type=f"{definition.get('type', '')}, {definition.get('fieldType', '')}",
        required=name in kind.required,
        has_default=name in kind.defaulted,
        read_only=name == KEY_PROPERTY  # ours, nobody's to map
        or bool(metadata.get("readOnlyValue") or definition.get("calculated")),
        unique=bool(definition.get("hasUniqueValue")) or name in kind.unique,
        hidden=bool(definition.get("hidden")),
        searchable=name not in kind.unsearchable,
        options=options,
        open_options=has_options
        and own_options is None
        and bool(definition.get("externalOptions")),
        max_length=LONGEST_TEXT if is_text else None,
        scale=MOMENT_DIGITS if value_type is ValueType.DATETIME else None,
        group=definition.get("groupName", ""),
        help=definition.get("description") or HELP.get(name, ""),
    )


def _value_type(kind: ObjectKind, definition: Mapping[str, Any]) -> ValueType:
    if definition["name"] == "hs_object_id":
        return ValueType.REFERENCE
    if definition["name"] in kind.bodies:
        return ValueType.RICH_TEXT
    native, form = definition.get("type", ""), definition.get("fieldType", "")
    special = SPECIAL_FORMS.get((native, form))
    if special is not ValueType.OPTIONS and definition.get("referencedObjectType") == "OWNER":
        return ValueType.USER
    return special or TYPES.get(native, ValueType.TEXT)


def _options(definition: Mapping[str, Any]) -> tuple[Option, ...]:
    return tuple(
        Option(str(o["value"]), str(o.get("label") or o["value"]), hidden=bool(o.get("hidden")))
        for o in definition.get("options") or ()
    )
