"""Properties HubSpot works out itself from the others of the same record."""

from collections.abc import Callable, Mapping

from hubconnect.sandbox import activities
from hubconnect.sandbox.moments import DAY_MS, from_text, to_text
from hubconnect.sandbox.schema import Schema, Stage

Values = Mapping[str, str]
Derived = dict[str, str | None]


def _text(*, flag: bool) -> str:
    return "true" if flag else "false"


def _digits(phone: str) -> str | None:
    """Return the part of a phone number that search looks at: its last ten digits."""
    return "".join(char for char in phone if char.isdigit())[-10:] or None


def _stage(values: Values, schema: Schema) -> Stage | None:
    pipeline = values.get(schema.kind.pipeline_property, "")
    return schema.pipelines.get(pipeline, {}).get(values.get(schema.kind.stage_property, ""))


def _contact(values: Values, _before: Values, _schema: Schema, _now: int) -> Derived:
    email = values.get("email", "")
    full_name = " ".join(values[name] for name in ("firstname", "lastname") if values.get(name))
    return {
        "hs_email_domain": email.partition("@")[2] or None,
        "hs_full_name_or_email": full_name or email or None,
        "hs_is_unworked": _text(flag="notes_last_contacted" not in values),
        "hs_searchable_calculated_phone_number": _digits(values.get("phone", "")),
        "hs_searchable_calculated_mobile_number": _digits(values.get("mobilephone", "")),
    }


def _times(amount: str | None, factor: str) -> str | None:
    if amount is None or not factor:
        return None
    return str(float(amount) * float(factor))


def _deal(values: Values, before: Values, schema: Schema, now: int) -> Derived:
    stage = _stage(values, schema)
    if stage is None:
        return {}
    amount = values.get("amount")
    won = stage.is_closed and float(stage.probability or 0) > 0
    derived: Derived = {
        "hs_is_closed": _text(flag=stage.is_closed),
        "hs_is_closed_won": _text(flag=won),
        "hs_is_closed_lost": _text(flag=stage.is_closed and not won),
        "amount_in_home_currency": amount,
        "hs_projected_amount": _times(amount, stage.probability),
        "hs_closed_amount": (amount or "0") if won else "0",
        "days_to_close": _days_to_close(values, now) if stage.is_closed else "0",
    }
    if _stage(before, schema) != stage:
        derived["hs_deal_stage_probability"] = stage.probability or None
    return derived


def _days_to_close(values: Values, now: int) -> str:
    created = from_text(values["createdate"]) if values.get("createdate") else now
    closed = from_text(values["closedate"]) if values.get("closedate") else now
    return str(max((closed - created) // DAY_MS, 0))


def _ticket(values: Values, before: Values, schema: Schema, now: int) -> Derived:
    stage = _stage(values, schema)
    if stage is None:
        return {}
    derived: Derived = {"hs_is_closed": _text(flag=stage.is_closed)}
    was = _stage(before, schema)
    if stage.is_closed and (was is None or not was.is_closed):
        closed = values.get("closed_date") or to_text(now)
        created = from_text(values["createdate"]) if values.get("createdate") else now
        derived["closed_date"] = closed
        derived["time_to_close"] = str(max(from_text(closed) - created, 0))
    elif was is not None and was.is_closed and not stage.is_closed:
        derived |= {
            "closed_date": None,
            "time_to_close": None,
            "hs_ticket_reopened_at": to_text(now),
        }
    return derived


def _order(values: Values, _before: Values, _schema: Schema, _now: int) -> Derived:
    rate = values.get("hs_exchange_rate") or "1"
    return {"hs_homecurrency_amount": _times(values.get("hs_total_price"), rate)}


_BY_KIND: dict[str, Callable[[Values, Values, Schema, int], Derived]] = {
    "orders": _order,
    **activities.BY_KIND,
    "contacts": _contact,
    "deals": _deal,
    "tickets": _ticket,
}


def derive(schema: Schema, values: Values, before: Values, now: int) -> Derived:
    """Work out the calculated properties of a record.

    Args:
        schema: of its object type.
        values: its properties as they will be, without the empty ones.
        before: its properties as they were; empty for a new record.
        now: moment of the write.

    Returns:
        Calculated properties that hold something else than ``values`` says.
    """
    derived: Derived = {}
    if values.get("hubspot_owner_id") != before.get("hubspot_owner_id"):
        owner = values.get("hubspot_owner_id")
        derived["hubspot_owner_assigneddate"] = to_text(now) if owner else None
        derived["hs_all_owner_ids"] = owner
        known = schema.owners.get(owner or "")
        derived["hs_user_ids_of_all_owners"] = None if known is None else str(known.user_id)
    work_out = _BY_KIND.get(schema.kind.name)
    if work_out is not None:
        derived |= work_out(values, before, schema, now)
    return {name: value for name, value in derived.items() if values.get(name) != value}
