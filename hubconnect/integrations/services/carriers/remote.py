"""Writes the counterpart's id and address into fields of both records.

A created record got them with its create. These fields are not mapped, so the change they make
is seen as nothing new.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.utils import timezone

from hubconnect.connectors.base import Connector, Field, Patch, Value, ValueType
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.plan import LinkState
from hubconnect.engine.values import ConversionError, parse_text
from hubconnect.integrations.models import FollowUp
from hubconnect.integrations.services import child_failures, follow_ups
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session

KIND = FollowUp.Kind.REMOTE
CHILD = f"{KIND} id and link"
LOOK_SOON = timedelta(seconds=10)


def carry(session: Session, links: Sequence[LinkState]) -> None:
    """Write what both records do not hold yet; no write when all is there.

    Raises:
        ConnectorError: a system stopped the work; it is compared again.
        LeaseLostError: another worker took over.
    """
    failed: list[tuple[LinkState, RecordError]] = []
    unknown: list[LinkState] = []
    for half in _halves(session, links):
        _write(session, half, failed, unknown)
    for link, error in failed:
        child_failures.record(session, link, CHILD, error)
    again = [link.source_id for link in unknown]
    follow_ups.look_at(session, KIND, again, timezone.now() + LOOK_SOON)
    standing = {f"{one}\n{CHILD}" for one in (*again, *(link.source_id for link, _ in failed))}
    child_failures.heal(session, [link.source_id for link in links], KIND, but=standing)


@dataclass(frozen=True, slots=True)
class _Half:
    """One side of the links, and what its records receive."""

    system: Connector
    object_type: str
    fields: Mapping[str, Field]
    names: tuple[str, str]
    links: dict[str, LinkState]  # by this side's id
    url_of: Callable[[str], str]  # of the other side's id
    other_id: Callable[[LinkState], str]

    def patches(self, failed: list[tuple[LinkState, RecordError]]) -> list[Patch]:
        """Return what these records do not hold yet."""
        found: list[Patch] = []
        asked = [name for name in self.names if name]
        for own_id, record in self.system.read(self.object_type, list(self.links), asked).items():
            link = self.links[own_id]
            other_id = self.other_id(link)
            try:
                wanted = counterpart_values(
                    self.fields, self.names, other_id, self.url_of(other_id)
                )
            except RecordError as error:
                failed.append((link, error))
                continue
            new = {n: value for n, value in wanted.items() if record.values.get(n) != value}
            if new:
                found.append(Patch(f"remote:{own_id}", own_id, new))
        return found


def _halves(session: Session, links: Sequence[LinkState]) -> Iterator[_Half]:
    flow, spec, remote = session.flow, session.spec, session.spec.children.remote
    source, target = session.source, session.target
    if remote.on_source:
        yield _Half(
            source,
            flow.source_type,
            spec.source_fields,
            (remote.source_id, remote.source_link),
            {link.source_id: link for link in links},
            partial(target.url, flow.target_type),
            lambda link: link.target_id,
        )
    if remote.on_target:
        yield _Half(
            target,
            flow.target_type,
            spec.target_fields,
            (remote.target_id, remote.target_link),
            {link.target_id: link for link in links},
            partial(source.url, flow.source_type),
            lambda link: link.source_id,
        )


def _write(
    session: Session,
    half: _Half,
    failed: list[tuple[LinkState, RecordError]],
    unknown: list[LinkState],
) -> None:
    """Send the values. Repeating that does no harm, so a lost reply needs no settling."""
    patches = half.patches(failed)
    size = half.system.batch_size
    for start in range(0, len(patches), size):
        session.begin_writing(half.system)
        renew(session.lease)
        batch = {patch.key: patch for patch in patches[start : start + size]}
        for outcome in half.system.update(half.object_type, list(batch.values())):
            link = half.links[batch[outcome.key].id]
            if outcome.error is not None:
                failed.append((link, outcome.error))
            elif outcome.is_unknown:
                unknown.append(link)


def counterpart_values(
    fields: Mapping[str, Field], names: tuple[str, str], record_id: str, url: str
) -> dict[str, Value]:
    """Return the values of the fields that receive a counterpart's id and address.

    A field of rich text gets a link with the id as its text.

    Raises:
        RecordError: the id or address does not fit a field.
    """
    id_field, link_field = (fields.get(name) for name in names)
    values: dict[str, Value] = {}
    if id_field is not None:
        values[id_field.name] = _fitting(id_field, record_id)
    if link_field is not None and url:
        is_rich = link_field.type is ValueType.RICH_TEXT
        text = f'<a href="{url}">{record_id}</a>' if is_rich else url
        values[link_field.name] = text if is_rich else _fitting(link_field, text)
    return values


def _fitting(field: Field, text: str) -> Value:
    try:
        value = parse_text(text, field)
    except ConversionError as error:
        msg = f"{field.label} cannot hold {text!r}: {error}"
        hint = "Choose a text field for the counterpart's id and address."
        raise RecordError(msg, hint=hint) from error
    if field.max_length is not None and len(text) > field.max_length:
        msg = f"{field.label} holds {field.max_length} characters, and {text!r} has {len(text)}."
        raise RecordError(msg, hint="Choose a longer text field for it.")
    return value
