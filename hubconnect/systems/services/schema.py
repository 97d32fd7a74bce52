"""Object types and fields of a system, kept for an hour so that pages and runs cost no calls."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import F

from hubconnect.connectors.base import (
    Capability,
    Connector,
    Field,
    ObjectType,
    Option,
    ValueType,
)
from hubconnect.connectors.children import AssociationType
from hubconnect.connectors.errors import ConnectorError
from hubconnect.systems.models import System
from hubconnect.systems.services.connections import open_connector


def object_types(system: System, *, is_fresh: bool = False) -> list[ObjectType]:
    """Return the object types a system offers.

    Raises:
        ConnectorError: they are not known yet and the system cannot be asked.
    """
    key = _key(system, "object_types")
    text = None if is_fresh else cache.get(key)
    if text is None:
        with open_connector(system, is_fresh=is_fresh) as connector:
            found = connector.object_types()
        text = json.dumps([_plain_type(one) for one in found])
        cache.set(key, text, settings.SCHEMA_KEEP_S)
    return [_object_type(one) for one in json.loads(text)]


def type_label(system: System, object_type: str) -> str:
    """Return what the system calls an object type; its internal name while it cannot be asked."""
    try:
        kinds = {one.name: one.label for one in object_types(system)}
    except ConnectorError:
        return object_type
    return kinds.get(object_type, object_type)


def fields(
    system: System,
    object_type: str,
    *,
    is_fresh: bool = False,
    connector: Connector | None = None,
) -> dict[str, Field]:
    """Return the fields of an object type by name; ``connector`` is used if one is open already.

    Raises:
        AttentionError: there is no such object type.
        ConnectorError: they are not known yet and the system cannot be asked.
    """
    key = _key(system, f"fields:{object_type}")
    text = None if is_fresh else cache.get(key)
    if text is None:
        if connector is not None:
            found = connector.fields(object_type)
        else:
            with open_connector(system, is_fresh=is_fresh) as opened:
                found = opened.fields(object_type)
        text = json.dumps([asdict(one) for one in found])
        cache.set(key, text, settings.SCHEMA_KEEP_S)
    return {one["name"]: _field(one) for one in json.loads(text)}


def association_types(
    system: System, object_type: str, *, is_fresh: bool = False
) -> list[AssociationType]:
    """Return the kinds of link that records of an object type can have; none if it has no links.

    Raises:
        ConnectorError: they are not known yet and the system cannot be asked.
    """
    key = _key(system, f"associations:{object_type}")
    text = None if is_fresh else cache.get(key)
    if text is None:
        with open_connector(system, is_fresh=is_fresh) as connector:
            links = connector.associating
            found = links.association_types(object_type) if links is not None else []
        text = json.dumps([asdict(one) for one in found])
        cache.set(key, text, settings.SCHEMA_KEEP_S)
    return [
        AssociationType(**{**one, "fields": tuple(one.get("fields", ()))})
        for one in json.loads(text)
    ]


def forget(system: System) -> None:
    """Have every process read the schema anew: parameters or fields have changed."""
    System.objects.filter(pk=system.pk).update(schema_version=F("schema_version") + 1)
    system.refresh_from_db(fields=["schema_version"])


def _key(system: System, name: str) -> str:
    return f"schema:{system.pk}:{system.schema_version}:{name}"


def _plain_type(one: ObjectType) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.label,
        "code": one.code,
        "capabilities": sorted(one.capabilities),
        "why_not": dict(one.why_not),
        "modified_field": one.modified_field,
        "unreadable": one.unreadable,
        "one_of": one.one_of,
        "needs_association": one.needs_association,
    }


def _object_type(plain: Mapping[str, Any]) -> ObjectType:
    return ObjectType(
        name=plain["name"],
        label=plain["label"],
        code=plain["code"],
        capabilities=frozenset(Capability(one) for one in plain["capabilities"]),
        why_not={Capability(name): text for name, text in plain["why_not"].items()},
        modified_field=plain["modified_field"],
        # What the version before kept has none of these.
        unreadable=plain.get("unreadable", ""),
        one_of=tuple(plain.get("one_of", ())),
        needs_association=tuple(plain.get("needs_association", ())),
    )


def _field(plain: Mapping[str, Any]) -> Field:
    options: Iterable[Mapping[str, Any]] = plain["options"]
    return Field(
        **{
            **plain,
            "type": ValueType(plain["type"]),
            "options": tuple(Option(**option) for option in options),
        }
    )
