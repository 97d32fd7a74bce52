"""What a connector is, and the values it trades in.

Values cross this border in canonical form, whatever the system's own is::

    TEXT str · RICH_TEXT str (sanitised HTML) · NUMBER Decimal · BOOLEAN bool · DATE date
    DATETIME aware UTC datetime · OPTION str (internal value) · OPTIONS frozenset[str]
    USER str (e-mail) · REFERENCE str (id) · nothing there: None (an empty text is None too)

Everything that takes many takes a list and costs as few calls as the system allows. A batch never
fails as a whole because of one record: each draft and patch gets its own ``Outcome``.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from hubconnect.connectors.budgets import PERSON, Caller, RateLimiter
from hubconnect.connectors.errors import AttentionError, RecordError
from hubconnect.connectors.guard import WriteGuard
from hubconnect.connectors.needs import Need, Use
from hubconnect.connectors.oauth import OAuthApp, TokenStore
from hubconnect.connectors.parameters import Parameter, Secret

if TYPE_CHECKING:
    from hubconnect.connectors.children import Associating, Attaching, Commenting
    from hubconnect.connectors.remembering import Remembering

Value = str | Decimal | bool | date | datetime | frozenset[str] | None
Values = Mapping[str, Value]
Settings = Mapping[str, str | Secret]


class ValueType(StrEnum):
    """Canonical type of a field's values."""

    TEXT = "text"
    RICH_TEXT = "rich_text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    OPTION = "option"
    OPTIONS = "options"
    USER = "user"
    REFERENCE = "reference"


class Capability(StrEnum):
    """What a system offers for an object type."""

    CREATE = "create"
    UPDATE = "update"
    COMMENTS = "comments"
    ATTACHMENTS = "attachments"
    ASSOCIATIONS = "associations"
    MENTIONS = "mentions"


class Operator(StrEnum):
    """Conditions of criteria, spelt as in the JSON."""

    EQUALS = "EQUALS"
    NOT_EQUALS = "NOT_EQUALS"
    GREATER_THAN = "GREATER_THAN"
    GREATER_THAN_OR_EQUALS = "GREATER_THAN_OR_EQUALS"
    LESS_THAN = "LESS_THAN"
    LESS_THAN_OR_EQUALS = "LESS_THAN_OR_EQUALS"
    BETWEEN = "BETWEEN"
    IN = "IN"
    NOT_IN = "NOT_IN"
    HAS_PROPERTY = "HAS_PROPERTY"
    NOT_HAS_PROPERTY = "NOT_HAS_PROPERTY"
    CONTAINS_TOKEN = "CONTAINS_TOKEN"  # noqa: S105 - a search operator
    NOT_CONTAINS_TOKEN = "NOT_CONTAINS_TOKEN"  # noqa: S105 - a search operator


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on one field; conditions are ANDed.

    ``value`` serves the one-valued operators and the low end of BETWEEN, ``high`` its high end,
    ``values`` IN and NOT_IN. All are canonical values of the field's type.
    """

    field: str
    operator: Operator
    value: Value = None
    values: tuple[Value, ...] = ()
    high: Value = None


Criteria = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One allowed value of an OPTION or OPTIONS field."""

    value: str
    label: str
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One named value of an object type.

    Attributes:
        native_type: the system's own words for the type, e.g. ``varchar(255)``.
        required: needed to create a record.
        has_default: the system fills it on create when nothing is sent.
        unique: the system keeps its values unique, so it can serve a lookup.
        open_options: allowed values live elsewhere and ``options`` may be incomplete.
        max_length: most characters a text may have, or None.
        scale: decimal places a number keeps, or None.
        searchable: criteria and lookups may have a condition on it.
    """

    name: str
    label: str
    type: ValueType
    native_type: str = ""
    required: bool = False
    has_default: bool = False
    read_only: bool = False
    unique: bool = False
    hidden: bool = False
    options: tuple[Option, ...] = ()
    open_options: bool = False
    searchable: bool = True
    max_length: int | None = None
    scale: int | None = None
    group: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """A kind of record.

    Attributes:
        name: internal name (``contacts``, ``public.orders``).
        code: the system's short code beside the name (``0-1``), or "".
        capabilities: what the system offers for it.
        why_not: for a capability that is missing, the sentence that says why and what to do.
        modified_field: field that carries the modified time, or "" when there is none; then
            ``changes`` gives every record and a start "at a time" is impossible.
        unreadable: the sentence that says why its records may not be read, or "".
        one_of: fields of which a new record needs at least one.
        needs_association: object types of which a new record must be linked to at least one
            record; empty where a record may stand alone.
    """

    name: str
    label: str
    code: str = ""
    capabilities: frozenset[Capability] = frozenset()
    why_not: Mapping[Capability, str] = field(default_factory=dict)
    modified_field: str = ""
    unreadable: str = ""
    one_of: tuple[str, ...] = ()
    needs_association: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One object as read.

    Attributes:
        values: canonical values of the asked fields; empty ones are None.
        version: opaque text that differs whenever the system saw the record change.
        modified_at: time of the last change by the system's clock, if it tells.
        created_at: time of creation by the system's clock, if it tells.
        former_ids: ids this record had before merges.
        author: who changed it last, as far as the system tells: an e-mail address, "user 77",
            "app 9001". It is shown to people and decides nothing.
        made_by_us: whether our own app created it; None: the system does not tell.
    """

    id: str
    values: Values
    version: str = ""
    modified_at: datetime | None = None
    created_at: datetime | None = None
    former_ids: tuple[str, ...] = ()
    author: str | None = None
    url: str = ""
    made_by_us: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records in the order of their ids, and where the next page goes on.

    ``after`` is the connector's own text: only it knows what it means, and only for the same kind
    of reading (``changes`` or ``everything``).
    ``settled`` tells that the values are those of the database. Values from a search index are
    not: they may drop a record (it equals what we know) but never write one.
    """

    records: tuple[Record, ...]
    after: str
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """The span of modified times one reading covers, by the system's clock, both ends included."""

    lower: datetime
    upper: datetime


@dataclass(frozen=True, slots=True)
class IdRange:
    """Part of all records, by their ids in the order in which ``everything`` gives them.

    It begins behind ``above`` and ends with ``upto``; where one is "", it is open.
    """

    above: str = ""
    upto: str = ""


ALL_IDS = IdRange()


@dataclass(frozen=True, slots=True)
class NewAssociation:
    """A link that a new record is created with.

    ``type`` names the association type in the connector's own way, seen from the new record;
    HubSpot's is ``<category>:<typeId>``, such as ``HUBSPOT_DEFINED:202``.
    """

    type: str
    to_id: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to create. ``key`` makes the create idempotent where the system enforces it."""

    key: str
    values: Values
    associations: tuple[NewAssociation, ...] = ()


@dataclass(frozen=True, slots=True)
class Patch:
    """Fields to change on one record.

    ``expected`` holds the values read before; a system that can compares them in the same
    statement and answers with an outcome whose ``is_stale`` is set when they have moved on.
    """

    key: str
    id: str
    values: Values
    expected: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one draft or patch, named by its ``key``.

    Exactly one of these holds: ``id`` is set (done; ``values`` as stored, as far as the answer
    shows them), ``error`` is set (refused), ``is_unknown`` (may have been applied), ``is_stale``
    (the record moved on since it was read), ``is_gone`` (no such record any more).

    ``was_there``: a create found the record that its key had made before and left it as it was, so
    that ``values`` may hold edits since.
    """

    key: str
    id: str = ""
    version: str = ""
    values: Values = field(default_factory=dict)
    error: RecordError | None = None
    is_unknown: bool = False
    is_stale: bool = False
    is_gone: bool = False
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class SentCreate:
    """A create whose outcome was lost: what was sent, and when by the system's clock."""

    key: str
    values: Values
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class SentUpdate:
    """An update of a record whose outcome was lost, and when it was sent by the system's clock."""

    key: str
    id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What a consistent read says about a sent create.

    ``id`` is set: it was created. Else ``is_certain`` tells whether "not created" can be relied
    on; if not, ``candidates`` are ids of records that may be it; ``is_ours`` tells that our own app
    made them.
    """

    id: str = ""
    is_certain: bool = True
    candidates: tuple[str, ...] = ()
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class QueryLine:
    """One line of a system's own query; ``is_ours``: it does not come from the criteria."""

    text: str
    is_ours: bool = False


class Ability(StrEnum):
    """Whether something may be done in an account."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ObjectTypeReport:
    """What the credential may do with one object type."""

    name: str
    label: str
    read: Ability
    write: Ability
    needed: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """One scope or privilege: granted or missing, and what it is for.

    Attributes:
        known_as: the name under which guides have it, where that is another, or "".
        is_optional: without it, something is less convenient and nothing fails.
    """

    name: str
    granted: bool
    purpose: str = ""
    known_as: str = ""
    is_optional: bool = False

    @property
    def is_missing(self) -> bool:
        """Tell whether something will fail without it."""
        return not (self.granted or self.is_optional)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a check points out. ``suggestion`` is a value that would put it right."""

    message: str
    parameter: str = ""
    suggestion: str = ""
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Preparation:
    """Something HubConnect can set up in the account to make writes safe.

    ``statement`` shows exactly what would be done (a DDL statement, a property).
    """

    name: str
    label: str
    statement: str
    is_done: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a live check found.

    Attributes:
        identity: stable name of the account (``hubspot:4242``); links belong to it.
        identity_label: the same for a person.
        facts: label and text, in order of interest.
        calls: requests the check cost.
        settled: parameters that the check found out; they replace what was entered.
    """

    identity: str
    identity_label: str
    facts: tuple[tuple[str, str], ...] = ()
    grants: tuple[Grant, ...] = ()
    object_types: tuple[ObjectTypeReport, ...] = ()
    remarks: tuple[Remark, ...] = ()
    preparations: tuple[Preparation, ...] = ()
    calls: int = 0
    settled: Mapping[str, str] = field(default_factory=dict)


class Cache(Protocol):
    """Keeps texts for a while, shared or not: schemas, owners, which account a token is of."""

    def get(self, key: str) -> str | None:
        """Return the text kept under this key, or None."""

    def set(self, key: str, text: str, keep_for: timedelta) -> None:
        """Keep a text. It may be forgotten sooner. Never a secret."""


class AddressPolicy(Protocol):
    """Decides which resolved addresses may be connected to."""

    def refuse_reason(self, host: str, address: str) -> str:
        """Return why this address may not be reached, or "" when it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a connector receives from its surroundings, so that it reads no settings itself.

    Attributes:
        limiter: shared rate limits.
        addresses: outbound address policy.
        caller: for whom calls are made; waiting for shared limits goes by turns of these.
        cache: keeps schemas and identities between runs, so that a run costs no calls for them.
        is_fresh: what is cached is read anew (a person asked, or a schema changed).
        sqlite_dir: the only folder below which SQLite files may be opened; "" forbids them.
        forbidden_databases: addresses a SQL system may never open (HubConnect's own).
        request_timeout: longest time one request may take.
        tokens: where the tokens of this system are kept, if a person signed in by OAuth.
        guard: asked before each request that writes.
    """

    limiter: RateLimiter
    addresses: AddressPolicy
    caller: Caller = PERSON
    cache: Cache | None = None
    is_fresh: bool = False
    sqlite_dir: str = ""
    forbidden_databases: tuple[str, ...] = ()
    request_timeout: timedelta = timedelta(seconds=30)
    tokens: TokenStore | None = None
    guard: WriteGuard = field(default_factory=WriteGuard)

    @property
    def series_limit(self) -> timedelta:
        """How long after a series of writes began its last request may begin."""
        return 2 * self.request_timeout

    @property
    def longest_series(self) -> timedelta:
        """How long after a series of writes began we may still wait for one of its answers."""
        return self.series_limit + self.request_timeout


@dataclass(frozen=True, slots=True)
class Meter:
    """What a system's calls of a day are taken from.

    Attributes:
        key: of the limiter's day; names the account.
        kept_percent: share of the day left to other apps.
        slow_percent: share before that, in which HubConnect slows down.
    """

    key: str
    kept_percent: int
    slow_percent: int


class Connector(ABC):
    """One kind of system. An instance serves one account in one run or request."""

    slug: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str] = "systems"
    parameters: ClassVar[tuple[Parameter, ...]]
    # What people call a query of this system that ``understand`` reads, or "": it reads none.
    query_name: ClassVar[str] = ""
    # Guides of the Help section for who writes criteria on it or looks records up in it.
    criteria_guides: ClassVar[tuple[str, ...]] = ()
    # Criteria may have this many conditions; None: as many as one likes.
    max_conditions: ClassVar[int | None] = None
    # Records a page of `changes` or `everything` holds at most, and writes in one call.
    batch_size: ClassVar[int] = 100
    # How far a window reaches back behind the last one's end, for late index or commit.
    overlap: ClassVar[timedelta] = timedelta(minutes=2)
    # Its calls come out of a budget that people watch (an API's), unlike statements to a database.
    is_metered: ClassVar[bool] = False
    # How long the system may go on with a request whose caller is gone: until then an update that
    # is not seen may still come.
    server_time: ClassVar[timedelta] = timedelta(0)
    # Versions order by time, so that an older one can be dropped unseen.
    has_ordered_versions: ClassVar[bool] = False

    def __init__(self, settings: Settings, context: Context) -> None:
        """Keep settings and context; connect to nothing yet."""
        self.settings = settings
        self.context = context

    @classmethod
    def meter(cls, identity: str, parameters: Mapping[str, str]) -> Meter | None:  # noqa: ARG003
        """Return what the calls of a day are taken from; None if nothing counts them by the day."""
        return None

    @classmethod
    def clean_settings(cls, values: dict[str, str]) -> dict[str, str]:
        """Return the values with what depends on several of them put right.

        Called after each parameter was cleaned by itself. ``values`` holds secrets as text; a
        secret that is stored and was left empty is missing.

        Raises:
            ParameterInvalidError: naming the parameter to correct.
        """
        return values

    @classmethod
    def places(cls, identity: str, facts: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG003
        """Return addresses in the account's own application that guides lead to, by name.

        ``facts`` are those of the last check report. Empty where nothing is known.
        """
        return {}

    @property
    def associating(self) -> "Associating | None":
        """Return what reads and writes associations, or None."""
        return None

    @property
    def commenting(self) -> "Commenting | None":
        """Return what reads and writes comments, or None."""
        return None

    @property
    def attaching(self) -> "Attaching | None":
        """Return what reads and writes files, or None."""
        return None

    @property
    def remembering(self) -> "Remembering | None":
        """Return what tells earlier values of fields, or None."""
        return None

    @classmethod
    def oauth_app(cls, settings: Settings, context: Context) -> OAuthApp | None:  # noqa: ARG003 - for those that have one
        """Return the app through which these settings sign in by OAuth, or None."""
        return None

    @classmethod
    def needs(cls, uses: Iterable[Use]) -> tuple[Need, ...]:  # noqa: ARG003 - for those that have scopes
        """Return the scopes that these uses need; of no use at all, what may ever be needed."""
        return ()

    def granted(self) -> frozenset[str] | None:
        """Return the scopes of this credential, or None where the system does not tell."""
        return None

    def close(self) -> None:  # noqa: B027 - having nothing to give back is fine
        """Give connections back. The connector is not used afterwards."""

    @property
    @abstractmethod
    def calls(self) -> Mapping[str, int]:
        """Requests sent so far, by kind (``search``, ``batch read``, ``select``...)."""

    @abstractmethod
    def identity(self) -> str:
        """Return the account's stable name. Costs at most one call."""

    @abstractmethod
    def check(self) -> CheckReport:
        """Ask the live system what this credential is and may do.

        Raises:
            AttentionError: the parameter it names must be corrected.
            TemporaryError: the system cannot answer now.
        """

    def prepare(self, name: str) -> None:
        """Carry out the preparation of this name that ``check`` offered."""
        raise LookupError(name)

    @abstractmethod
    def object_types(self) -> list[ObjectType]:
        """Return the kinds of record this account offers."""

    @abstractmethod
    def fields(self, object_type: str) -> list[Field]:
        """Return the fields of an object type.

        Raises:
            AttentionError: there is no such object type (any more).
        """

    @abstractmethod
    def now(self) -> datetime:
        """Return the time by the system's clock, aware, UTC."""

    @abstractmethod
    def changes(
        self,
        object_type: str,
        window: Window,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
    ) -> Iterator[Page]:
        """Yield the records modified in the window, by ascending id, from behind ``after`` on."""

    @abstractmethod
    def everything(
        self,
        object_type: str,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
        within: IdRange = ALL_IDS,
    ) -> Iterator[Page]:
        """Yield all records by ascending id, from behind ``after`` on: the first load.

        ``within`` narrows it to one of the ranges that ``cut`` gave.
        """

    def cut(
        self,
        object_type: str,  # noqa: ARG002 - for those that override it
        criteria: Criteria,  # noqa: ARG002
        parts: int,  # noqa: ARG002
    ) -> tuple[IdRange, ...]:
        """Return ranges that together hold every record once, of roughly equal size.

        They are at most ``parts``, in their order; fewer where the ids do not allow it, one where
        they cannot be cut at all. The last one is open, for records that are made meanwhile.
        """
        return (ALL_IDS,)

    @abstractmethod
    def count(self, object_type: str, criteria: Criteria = ()) -> int:
        """Return how many records there are."""

    @abstractmethod
    def read(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Record]:
        """Return records by the asked id; what does not exist (any more) is missing."""

    @abstractmethod
    def find(
        self, object_type: str, queries: Sequence[Criteria], fields: Sequence[str]
    ) -> list[list[Record]]:
        """Return the matches of each query, in the queries' order, each list complete."""

    @abstractmethod
    def create(self, object_type: str, drafts: Sequence[Draft]) -> list[Outcome]:
        """Create records; one outcome per draft, named by its key, in any order.

        Raises:
            TemporaryError: nothing was taken; all may be sent again.
            AttentionError: nothing was taken; a person must act.
            OutcomeUnknownError: it is unknown which drafts were taken.
        """

    @abstractmethod
    def update(self, object_type: str, patches: Sequence[Patch]) -> list[Outcome]:
        """Change records; outcomes and errors as for ``create``."""

    @abstractmethod
    def settle(self, object_type: str, sent: Sequence[SentCreate]) -> dict[str, Settled]:
        """Find out by consistent reads which sent creates were carried out, by key."""

    def arrived(
        self,
        object_type: str,  # noqa: ARG002 - for those that keep a note of updates
        sent: Sequence[SentUpdate],  # noqa: ARG002
    ) -> Mapping[str, bool]:
        """Tell by key whether sent updates are carried out by now; missing: it keeps no note."""
        return {}

    def settles_with(self, object_type: str) -> str:  # noqa: ARG002 - for those that override it
        """Return why creates of this object type cannot be settled for sure, or ""."""
        return ""

    def explain(
        self,
        object_type: str,  # noqa: ARG002 - for those that override it
        criteria: Criteria,  # noqa: ARG002
    ) -> tuple[QueryLine, ...]:
        """Return the query that reads changes by these criteria, as a person may check it.

        Asks the system for no more than its schema.
        """
        return ()

    def understand(self, object_type: str, query: str) -> Criteria:  # noqa: ARG002
        """Return the criteria that one of the system's own queries stands for.

        Raises:
            AttentionError: the text cannot be read, or asks what criteria cannot.
        """
        msg = f"{self.label} has no queries that can be read back."
        raise AttentionError(msg, hint="Write the criteria as JSON.")

    @abstractmethod
    def url(self, object_type: str, record_id: str) -> str:
        """Return where a person sees the record, or ""."""

    def locate(self, address: str) -> tuple[str, str] | None:  # noqa: ARG002 - for those that have pages
        """Return object type and id of the record that an address shows: ``url`` turned round.

        None for an address that is no record's of this account. Costs no call once the account is
        known.
        """
        return None
