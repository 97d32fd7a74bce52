"""What the page of a failure offers about which record is which: link, recreate, stop, switch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubconnect.connectors.base import Field
from hubconnect.connectors.errors import Category, ConnectorError
from hubconnect.core.models import User
from hubconnect.engine.values import from_stored, show
from hubconnect.integrations.models import Failure, Link, Side
from hubconnect.integrations.services import failures, merging, parts
from hubconnect.integrations.services.deleting import Remedy
from hubconnect.integrations.services.linking import LinkRefusedError, link_records
from hubconnect.integrations.services.parts import Acted, Part, PartRefusedError
from hubconnect.systems.models import System
from hubconnect.systems.services import schema


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a candidate, and whether it differs from what was to be written."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One field: what was to be written, and what each candidate holds."""

    label: str
    ours: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Records of the target that may be the counterpart, as a table: a column each."""

    records: list[dict[str, Any]]
    rows: list[Row]
    has_ours: bool


# --- Link them ---------------------------------------------------------------------------------


def show_candidates(failure: Failure) -> Candidates | None:
    """Return the candidates of a record that has no counterpart yet."""
    found = failure.candidates or []
    if not found or failure.child or _is_linked(failure):
        return None
    names = list(dict.fromkeys(name for one in found for name in one.get("values", {})))
    fields = _target_fields(failure)
    sent: Mapping[str, Any] = failure.sent_values
    rows = [
        Row(
            label=fields[name].label if name in fields else name,
            ours=_text(sent.get(name), fields.get(name)),
            cells=[_cell(one.get("values", {}).get(name), name, sent, fields) for one in found],
        )
        for name in names
    ]
    return Candidates(found, rows, bool(sent))


def _is_linked(failure: Failure) -> bool:
    side = {f"{failure.side}_id": failure.record_id}
    return Link.objects.filter(type_pair_id=failure.type_pair_id, **side).exists()


def _target_fields(failure: Failure) -> Mapping[str, Field]:
    try:
        return schema.fields(failure.flow.target_system, failure.flow.target_type)
    except (ConnectorError, LookupError):
        return {}


def _text(stored: Any, field: Field | None) -> str:  # noqa: ANN401 - JSON
    return show(from_stored(stored), field)


def _cell(
    stored: Any,  # noqa: ANN401 - JSON
    name: str,
    sent: Mapping[str, Any],
    fields: Mapping[str, Field],
) -> Cell:
    text, ours = _text(stored, fields.get(name)), _text(sent.get(name), fields.get(name))
    return Cell(text, name in sent and text != ours)


def link_them(failure: Failure, posted: Mapping[str, str], actor: User) -> Acted:
    """Link the failed record with the chosen candidate."""
    chosen = posted.get("candidate", "")
    if chosen not in [one["id"] for one in failure.candidates or []]:
        msg = "Choose the record it is to be linked with."
        raise PartRefusedError(msg)
    try:
        nudge = link_records(failure.flow, failure.record_id, chosen, actor)
    except LinkRefusedError as error:
        raise PartRefusedError(str(error)) from error
    source, target = failure.flow.source_system, failure.flow.target_system
    return Acted(
        f"{failure.record_id} in {source} and {chosen} in {target} are linked. The next run "
        "compares their fields and closes this failure.",
        nudge,
    )


# --- Its counterpart was deleted ---------------------------------------------------------------


def show_deleted(failure: Failure) -> Failure | None:
    """Return the failure while its link waits for a choice."""
    return failure if not failure.child else None


def choose_deleted(failure: Failure, posted: Mapping[str, str], actor: User) -> Acted:
    """Have the next run create the counterpart again, or stop syncing the record."""
    choice = posted.get("choice", "")
    if choice not in set(Remedy):
        msg = "Choose what is to become of the record."
        raise PartRefusedError(msg)
    words = {
        Remedy.RECREATE: f"The next run creates it in {failure.flow.target_system} again.",
        Remedy.STOP: "The record is not synced any more from the next run on.",
    }
    _remember(failure, choice)
    return Acted(words[Remedy(choice)], failures.retry(failure, actor))


def _remember(failure: Failure, choice: str) -> None:
    Failure.objects.filter(pk=failure.pk, state=Failure.State.OPEN).update(remedy=choice)


# --- Two links met -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Met:
    """Two records that were counterparts of what is one record now."""

    system: System
    kept_id: str
    left_id: str
    survivor: str
    survivor_system: System


def show_met(failure: Failure) -> Met | None:
    """Return the two counterparts, of which one is linked."""
    found = [one["id"] for one in failure.candidates or []]
    if len(found) != 2:  # noqa: PLR2004 - the linked one and the one left over
        return None
    flow, side = failure.flow, merging.left_over_side(failure)
    is_source = side == Side(failure.side)
    systems = (flow.source_system, flow.target_system)
    own, other = systems if is_source else systems[::-1]
    survivor = failure.target_id if is_source else failure.record_id
    return Met(own, found[0], found[1], survivor, other)


def choose_met(failure: Failure, posted: Mapping[str, str], actor: User) -> Acted:
    """Leave the link as it is, or have the next run link the other counterpart."""
    met = show_met(failure)
    choice = posted.get("choice", "")
    if met is None or choice not in {"keep", merging.SWITCH}:
        msg = "Choose which of the two is to be linked."
        raise PartRefusedError(msg)
    if choice == "keep":
        failures.dismiss(failure, actor)
        return Acted(f"{met.kept_id} stays linked; {met.left_id} is left alone.")
    _remember(failure, choice)
    nudge = failures.retry(failure, actor)
    return Acted(f"The next run links {met.left_id} with {met.survivor}.", nudge)


def register() -> None:
    """Offer these on the pages of failures."""
    folder = "integrations/failure_parts"
    several = (Category.DUPLICATE, Category.UNKNOWN_OUTCOME, Category.LOOKUP)
    parts.register(Part("link", f"{folder}/link_them.html", show_candidates, link_them), *several)
    parts.register(
        Part("deleted", f"{folder}/target_deleted.html", show_deleted, choose_deleted),
        Category.TARGET_DELETED,
    )
    parts.register(Part("met", f"{folder}/merged.html", show_met, choose_met), Category.MERGED)
