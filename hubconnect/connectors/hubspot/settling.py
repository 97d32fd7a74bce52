"""What became of creates whose answer was lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hubconnect.connectors import rich_text
from hubconnect.connectors.base import (
    Condition,
    Criteria,
    Operator,
    Record,
    SentCreate,
    Settled,
    ValueType,
)
from hubconnect.connectors.hubspot.lookup import Finder
from hubconnect.connectors.hubspot.objects import KEY_PROPERTY
from hubconnect.connectors.hubspot.records import RecordReader

# By then the search index surely holds what was created.
INDEX_LAG = timedelta(minutes=2)
# HubSpot's Date header has whole seconds, and its machines do not agree to the millisecond.
CLOCK_ROOM = timedelta(seconds=5)
APP_SOURCE = "hs_object_source_id"


class Settler:
    """Settles sent creates of one object type."""

    def __init__(self, reader: RecordReader, *, app_id: str, longest_request: timedelta) -> None:
        """Keep all.

        Args:
            reader: of the object type.
            app_id: the app that sent the creates, or "".
            longest_request: time after which a request sent by us is surely over.
        """
        self._reader = reader
        self._app_id = app_id
        self._longest_request = longest_request

    def by_key(self, sent: Sequence[SentCreate]) -> dict[str, Settled]:
        """Look the keys up: certain, and a key that is not there may safely be sent again."""
        names = (KEY_PROPERTY,)
        queries: list[Criteria] = [
            (Condition(KEY_PROPERTY, Operator.EQUALS, create.key),) for create in sent
        ]
        found = Finder(self._reader, queries, names).find()
        return {
            create.key: Settled(id=records[0].id) if records else Settled()
            for create, records in zip(sent, found, strict=True)
        }

    def by_values(self, sent: Sequence[SentCreate], now: datetime) -> dict[str, Settled]:
        """Compare recent creates of our app with what was sent.

        Args:
            sent: creates without an enforced key.
            now: time by HubSpot's clock before this reading began.
        """
        if not sent:
            return {}
        names = sorted({name for create in sent for name in self._compared(create)})
        since = min(create.sent_at for create in sent) - CLOCK_ROOM
        recent = self._recent(since, names)
        return {create.key: self._settle(create, recent, now) for create in sent}

    def _settle(self, create: SentCreate, recent: list[Record], now: datetime) -> Settled:
        candidates = tuple(record.id for record in recent if self._may_be(record, create))
        if candidates:
            return Settled(is_certain=False, candidates=candidates, is_ours=self._tells_app)
        wait = self._longest_request + INDEX_LAG
        return Settled(is_certain=now >= create.sent_at + wait)

    def _recent(self, since: datetime, names: Sequence[str]) -> list[Record]:
        kind = self._reader.schema.kind
        conditions = [Condition(kind.created, Operator.GREATER_THAN_OR_EQUALS, since)]
        if self._tells_app:
            conditions.append(Condition(APP_SOURCE, Operator.EQUALS, self._app_id))
        pages = self._reader.everything(tuple(conditions), names, "")
        return [record for page in pages for record in page.records]

    @property
    def _tells_app(self) -> bool:
        """Tell whether records show that our app made them."""
        return bool(self._app_id) and APP_SOURCE in self._reader.schema.fields

    def _compared(self, create: SentCreate) -> list[str]:
        """Return the sent fields that HubSpot keeps as they are, or nearly so."""
        fields = self._reader.schema.fields
        return [
            name
            for name, value in create.values.items()
            if value is not None and name in fields and fields[name].type in KEPT_AS_SENT
        ]

    def _may_be(self, record: Record, create: SentCreate) -> bool:
        is_later = record.created_at is None or record.created_at >= create.sent_at - CLOCK_ROOM
        fields = self._reader.schema.fields
        return is_later and all(
            _plain(fields[name].type, record.values.get(name))
            == _plain(fields[name].type, create.values[name])
            for name in self._compared(create)
        )


KEPT_AS_SENT = {
    ValueType.TEXT,
    ValueType.NUMBER,
    ValueType.BOOLEAN,
    ValueType.DATE,
    ValueType.OPTION,
    ValueType.OPTIONS,
    ValueType.DATETIME,
    ValueType.RICH_TEXT,
    ValueType.USER,
}


def _plain(value_type: ValueType, value: object) -> object:
    """Return a value without what HubSpot may change of it: markup, case, parts of milliseconds."""
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    if value_type is ValueType.RICH_TEXT and isinstance(value, str):
        return rich_text.normalise(value).casefold()
    return value.strip().casefold() if isinstance(value, str) else value
