"""Writing records in batches, with an outcome for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hubconnect.connectors.base import Draft, Outcome, Patch, Value, Values
from hubconnect.connectors.errors import (
    AttentionError,
    ConnectorError,
    RecordError,
    TemporaryError,
)
from hubconnect.connectors.http import Answer
from hubconnect.connectors.hubspot.api import HubSpotApi, Json, entries
from hubconnect.connectors.hubspot.errors import BAD_REQUEST, Envelope, read_envelope, record_error
from hubconnect.connectors.hubspot.objects import KEY_PROPERTY
from hubconnect.connectors.hubspot.schema import Schema

BATCH = 100
TRACE = "objectWriteTraceId"
GONE = "OBJECT_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Item:
    """One input of a batch, and what its outcome is told by."""

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
        action = "upsert" if self._schema.has_key else "create"
        items, outcomes = self._prepare(drafts)
        return outcomes + self._send(action, _batches(items))

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
            items.append(Item(patch.key, trace, body, tuple(texts)))
        return outcomes + self._send("update", _batches(items))

    def _prepare(self, drafts: Sequence[Draft]) -> tuple[list[Item], list[Outcome]]:
        items: list[Item] = []
        outcomes: list[Outcome] = []
        for position, draft in enumerate(drafts):
            try:
                texts = self._schema.write(draft.values)
            except RecordError as error:
                outcomes.append(Outcome(key=draft.key, error=error))
                continue
            filled = {name: text for name, text in texts.items() if text}
            trace = str(position)
            body: Json = {"properties": filled, TRACE: trace}
            if self._schema.has_key:
                body |= {"id": draft.key, "idProperty": KEY_PROPERTY}
            cleared: dict[str, Value] = {name: None for name in texts if name not in filled}
            items.append(Item(draft.key, trace, body, tuple(texts), cleared))
        return items, outcomes

    def _send(self, action: str, batches: list[list[Item]]) -> list[Outcome]:
        """Send batches; one refused as a whole is taken apart until the bad inputs are found.

        Once anything was carried out, what follows must not raise: the outcomes would be lost.
        """
        outcomes: list[Outcome] = []
        while batches:
            batch = batches.pop(0)
            try:
                answer = self._api.batch_write(
                    self._schema.kind.name,
                    action,
                    [item.body for item in batch],
                    is_keyed=action == "upsert",
                )
            except ConnectorError as error:
                is_untouched = not any(outcome.id for outcome in outcomes)
                is_refusal = isinstance(error, TemporaryError | AttentionError)
                if not outcomes or (is_untouched and is_refusal):
                    raise
                open_items = [item for rest in (batch, *batches) for item in rest]
                return outcomes + [Outcome(key=i.key, is_unknown=True) for i in open_items]
            if answer.status < BAD_REQUEST:
                outcomes += self._outcomes(action, batch, answer)
                continue
            bad, rest = _take_apart(batch, read_envelope(answer.data))
            outcomes += [_refusal(action, item, error) for item, error in bad]
            batches[:0] = rest
        return outcomes

    def _outcomes(self, action: str, batch: list[Item], answer: Answer) -> list[Outcome]:
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
                outcomes.append(_refusal(action, item, envelope))
        return outcomes + [Outcome(key=i.key, is_unknown=True) for i in open_items.values()]

    def _done(self, item: Item, result: Json) -> Outcome:
        values: Values = item.cleared | self._schema.read_known(
            result.get("properties") or {}, item.names
        )
        return Outcome(
            key=item.key, id=str(result["id"]), version=result.get("updatedAt") or "", values=values
        )


def _batches(items: Iterable[Item]) -> list[list[Item]]:
    """Return batches of a hundred at most, in which no record stands twice."""
    batches: list[list[Item]] = []
    ids: set[str] = set()
    for item in items:
        if not batches or len(batches[-1]) == BATCH or (item.id and item.id in ids):
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


def _refusal(action: str, item: Item, envelope: Envelope) -> Outcome:
    if action == "update" and envelope.category == GONE:
        return Outcome(key=item.key, is_gone=True)
    return Outcome(key=item.key, error=record_error(envelope))
