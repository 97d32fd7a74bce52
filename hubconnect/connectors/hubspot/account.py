"""What is known of the account, and kept between runs: its details, owners and schemas."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from hubconnect.connectors.base import Context
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.http import Answer
from hubconnect.connectors.hubspot.api import HubSpotApi
from hubconnect.connectors.hubspot.errors import BAD_REQUEST, not_hubspot

KEEP_FOR = timedelta(hours=1)
UI_HOST = "app.hubspot.com"


class Shelf:
    """The surroundings' cache, if there is one; each text is also kept by this object."""

    def __init__(self, context: Context) -> None:
        """Keep the cache; what it holds is passed over when the context asks for fresh values."""
        self._cache = context.cache
        self._is_fresh = context.is_fresh
        self._own: dict[str, str] = {}

    def get(self, key: str, make: Callable[[], str]) -> str:
        """Return the text kept under this key, made now if there is none."""
        if key not in self._own:
            self._own[key] = self.peek(key) or self.renew(key, make)
        return self._own[key]

    def peek(self, key: str) -> str | None:
        """Return the text kept under this key, without making it."""
        if key in self._own or self._cache is None or self._is_fresh:
            return self._own.get(key)
        return self._cache.get(key)

    def recall(self, key: str) -> str | None:
        """Return the text kept under this key, also when fresh values are asked for."""
        return self._own.get(key) or (self._cache.get(key) if self._cache is not None else None)

    def renew(self, key: str, make: Callable[[], str]) -> str:
        """Make the text anew and keep it."""
        text = self._own[key] = make()
        if self._cache is not None:
            self._cache.set(key, text, KEEP_FOR)
        return text

    def forget(self, key: str) -> None:
        """Have the text made anew by everybody."""
        self._own.pop(key, None)
        if self._cache is not None:
            self._cache.set(key, "", timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class Account:
    """One HubSpot account. Texts are "" where HubSpot did not tell."""

    portal_id: str
    time_zone: str = ""
    currency: str = ""
    more_currencies: tuple[str, ...] = ()
    account_type: str = ""
    ui_domain: str = UI_HOST
    hosting: str = ""

    @property
    def currencies(self) -> tuple[str, ...]:
        """Return the codes of all its currencies, its own first."""
        return tuple(dict.fromkeys(code for code in (self.currency, *self.more_currencies) if code))

    @property
    def identity(self) -> str:
        """Return the account's stable name."""
        return f"hubspot:{self.portal_id}"


def read_account(api: HubSpotApi) -> Account:
    """Ask which account the token is for.

    Raises:
        AttentionError: the token is refused, or this is no HubSpot API.
    """
    try:
        answer = api.account_details()
    except AttentionError as error:
        if not error.missing_scopes:
            raise
        return _account_of_token(api, error)
    data = _object(answer)
    if answer.status >= BAD_REQUEST or not data.get("portalId"):
        raise not_hubspot(answer)
    return Account(
        portal_id=str(data["portalId"]),
        time_zone=str(data.get("timeZone") or ""),
        currency=str(data.get("companyCurrency") or ""),
        more_currencies=tuple(str(code) for code in data.get("additionalCurrencies") or ()),
        account_type=str(data.get("accountType") or ""),
        ui_domain=str(data.get("uiDomain") or UI_HOST),
        hosting=str(data.get("dataHostingLocation") or ""),
    )


def _account_of_token(api: HubSpotApi, error: AttentionError) -> Account:
    """Return the account by the token's own details, for a token that may not see the account's."""
    token = read_token(api)
    if token is None or not token.portal_id:
        raise error
    return Account(portal_id=token.portal_id)


@dataclass(frozen=True, slots=True)
class Token:
    """What HubSpot tells of a token. Ids are "" where it has none."""

    portal_id: str
    user_id: str
    app_id: str
    scopes: frozenset[str]
    email: str = ""


def read_token(api: HubSpotApi) -> Token | None:
    """Ask what the token is and may do; None where HubSpot does not tell for this kind of token."""
    try:
        answer = api.token_info()
    except AttentionError as error:
        if error.parameter == "api_url" or error.category is Category.PERMISSION:
            return None
        raise
    data = _object(answer)
    if answer.status >= BAD_REQUEST or not isinstance(data.get("scopes"), list):
        return None
    return Token(
        portal_id=_first(data, "hubId", "hub_id"),
        user_id=_first(data, "userId", "user_id"),
        app_id=_first(data, "appId", "app_id"),
        scopes=frozenset(str(scope) for scope in data["scopes"]),
        email=_first(data, "user").casefold(),
    )


def _first(data: Mapping[str, Any], *names: str) -> str:
    """Return what is told under one of these names: the two calls spell them differently."""
    return next((str(data[name]) for name in names if data.get(name)), "")


def _object(answer: Answer) -> dict[str, Any]:
    return answer.data if isinstance(answer.data, dict) else {}


def pack_account(account: Account) -> str:
    """Return the account as text to be cached."""
    return json.dumps(asdict(account))


def unpack_account(text: str) -> Account:
    """Return the account of a packed text."""
    kept = json.loads(text)
    return Account(**kept | {"more_currencies": tuple(kept.get("more_currencies", ()))})


class OwnerDirectory:
    """Owners of the account, read when first asked for; inactive ones still have their e-mail."""

    def __init__(self, api: HubSpotApi, shelf: Shelf, key: str) -> None:
        """Keep all; ask nothing yet."""
        self._api = api
        self._shelf = shelf
        self._key = key
        self._emails: dict[str, str] | None = None
        self._ids: dict[str, str] = {}
        self._people: dict[str, list[str]] = {}
        self._users: dict[str, str] = {}
        self._is_renewed = False
        self._refusal: AttentionError | None = None

    def email_of(self, owner_id: str) -> str:
        """Return the owner's e-mail, or the id itself if there is no such owner."""
        emails = self._load()
        if owner_id not in emails and self._renew():
            emails = self._load()
        return emails.get(owner_id, owner_id)

    def id_of(self, email: str) -> str:
        """Return the id of the active owner with this e-mail, or ""."""
        emails = self._load()
        found = self._find(email)
        if not found and self._renew():
            emails = self._load()
            found = self._find(email)
        # What had no e-mail when it was read came as an id, and goes back as one.
        return found or (email if email.isdigit() and email not in emails else "")

    def name_of(self, email: str) -> str:
        """Return the name of the owner with this e-mail, or ""."""
        self._load()
        return self._people.get(email.strip().casefold(), ["", ""])[0]

    def email_of_user(self, user_id: str) -> str:
        """Return the e-mail of the user, "" if he is no owner: an owner's id is another."""
        self._load()
        return self._users.get(user_id, "")

    def email_of_any_user(self, user_id: str) -> str:
        """Return the same, and "" without the scope for owners, which is then not asked again.

        For what is only shown: a call in every run would be too much for it.
        """
        refused = f"{self._key}:refused"
        if self._shelf.peek(refused):
            return ""
        try:
            return self.email_of_user(user_id)
        except AttentionError as error:
            if error.category is not Category.PERMISSION:
                raise
            self._shelf.renew(refused, lambda: "yes")
            return ""

    def _find(self, email: str) -> str:
        return self._ids.get(email.strip().casefold(), "")

    def _load(self) -> dict[str, str]:
        if self._emails is None:
            self._take(self._shelf.get(self._key, self._read))
        return self._emails or {}

    def _renew(self) -> bool:
        """Read the owners again, once: somebody may be new."""
        if self._is_renewed:
            return False
        self._take(self._shelf.renew(self._key, self._read))
        return True

    def _take(self, text: str) -> None:
        active, inactive, self._people = json.loads(text)
        self._emails = {**inactive, **active}
        self._ids = {email: owner_id for owner_id, email in active.items()}
        self._users = {user_id: email for email, (_, user_id) in self._people.items() if user_id}

    def _read(self) -> str:
        self._is_renewed = True
        if self._refusal is not None:
            raise self._refusal
        try:
            active, inactive = map(self._page, (False, True))
        except AttentionError as error:
            self._refusal = error
            raise
        ids = [{str(one["id"]): _email(one) for one in owners} for owners in (active, inactive)]
        people = {_email(one): [_name(one), _user_id(one)] for one in (*inactive, *active)}
        return json.dumps([*ids, people])

    def _page(self, archived: bool) -> list[dict[str, Any]]:  # noqa: FBT001 - mapped over both
        found = self._api.owners(archived=archived)
        return [one for one in found if one.get("id") and _email(one)]


def _email(owner: Mapping[str, Any]) -> str:
    return str(owner.get("email") or "").strip().casefold()


def _name(owner: Mapping[str, Any]) -> str:
    return " ".join(str(owner.get(part) or "") for part in ("firstName", "lastName")).strip()


def _user_id(owner: Mapping[str, Any]) -> str:
    return str(owner.get("userId") or owner.get("userIdIncludingInactive") or "")


def user_email(api: HubSpotApi, user_id: str) -> str:
    """Return the e-mail of a user, "" if it is no owner.

    Raises:
        AttentionError: the scope for owners is missing.
    """
    answer = api.owner_of_user(user_id)
    if answer.status >= BAD_REQUEST:
        return ""
    return str(_object(answer).get("email") or "").casefold()
