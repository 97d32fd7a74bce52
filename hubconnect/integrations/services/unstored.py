"""Fields that a target accepted without keeping their value, such as a stage that never goes back.

Such a failure holds these fields alone and waits for a person: the same source value is not sent
again by itself. It heals once another value is kept, or the source takes its value back.
"""

from collections.abc import Iterable, Sequence

from hubconnect.connectors.base import Record, Values
from hubconnect.connectors.errors import Category, FieldFault, RecordError
from hubconnect.engine.plan import Names, Spec, names_of
from hubconnect.engine.values import Stored
from hubconnect.integrations.models import Failure, Link, Side
from hubconnect.integrations.services.session import Fault, Result, Session


def refused_again(failure: Failure | None, spec: Spec) -> dict[Names, Stored]:
    """Return the source values that are not to be sent again, by field names.

    None while a person asked to try it once more.
    """
    if failure is None or failure.next_try_at is not None:
        return {}
    lost = {fault["field"] for fault in failure.faults}
    rows = (names_of(row) for row in spec.flows if row.at_update)
    return {names: failure.source_values.get(names[0]) for names in rows if names[1] in lost}


def note(
    session: Session,
    record: Record,
    target_id: str,
    lost: Iterable[str],
    sent: Values,
    result: Result,
) -> None:
    """Add the failure of target fields that kept their old values."""
    system = session.flow.target_system
    labels = {row.target.name: row.target.label for row in session.spec.plan.flows}
    names = list(dict.fromkeys(lost))
    words = ", ".join(labels.get(name, name) for name in names)
    sentence = f"{system} accepted the change of {words} and kept the old value."
    error = RecordError(
        sentence,
        category=Category.NOT_STORED,
        hint=f"{system} has a rule of its own for it. Change it there, or leave it unmapped. "
        "The same value is not sent again until somebody presses Retry.",
        faults=tuple(FieldFault(name, sentence, "NOT_STORED") for name in names),
    )
    child = Failure.NOT_STORED
    result.faults.append(Fault(record, error, target_id, sent, child))


def let_go(failure: Failure, rows: Sequence[Names]) -> None:
    """Take the source's values for known although the target did not keep them.

    Called in a transaction with the rows of the failed flow.
    """
    side = Side(failure.side)
    link = (
        Link.objects.select_for_update(no_key=True)
        .filter(type_pair_id=failure.type_pair_id, **{f"{side}_id": failure.record_id})
        .first()
    )
    if link is None:
        return
    source_base = getattr(link, f"{side}_base")
    target_base = getattr(link, f"{side.other}_base")
    lost = {fault["field"] for fault in failure.faults}
    for source, target in rows:
        if target in lost and source:
            source_base[source] = [failure.source_values.get(source), failure.source_version]
            target_base.setdefault(target, [None, ""])
    link.save(update_fields=["left_base", "right_base", "updated_at"])
