"""Has edited values sent in place of mapped ones: a specification of its own for such a record."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hubconnect.connectors.base import Field, Record, Value
from hubconnect.engine.conflict import has_changed
from hubconnect.engine.mapping import FieldFlow
from hubconnect.engine.plan import LinkState, Spec, base_of, source_hash
from hubconnect.engine.values import restore_all
from hubconnect.integrations.models import Failure
from hubconnect.integrations.services.session import Candidates, Result, Session


@dataclass(slots=True)
class Edits:
    """The edits that one page of records is to be sent with."""

    session: Session
    failures: dict[str, Failure] = field(default_factory=dict)  # by source id
    used: set[str] = field(default_factory=set)  # source ids of what was planned with an edit

    def spec(self, record: Record, link: LinkState | None) -> Spec:
        """Return the flow's specification with a record's edited values in place of mapped ones."""
        spec = self.session.spec.plan
        failure = self.failures.get(record.id)
        edit = failure.edited_values if failure is not None else None
        if edit is None or edit["for"] != source_hash(record, spec):
            return spec
        self.used.add(record.id)
        values = restore_all(edit["values"])
        rows = [_edited(row, values, record, link) for row in spec.flows]
        written = {row.target.name for row in spec.flows}
        fields = self.session.spec.target_fields
        rows += [
            _constant(fields[name], value)
            for name, value in values.items()
            if name not in written and name in fields
        ]
        return replace(spec, flows=tuple(rows))

    def tell(self, result: Result) -> None:
        """Say in the events of what was sent as edited who edited it."""
        for one in result.events:
            failure = self.failures.get(one.source_id)
            if failure is not None and one.source_id in self.used:
                who = failure.edited_by or "somebody"
                one.detail["reason"] = f"Sent as edited by {who}, for failure {failure.pk}."


def edits_of(session: Session, candidates: Candidates) -> Edits:
    """Return the edits among the open failures of a page's records; mostly there are none."""
    ids = [
        failure.pk
        for found in candidates.failures.values()
        for failure in found
        if failure.flow_id == session.flow.pk and failure.edited_at is not None
    ]
    if not ids:
        return Edits(session)
    rows = Failure.objects.select_related("edited_by").filter(pk__in=ids)
    return Edits(session, {row.record_id: row for row in rows if row.edited_values})


def _edited(
    row: FieldFlow, values: Mapping[str, Value], record: Record, link: LinkState | None
) -> FieldFlow:
    """Return a row that gives what a person wants sent, whatever the source says.

    It keeps its source only where that changed: then the source's base moves with the write, and
    the next change of the source goes by the mapping again.
    """
    if row.target.name not in values:
        return row
    value = values[row.target.name]
    source = row.source
    if source is not None and link is not None:
        base = base_of(link.source_base, source.name)
        source = source if has_changed(record.values.get(source.name), base) else None
    return replace(
        row, source=source, convert=lambda _: value, back=None, overwrite=True, winner=""
    )


def _constant(of: Field, value: Value) -> FieldFlow:
    return FieldFlow(
        source=None,
        target=of,
        convert=lambda _: value,
        back=None,
        at_create=True,
        at_update=True,
        winner="",
        overwrite=True,
    )
