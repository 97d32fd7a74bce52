"""A connector whose accounts live in this process: for rules of forms, not of any real system."""

# ruff: noqa: EM101  it keeps the interface and uses little of it

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

from hubconnect.connectors.base import (
    ALL_IDS,
    Ability,
    Capability,
    CheckReport,
    Connector,
    Criteria,
    Draft,
    Field,
    Grant,
    IdRange,
    ObjectType,
    ObjectTypeReport,
    Outcome,
    Page,
    Patch,
    Preparation,
    Record,
    Remark,
    SentCreate,
    Settled,
    Window,
)
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ParameterInvalidError,
    TemporaryError,
)
from hubconnect.connectors.parameters import (
    Choice,
    Parameter,
    ParameterKind,
    Secret,
    VisibleWhen,
)

WRITABLE = frozenset({Capability.CREATE, Capability.UPDATE})


def _only_number(text: str) -> str:
    number = text.rstrip("/").rpartition("/")[2]
    if not number.isdecimal():
        msg = "Enter the number, or the whole address that ends with it."
        raise ValueError(msg)
    return number


@dataclass
class FakeAccount:
    """An account: what its token opens, and what is in it."""

    number: str
    token: str = "right-token"
    app: str = "2851633"
    is_away: bool = False
    has_ledger: bool = True
    remarks: tuple[Remark, ...] = ()
    missing: tuple[str, ...] = ()
    fields: dict[str, list[Field]] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    checks: int = 0


class FakeConnector(Connector):
    """Opens the account at its address."""

    slug = "fake"
    label = "Fake desk"
    accounts: dict[str, FakeAccount] = {}
    parameters = (
        Parameter(name="address", label="Address", kind=ParameterKind.URL),
        Parameter(name="mail", label="User Email", kind=ParameterKind.EMAIL),
        Parameter(
            name="auth",
            label="Authentication Type",
            kind=ParameterKind.CHOICE,
            group="Sign-in",
            choices=(Choice("token", "Access Token"), Choice("oauth", "OAuth 2.0")),
        ),
        Parameter(
            name="token",
            label="Access Token",
            kind=ParameterKind.SECRET,
            group="Sign-in",
            visible_when=VisibleWhen("auth", "token"),
        ),
        Parameter(
            name="client_id",
            label="Client ID",
            group="Sign-in",
            visible_when=VisibleWhen("auth", "oauth"),
        ),
        Parameter(
            name="client_secret",
            label="Client Secret",
            kind=ParameterKind.SECRET,
            group="Sign-in",
            visible_when=VisibleWhen("auth", "oauth"),
        ),
        Parameter(name="app", label="Application Id", group="App", clean=_only_number),
        Parameter(
            name="base",
            label="Base URL for Remote Link",
            kind=ParameterKind.URL,
            group="App",
            required=False,
        ),
    )

    @classmethod
    def clean_settings(cls, values: dict[str, str]) -> dict[str, str]:
        if values.get("base") and values["base"] == values["address"]:
            raise ParameterInvalidError("base", "Leave it empty when it is the same address.")
        return values

    @property
    def calls(self) -> Mapping[str, int]:
        return {"check": self._account().checks}

    def _account(self) -> FakeAccount:
        address = str(self.settings["address"])
        account = self.accounts.get(address)
        if account is None:
            msg = f"{address} is not a fake desk."
            raise AttentionError(msg, hint="Correct the address.", parameter="address")
        return account

    def _open(self) -> FakeAccount:
        account = self._account()
        if account.is_away:
            msg = "The fake desk does not answer."
            raise TemporaryError(msg, hint="Try again in a minute.")
        token = self.settings.get("token")
        if not isinstance(token, Secret) or token.reveal() != account.token:
            msg = "The fake desk refused the token."
            raise AttentionError(msg, category=Category.AUTHENTICATION, parameter="token")
        return account

    def identity(self) -> str:
        return f"fake:{self._open().number}"

    def check(self) -> CheckReport:
        account = self._open()
        account.checks += 1
        remarks = account.remarks
        if self.settings.get("app") != account.app:
            remarks = (
                Remark(
                    f"The token belongs to app {account.app}.",
                    parameter="app",
                    suggestion=account.app,
                    is_error=True,
                ),
                *remarks,
            )
        return CheckReport(
            identity=f"fake:{account.number}",
            identity_label="Fake desk of the tests",
            facts=(("Account", account.number), ("User", str(self.settings.get("mail", "")))),
            grants=tuple(
                Grant(name, name not in account.missing, f"Work with {name}")
                for name in ("things.read", "things.write")
            ),
            object_types=(ObjectTypeReport("things", "Things", Ability.YES, Ability.YES),),
            remarks=remarks,
            preparations=(
                Preparation(
                    "ledger",
                    "Ledger table",
                    "CREATE TABLE ledger (key TEXT)",
                    is_done=account.has_ledger,
                    why="It makes creates repeatable.",
                ),
            ),
            calls=2,
        )

    def prepare(self, name: str) -> None:
        if name != "ledger":
            raise LookupError(name)
        self._open().has_ledger = True

    def object_types(self) -> list[ObjectType]:
        account = self._open()
        return [
            ObjectType(
                name=one,
                label=one.title(),
                capabilities=WRITABLE,
                modified_field="changed",
                unreadable=account.unreadable.get(one, ""),
            )
            for one in account.fields
        ]

    def fields(self, object_type: str) -> list[Field]:
        found = self._open().fields.get(object_type)
        if found is None:
            msg = f"There is no object type {object_type!r} any more."
            raise AttentionError(msg)
        return found

    def now(self) -> datetime:
        return datetime.now(UTC)

    def url(self, object_type: str, record_id: str) -> str:
        return f"https://fake.example/{object_type}/{record_id}"

    # Forms and mappings need no records.

    def changes(
        self,
        object_type: str,
        window: Window,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
    ) -> Iterator[Page]:
        _no_records()

    def everything(
        self,
        object_type: str,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
        within: IdRange = ALL_IDS,
    ) -> Iterator[Page]:
        _no_records()

    def count(self, object_type: str, criteria: Criteria = ()) -> int:
        return 0

    def read(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Record]:
        _no_records()

    def find(
        self, object_type: str, queries: Sequence[Criteria], fields: Sequence[str]
    ) -> list[list[Record]]:
        _no_records()

    def create(self, object_type: str, drafts: Sequence[Draft]) -> list[Outcome]:
        _no_records()

    def update(self, object_type: str, patches: Sequence[Patch]) -> list[Outcome]:
        _no_records()

    def settle(self, object_type: str, sent: Sequence[SentCreate]) -> dict[str, Settled]:
        _no_records()


def _no_records() -> NoReturn:
    msg = "This fake holds no records."
    raise NotImplementedError(msg)
