"""Writing records in batches, with an outcome for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hubconnect.connectors.base import Draft, Outcome, Patch, Value, Values
from hubconnect.connectors.errors import (
    AttentionError,
    ConnectorError,
    RecordError,
    TemporaryError,
)
from hubconnect.connectors.http import Answer
from hubconnect.connectors.hubspot.api import HubSpotApi, Json, entries, results
from hubconnect.connectors.hubspot.errors import BAD_REQUEST, Envelope, read_envelope, record_error
from hubconnect.connectors.hubspot.explaining import explain
from hubconnect.connectors.hubspot.newlinks import inline
from hubconnect.connectors.hubspot.objects import KEY_PROPERTY
from hubconnect.connectors.hubspot.schema import Schema

BATCH = 100
TRACE = "objectWriteTraceId"
GONE = "OBJECT_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Item:
    """One input of a batch, and what its outcome is told by."""

    action: str
    key: str
    trace: str
    body: Json
    names: tuple[str, ...]
    cleared: dict[str, Value] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return the record's id, or the key of an upsert."""
        return str(self.body.get("id", ""))


class RecordWriter:
    """Creates and changes records of one object type."""

    def __init__(self, api: HubSpotApi, schema: Schema) -> None:
        """Keep both."""
        self._api = api
        self._schema = schema

    def create(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Create records: by their key where the account has our key property."""
        items: list[Item] = []
        outcomes: list[Outcome] = []
        for position, draft in enumerate(drafts):
            try:
                items.append(self._new(draft, str(position)))
            except RecordError as error:
                outcomes.append(Outcome(key=draft.key, error=error))
        outcomes += self._send(_batches(items))
        return self._recognised(items, outcomes)

    def update(self, patches: Sequence[Patch]) -> list[Outcome]:
        """Change records; a batch never names a record twice, which HubSpot would refuse."""
        items: list[Item] = []
        outcomes: list[Outcome] = []
        for position, patch in enumerate(patches):
            try:
                texts = self._schema.write(patch.values)
            except RecordError as error:
                outcomes.append(Outcome(key=patch.key, error=error))
                continue
            trace = str(position)
            body: Json = {"id": patch.id, "properties": texts, TRACE: trace}
            items.append(Item("update", patch.key, trace, body, tuple(patch.values)))
        return outcomes + self._send(_batches(items))

    def _new(self, draft: Draft, trace: str) -> Item:
        """Return the input that creates a record.

        Raises:
            RecordError: a value does not suit its field, or a link that must be is missing.
        """
        texts = self._schema.write(draft.values)
        associations = inline(self._schema.kind, draft.associations)
        filled = {name: text for name, text in texts.items() if text}
        body: Json = {"properties": filled, TRACE: trace}
        action = "create"
        if associations:
            # An upsert takes no associations. The key among the properties has the same effect: a
            # repeated create is refused, naming the record that has the key.
            body["associations"] = associations
            if self._schema.has_key:
                filled[KEY_PROPERTY] = draft.key
        elif self._schema.has_key:
            body |= {"id": draft.key, "idProperty": KEY_PROPERTY}
            action = "upsert"
        cleared: dict[str, Value] = {name: None for name in draft.values if name not in filled}
        return Item(action, draft.key, trace, body, tuple(draft.values), cleared)

    def _recognised(self, items: Sequence[Item], outcomes: list[Outcome]) -> list[Outcome]:
        """Take for done what was refused only because the record has our key already."""
        ours = {
            outcome.key: outcome.error.existing_id
            for outcome in outcomes
            if outcome.error is not None
            and outcome.error.existing_id
            and [fault.field for fault in outcome.error.faults] == [KEY_PROPERTY]
        }
        if not ours:
            return outcomes
        by_key = {item.key: item for item in items}
        names = sorted({name for key in ours for name in by_key[key].names})
        ids = sorted(set(ours.values()))
        try:
            found = [
                each
                for start in range(0, len(ids), BATCH)
                for each in results(
                    self._api.batch_read(self._schema.kind.name, ids[start : start + BATCH], names)
                )
            ]
        except ConnectorError:
            # They exist; what they hold is read by whoever needs it.
            found = []
        held = {str(each["id"]): each for each in found}
        return [
            replace(
                self._done(by_key[o.key], held.get(ours[o.key], {"id": ours[o.key]})),
                was_there=True,
            )
            if o.key in ours
            else o
            for o in outcomes
        ]

    def _send(self, batches: list[list[Item]]) -> list[Outcome]:
        """Send batches; one refused as a whole is taken apart until the bad inputs are found.

        Once anything was carried out, what follows must not raise: the outcomes would be lost.
        """
        outcomes: list[Outcome] = []
        while batches:
            batch = batches.pop(0)
            try:
                answer = self._api.batch_write(
                    self._schema.kind.name,
                    batch[0].action,
                    [item.body for item in batch],
                    is_keyed=batch[0].action != "update" and self._schema.has_key,
                )
            except ConnectorError as error:
                is_untouched = not any(outcome.id for outcome in outcomes)
                is_refusal = isinstance(error, TemporaryError | AttentionError)
                if not outcomes or (is_untouched and is_refusal):
                    raise
                open_items = [item for rest in (batch, *batches) for item in rest]
                return outcomes + [Outcome(key=i.key, is_unknown=True) for i in open_items]
            if answer.status < BAD_REQUEST:
                outcomes += self._outcomes(batch, answer)
                continue
            bad, rest = _take_apart(batch, read_envelope(answer.data))
            outcomes += [self._refusal(item, error) for item, error in bad]
            batches[:0] = rest
        return outcomes

    def _outcomes(self, batch: list[Item], answer: Answer) -> list[Outcome]:
        """Return the outcome of each input of a batch that was carried out, in part at least."""
        open_items = {item.trace: item for item in batch}
        outcomes: list[Outcome] = []
        for result in entries(answer, "results"):
            item = _asker(result, open_items)
            if item is not None:
                del open_items[item.trace]
                outcomes.append(self._done(item, result))
        envelopes = [read_envelope(each) for each in entries(answer, "errors")]
        for envelope in envelopes:
            for item in _named(envelope, open_items.values(), is_alone=len(envelopes) == 1):
                del open_items[item.trace]
                outcomes.append(self._refusal(item, envelope))
        return outcomes + [Outcome(key=i.key, is_unknown=True) for i in open_items.values()]

    def _refusal(self, item: Item, envelope: Envelope) -> Outcome:
        if item.action == "update" and envelope.category == GONE:
            return Outcome(key=item.key, is_gone=True)
        return Outcome(key=item.key, error=explain(record_error(envelope), self._schema))

    def _done(self, item: Item, result: Json) -> Outcome:
        values: Values = item.cleared | self._schema.read_known(
            result.get("properties") or {}, item.names
        )
        return Outcome(
            key=item.key, id=str(result["id"]), version=result.get("updatedAt") or "", values=values
        )


def _batches(items: Iterable[Item]) -> list[list[Item]]:
    """Return batches of a hundred at most, each of one action, in which no record stands twice."""
    batches: list[list[Item]] = []
    ids: set[str] = set()
    for item in sorted(items, key=lambda each: each.action):
        last = batches[-1] if batches else []
        is_other = not last or last[0].action != item.action
        if is_other or len(last) == BATCH or (item.id and item.id in ids):
            batches.append([])
            ids = set()
        batches[-1].append(item)
        ids.add(item.id)
    return batches


def _asker(result: Json, items: dict[str, Item]) -> Item | None:
    """Return the input a result belongs to."""
    trace = result.get(TRACE)
    if trace is not None:
        return items.get(str(trace))
    names = {str(result.get("id", "")), str((result.get("properties") or {}).get(KEY_PROPERTY))}
    return next((item for item in items.values() if item.id and item.id in names), None)


def _named(envelope: Envelope, items: Iterable[Item], *, is_alone: bool) -> list[Item]:
    """Return the inputs an error is about: those it names, or the only one left over."""
    traces = set(envelope.context.get(TRACE, ()))
    ids = {text for name in ("ids", "id") for text in envelope.context.get(name, ())}
    left = list(items)
    found = [item for item in left if item.trace in traces]
    found = found or [item for item in left if item.id and item.id in ids]
    return found or (left if is_alone and len(left) == 1 else [])


def _take_apart(
    batch: list[Item], envelope: Envelope
) -> tuple[list[tuple[Item, Envelope]], list[list[Item]]]:
    """Return the inputs known to be bad, and the others in batches to be sent again."""
    named = _named(envelope, batch, is_alone=True) or _sharing_fault(envelope, batch)
    if named:
        traces = {item.trace for item in named}
        rest = [item for item in batch if item.trace not in traces]
        return [(item, envelope) for item in named], [rest] if rest else []
    middle = len(batch) // 2
    return [], [batch[:middle], batch[middle:]]


def _sharing_fault(envelope: Envelope, batch: list[Item]) -> list[Item]:
    """Return the inputs with a property that no record may carry."""
    wrong = {
        fault.field
        for fault in envelope.faults
        if fault.code in {"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"}
    }
    return [item for item in batch if wrong & item.body["properties"].keys()]
