"""Checked writes of one record, used by the single calls and by the batches alike."""

from collections.abc import Mapping
from typing import Any

from hubconnect.sandbox import validation
from hubconnect.sandbox.account import Source
from hubconnect.sandbox.activities import fill_in
from hubconnect.sandbox.errors import ApiError, invalid_properties, refuse
from hubconnect.sandbox.records import Changes, Record, Records


def create_record(records: Records, incoming: Mapping[str, Any], source: Source) -> Record:
    """Create a record.

    Raises:
        ApiError: a value is wrong or missing (400), or the contact exists (409).
    """
    checked = _check(records, incoming, {})
    values = {name: value for name, value in checked.items() if value is not None}
    fill_in(records.kind.name, values)
    _require(records, values)
    _refuse_existing_contact(records, values)
    _refuse_taken(records, values, None)
    return records.create(values, source)


def update_record(
    records: Records, record: Record, incoming: Mapping[str, Any], source: Source
) -> Record:
    """Update a record; returns it as it is then.

    Raises:
        ApiError: a value is wrong or belongs to another record (400).
    """
    before = record.properties(records.schema)
    changes = _check(records, incoming, before)
    _refuse_taken(records, changes, record.id)
    return records.update(record, changes, source)


def _check(records: Records, incoming: Mapping[str, Any], before: Mapping[str, str]) -> Changes:
    checked = validation.check(records.schema, incoming, before)
    if checked.problems:
        raise invalid_properties(checked.problems, records.account.options.portal_id)
    return checked.changes


def _require(records: Records, values: Mapping[str, str]) -> None:
    """Refuse a new record that lacks what its object type requires."""
    kind = records.kind
    missing = [name for name in kind.required if name not in values]
    if kind.required_any and not any(name in values for name in kind.required_any):
        missing = list(kind.required_any)
    hidden = records.account.hidden_required.get(kind.name, ())
    missing += [name for name in hidden if name not in values and name not in missing]
    if missing:
        message = f"Error creating {kind.upper}. Some required properties were not set."
        refuse(message, context={"properties": missing})


def _refuse_existing_contact(records: Records, values: Mapping[str, str]) -> None:
    if records.kind.name != "contacts" or "email" not in values:
        return
    holder = records.holder("email", values["email"])
    if holder is not None:
        raise ApiError(409, f"Contact already exists. Existing ID: {holder}", "CONFLICT")


def _refuse_taken(records: Records, changes: Changes, record_id: int | None) -> None:
    for name in records.schema.unique_names:
        value = changes.get(name)
        holder = records.holder(name, value) if value else None
        if holder is not None and holder != record_id:
            portal_id = records.account.options.portal_id
            message = (
                f"Cannot set PropertyValueCoordinates{{portalId={portal_id}, "
                f"objectTypeId=ObjectTypeId{{legacyObjectType={records.kind.upper}}}, "
                f"propertyName={name}, value={value}}} on {record_id or 'a new record'}. "
                f"{holder} already has that value."
            )
            refuse(message)
