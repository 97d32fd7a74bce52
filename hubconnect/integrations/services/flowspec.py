"""Reads a flow's configuration into what the engine works with."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from hubconnect.connectors.base import Connector, Criteria, Field, ValueType
from hubconnect.engine import criteria as criteria_language, lookup as lookup_language
from hubconnect.engine.children import ChildrenSpec
from hubconnect.engine.lookup import Lookup
from hubconnect.engine.mapping import (
    Conflict,
    Direction,
    FieldRule,
    ValuePair,
    When,
    build_flow,
)
from hubconnect.engine.plan import Spec
from hubconnect.integrations.models import Flow
from hubconnect.integrations.services.childspec import build_children
from hubconnect.mappings.models import Mapping as MappingRow
from hubconnect.systems.services import schema


@dataclass(frozen=True, slots=True)
class FlowSpec:
    """A flow, ready to run.

    Attributes:
        read_fields: source fields that mapping, criteria and lookup need.
        children: what is carried beside fields.
        hash: changes whenever mapping or criteria do; the open window is then started again.
    """

    plan: Spec
    criteria: Criteria
    lookup: Lookup | None
    read_fields: tuple[str, ...]
    source_fields: Mapping[str, Field]
    target_fields: Mapping[str, Field]
    hash: str
    children: ChildrenSpec


def build_spec(flow: Flow, source: Connector, target: Connector) -> FlowSpec:
    """Return the flow's specification, checked against both schemas.

    Raises:
        MappingBrokenError: a mapped field does not exist any more.
        CriteriaInvalidError: the criteria or the lookup do not fit the schema any more.
        ConnectorError: a schema is needed and cannot be read.
    """
    mapping = flow.pair.mapping
    sources = schema.fields(flow.source_system, flow.source_type, connector=source)
    targets = schema.fields(flow.target_system, flow.target_type, connector=target)
    left, right = (sources, targets) if flow.is_to_right else (targets, sources)
    direction = Direction.TO_RIGHT if flow.is_to_right else Direction.TO_LEFT
    rows = build_flow(rules_of(mapping), left, right, direction)
    criteria = criteria_language.parse(flow.criteria, sources, source.max_conditions)
    mapped = {row.target.name for row in rows if row.at_create}
    lookup = lookup_language.parse(flow.lookup, targets, sources, mapped)
    plan = Spec(rows, _title_field(rows_source=[r.source for r in rows if r.source is not None]))
    wanted = dict.fromkeys(plan.source_fields)
    wanted.update(dict.fromkeys(condition.field for condition in criteria))
    if lookup is not None:
        wanted.update(dict.fromkeys(lookup.source_fields))
    return FlowSpec(
        plan=plan,
        criteria=criteria,
        lookup=lookup,
        read_fields=tuple(wanted),
        source_fields=sources,
        target_fields=targets,
        hash=_hash(flow, mapping),
        children=build_children(flow),
    )


def mapped_fields(flow: Flow) -> frozenset[str]:
    """Return the fields of the target that the mapping fills when a record is created."""
    side = "right" if flow.is_to_right else "left"
    return frozenset(
        getattr(rule, side)
        for rule in rules_of(flow.pair.mapping)
        if rule.direction in (Direction.BOTH, flow.direction)
        and rule.when in (When.BOTH, When.CREATE)
    )


def rules_of(mapping: MappingRow) -> list[FieldRule]:
    """Return the rows of a mapping as the engine's values."""
    return [
        FieldRule(
            left=row.left_field,
            right=row.right_field,
            direction=Direction(row.direction),
            when=When(row.when),
            conflict=Conflict(row.conflict),
            overwrite=row.overwrite,
            default_left=row.default_left,
            default_right=row.default_right,
            cut_text=row.cut_text,
            value_map=tuple(
                ValuePair(entry.left_value, entry.right_value, Direction(entry.direction))
                for entry in row.value_map.all()
            ),
        )
        for row in mapping.rows.prefetch_related("value_map")
    ]


def _title_field(rows_source: list[Field]) -> str:
    """Choose the field that names a record in lists: one called a name or title, else a text."""
    texts = [field.name for field in rows_source if field.type is ValueType.TEXT]
    for part in ("name", "title", "subject", "email"):
        named = [name for name in texts if part in name.lower()]
        if named:
            return named[0]
    return texts[0] if texts else ""


def _hash(flow: Flow, mapping: MappingRow) -> str:
    text = json.dumps([mapping.pk, mapping.version, flow.criteria, flow.outside], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
