"""The HubSpot connector: fulfils the contract with the modules beside it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import ClassVar

from typing_extensions import override

from hubconnect.connectors.base import (
    ALL_IDS,
    CheckReport,
    Connector,
    Context,
    Criteria,
    Draft,
    Field,
    IdRange,
    Meter,
    ObjectType,
    Outcome,
    Page,
    Patch,
    QueryLine,
    Record,
    SentCreate,
    Settings,
    Settled,
    Window,
)
from hubconnect.connectors.budgets import LONGEST_WAIT
from hubconnect.connectors.connections import UnreachableError
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.hubspot import queries
from hubconnect.connectors.hubspot.account import (
    Account,
    OwnerDirectory,
    Shelf,
    pack_account,
    read_account,
    read_token,
    unpack_account,
)
from hubconnect.connectors.hubspot.api import HubSpotApi, Signer
from hubconnect.connectors.hubspot.associations import Associations
from hubconnect.connectors.hubspot.auth import build_app, build_signer
from hubconnect.connectors.hubspot.check import Check, make_key
from hubconnect.connectors.hubspot.custom import custom_kinds, read_custom_objects, why_unseen
from hubconnect.connectors.hubspot.describing import describe
from hubconnect.connectors.hubspot.errors import GarbledAnswerError
from hubconnect.connectors.hubspot.explaining import is_stale
from hubconnect.connectors.hubspot.files import Files
from hubconnect.connectors.hubspot.links import Links
from hubconnect.connectors.hubspot.lookup import Finder
from hubconnect.connectors.hubspot.notebook import NOTES, Notebook
from hubconnect.connectors.hubspot.notes import Notes
from hubconnect.connectors.hubspot.objects import KEY_PROPERTY, KINDS, ObjectKind
from hubconnect.connectors.hubspot.origins import Origins
from hubconnect.connectors.hubspot.parameters import PARAMETERS
from hubconnect.connectors.hubspot.places import build_places, find_record, opened_at
from hubconnect.connectors.hubspot.quota import Quota
from hubconnect.connectors.hubspot.records import RecordReader
from hubconnect.connectors.hubspot.remembering import Histories
from hubconnect.connectors.hubspot.schema import Schema, pack, unpack
from hubconnect.connectors.hubspot.scopes import EVERYTHING, build_needs
from hubconnect.connectors.hubspot.settling import Settler
from hubconnect.connectors.hubspot.writes import RecordWriter
from hubconnect.connectors.needs import Need, Use
from hubconnect.connectors.oauth import OAuthApp
from hubconnect.connectors.parameters import Parameter

# A person waits for the check's result.
CHECK_PATIENCE = timedelta(seconds=2)


class HubSpotConnector(Connector):
    """One HubSpot account, seen with one credential."""

    slug: ClassVar[str] = "hubspot"
    label: ClassVar[str] = "HubSpot"
    icon: ClassVar[str] = "systems"
    parameters: ClassVar[tuple[Parameter, ...]] = PARAMETERS
    query_name: ClassVar[str] = "Search API request"
    criteria_guides: ClassVar[tuple[str, ...]] = ("hubspot-criteria", "hubspot-internal-names")
    # A search takes five conditions; the window and the place in it are two.
    max_conditions: ClassVar[int | None] = 3
    batch_size: ClassVar[int] = 100
    overlap: ClassVar[timedelta] = timedelta(minutes=2)
    # Then it answers with status 524 ("Error handling").
    is_metered: ClassVar[bool] = True
    server_time: ClassVar[timedelta] = timedelta(seconds=100)
    has_ordered_versions: ClassVar[bool] = True

    def __init__(self, settings: Settings, context: Context) -> None:
        """Keep settings and context; connect to nothing yet."""
        super().__init__(settings, context)
        self._shelf = Shelf(context)
        self._schemas: dict[str, Schema] = {}

    @override
    def close(self) -> None:
        if "_api" in self.__dict__:
            self._api.http.close()
        if "_signer" in self.__dict__:
            self._signer.close()

    @classmethod
    @override
    def oauth_app(cls, settings: Settings, context: Context) -> OAuthApp | None:
        return build_app(settings, context)

    @classmethod
    @override
    def meter(cls, identity: str, parameters: Mapping[str, str]) -> Meter | None:
        quota = Quota.of(parameters, account=identity.removeprefix("hubspot:"))
        return Meter(quota.day_key, quota.kept, quota.slow)

    @classmethod
    @override
    def needs(cls, uses: Iterable[Use]) -> tuple[Need, ...]:
        return build_needs(tuple(uses) or EVERYTHING)

    @override
    def granted(self) -> frozenset[str] | None:
        return self._granted_now

    @property
    @override
    def calls(self) -> Mapping[str, int]:
        if "_api" not in self.__dict__:
            return {}
        return Counter(self._api.http.calls) + Counter(self._signer.calls)

    @override
    def identity(self) -> str:
        return self._account.identity

    @override
    def check(self) -> CheckReport:
        self._api.http.patience = CHECK_PATIENCE
        try:
            account = read_account(self._api)
            self._shelf.renew(self._key("account"), partial(pack_account, account))
            custom = self._shelf.renew(self._key("custom"), partial(read_custom_objects, self._api))
            check = Check(
                api=self._api,
                kinds=self._kinds,
                unseen=why_unseen(custom),
                get_schema=self._schema,
                app_id=self._text("app_id"),
                email=self._text("user_email"),
            )
            return check.run(account)
        except (UnreachableError, GarbledAnswerError) as error:
            raise AttentionError(
                error.message,
                hint=error.hint,
                category=Category.UNREACHABLE,
                parameter="api_url",
            ) from error
        finally:
            self._api.http.patience = LONGEST_WAIT

    @override
    def prepare(self, name: str) -> None:
        prefix, _, object_type = name.partition(":")
        if prefix != KEY_PROPERTY or object_type not in self._kinds:
            raise LookupError(name)
        make_key(self._api, self._schema(object_type))
        self._forget_schema(object_type)

    @override
    def object_types(self) -> list[ObjectType]:
        return [describe(kind, self._kinds, self._granted) for kind in self._kinds.values()]

    @override
    def fields(self, object_type: str) -> list[Field]:
        return list(self._schema(object_type).fields.values())

    @override
    def now(self) -> datetime:
        now = self._api.http.server_now()
        if now is None:
            self._api.account_details()
            now = self._api.http.server_now()
        if now is None:
            msg = "HubSpot's answer carries no Date, so its clock is not known."
            raise AttentionError(msg, hint="Correct the API Url.", parameter="api_url")
        return now

    @override
    def changes(
        self,
        object_type: str,
        window: Window,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
    ) -> Iterator[Page]:
        return self._reader(object_type).changes(window, criteria, fields, after)

    @override
    def everything(
        self,
        object_type: str,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
        within: IdRange = ALL_IDS,
    ) -> Iterator[Page]:
        return self._reader(object_type).everything(criteria, fields, after, within)

    @override
    def cut(self, object_type: str, criteria: Criteria, parts: int) -> tuple[IdRange, ...]:
        return self._reader(object_type).cut(criteria, parts)

    @override
    def count(self, object_type: str, criteria: Criteria = ()) -> int:
        return self._reader(object_type).count(criteria)

    @override
    def read(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Record]:
        return self._reader(object_type).read(ids, fields)

    @override
    def find(
        self, object_type: str, queries: Sequence[Criteria], fields: Sequence[str]
    ) -> list[list[Record]]:
        return Finder(self._reader(object_type), queries, fields).find()

    @override
    def create(self, object_type: str, drafts: Sequence[Draft]) -> list[Outcome]:
        outcomes = RecordWriter(self._api, self._schema(object_type)).create(drafts)
        return self._noted(object_type, outcomes)

    @override
    def update(self, object_type: str, patches: Sequence[Patch]) -> list[Outcome]:
        outcomes = RecordWriter(self._api, self._schema(object_type)).update(patches)
        return self._noted(object_type, outcomes)

    @override
    def settle(self, object_type: str, sent: Sequence[SentCreate]) -> dict[str, Settled]:
        settler = Settler(
            self._reader(object_type),
            app_id=self._text("app_id"),
            longest_request=self._longest_request,
        )
        if self._schema(object_type).has_key:
            return settler.by_key(sent)
        return settler.by_values(sent, self.now())

    @override
    def settles_with(self, object_type: str) -> str:
        schema = self._schema(object_type)
        if schema.has_key:
            return ""
        return (
            f"HubSpot's {schema.kind.label.lower()} have no property {KEY_PROPERTY}, so a create "
            "whose answer was lost cannot always be told from one that never happened. "
            "Prepare the account to add it."
        )

    @classmethod
    @override
    def places(cls, identity: str, facts: Mapping[str, str]) -> Mapping[str, str]:
        return build_places(identity, opened_at(facts))

    @override
    def explain(self, object_type: str, criteria: Criteria) -> tuple[QueryLine, ...]:
        return queries.explain(self._schema(object_type), criteria)

    @override
    def understand(self, object_type: str, query: str) -> Criteria:
        return queries.understand(self._schema(object_type), query)

    @override
    def url(self, object_type: str, record_id: str) -> str:
        base = self._text("remote_link_base") or f"https://{self._account.ui_domain}"
        if "/contacts/" not in base:
            base = f"{base}/contacts/{self._account.portal_id}"
        return f"{base}/record/{self._kind(object_type).code}/{record_id}"

    @override
    def locate(self, address: str) -> tuple[str, str] | None:
        found = find_record(
            address,
            portal=self._account.portal_id,
            bases=(self._text("remote_link_base"), self._text("api_url")),
        )
        if found is None:
            return None
        code, record_id = found
        kinds = self._kinds.values()
        names = [one.name for one in kinds if code in (one.code, one.name, one.singular)]
        return (names[0], record_id) if names else None

    @property
    @override
    def associating(self) -> Associations:
        return Associations(self._links, self._kinds)

    @property
    @override
    def commenting(self) -> Notes:
        return Notes(self._notebook, self._links, self._owners, self.now)

    @property
    @override
    def attaching(self) -> Files:
        return Files(self._api, self._notebook, self._links, self._reader, self.now)

    @property
    @override
    def remembering(self) -> Histories:
        return Histories(self._api, self._schema, self._text("app_id"))

    # What the methods above are made of

    def _text(self, name: str) -> str:
        value = self.settings.get(name)
        return value if isinstance(value, str) else ""

    @cached_property
    def _fingerprint(self) -> str:
        return self._signer.name

    @cached_property
    def _signer(self) -> Signer:
        return build_signer(self.settings, self.context)

    def _key(self, *parts: str) -> str:
        """Return a cache key; another token may see other fields, so none is shared with it."""
        return ":".join(("hubspot", self._fingerprint, *parts))

    @cached_property
    def _api(self) -> HubSpotApi:
        quota = Quota.of(self.settings, account=self._fingerprint)
        api = HubSpotApi(self._text("api_url"), self._signer, self.context, quota=quota)
        known = self._shelf.peek(self._key("account"))
        if known:
            self._introduce(api, unpack_account(known))
        return api

    @staticmethod
    def _introduce(api: HubSpotApi, account: Account) -> None:
        """Count calls with those of every other credential of this account."""
        api.quota.introduce(account.portal_id, account.time_zone)
        api.judge.time_zone = account.time_zone or "UTC"

    @cached_property
    def _account(self) -> Account:
        text = self._shelf.get(self._key("account"), lambda: pack_account(read_account(self._api)))
        account = unpack_account(text)
        self._introduce(self._api, account)
        return account

    @cached_property
    def _owners(self) -> OwnerDirectory:
        return OwnerDirectory(self._api, self._shelf, self._key("people"))

    @cached_property
    def _origins(self) -> Origins:
        return Origins(self._owners.email_of_any_user, self._text("app_id"))

    @property
    def _longest_request(self) -> timedelta:
        return self.context.longest_series + self.server_time

    @property
    def _notebook(self) -> Notebook:
        return Notebook(
            self._reader(NOTES),
            self._links,
            app_id=self._text("app_id"),
            longest_request=self._longest_request,
        )

    @cached_property
    def _links(self) -> Links:
        return Links(self._api, self._shelf, self._key)

    @property
    def _kinds(self) -> Mapping[str, ObjectKind]:
        """Return all object types of the account: HubSpot's own, then its custom objects."""
        return {**KINDS, **custom_kinds(self._custom_objects())}

    def _custom_objects(self) -> str:
        return self._shelf.get(self._key("custom"), partial(read_custom_objects, self._api))

    def _kind(self, object_type: str) -> ObjectKind:
        """Return the object type of this name.

        Raises:
            AttentionError: the account has none.
        """
        if object_type in KINDS:
            return KINDS[object_type]
        try:
            return self._kinds[object_type]
        except KeyError:
            msg = f"The HubSpot account has no object type {object_type!r} that can be synced."
            hint = f"Choose one of {', '.join(self._kinds)}."
            raise AttentionError(msg, hint=hint) from None

    @cached_property
    def _granted(self) -> frozenset[str] | None:
        """Return the scopes of the credential as last known; None where HubSpot does not tell."""
        return _scopes(self._shelf.get(self._key("scopes"), self._read_scopes))

    @cached_property
    def _granted_now(self) -> frozenset[str] | None:
        return _scopes(self._shelf.renew(self._key("scopes"), self._read_scopes))

    def _read_scopes(self) -> str:
        token = read_token(self._api)
        return json.dumps(None if token is None else sorted(token.scopes))

    def _currencies(self) -> tuple[str, ...]:
        """Return the codes of the account's currencies, none if they may not be known."""
        try:
            return self._account.currencies
        except AttentionError:
            return ()

    def _schema(self, object_type: str) -> Schema:
        if object_type not in self._schemas:
            kind = self._kind(object_type)

            def make() -> str:
                lines = self._api.pipelines(kind.name) if kind.pipeline else []
                return pack(self._api.properties(kind.name), lines)

            text = self._shelf.get(self._key("schema", object_type), make)
            self._schemas[object_type] = unpack(text, kind, self._owners, self._currencies)
        return self._schemas[object_type]

    def _noted(self, object_type: str, outcomes: list[Outcome]) -> list[Outcome]:
        """Have the schema read anew if a refusal shows that somebody changed it in HubSpot."""
        if any(outcome.error is not None and is_stale(outcome.error) for outcome in outcomes):
            self._forget_schema(object_type)
        return outcomes

    def _forget_schema(self, object_type: str) -> None:
        self._schemas.pop(object_type, None)
        self._shelf.forget(self._key("schema", object_type))

    def _reader(self, object_type: str) -> RecordReader:
        has_own_base = bool(self._text("remote_link_base"))
        link = partial(self.url, object_type) if has_own_base else None
        return RecordReader(self._api, self._schema(object_type), link, self._origins)


def _scopes(text: str) -> frozenset[str] | None:
    scopes = json.loads(text)
    return None if scopes is None else frozenset(scopes)
