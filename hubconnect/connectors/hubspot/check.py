"""What a live check of a HubSpot system finds."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hubconnect.connectors.base import (
    Ability,
    CheckReport,
    Grant,
    ObjectTypeReport,
    Preparation,
    Remark,
)
from hubconnect.connectors.errors import AttentionError, Category, ConnectorError
from hubconnect.connectors.grants import build_grants
from hubconnect.connectors.hubspot.account import (
    Account,
    Token,
    read_token,
    user_email,
)
from hubconnect.connectors.hubspot.api import PROPERTIES, HubSpotApi
from hubconnect.connectors.hubspot.errors import BAD_REQUEST, question_error, read_envelope
from hubconnect.connectors.hubspot.objects import KEY_PROPERTY, ObjectKind
from hubconnect.connectors.hubspot.schema import Schema
from hubconnect.connectors.hubspot.scopes import EVERYTHING, build_needs, has_any, report_on

WHY_KEY = (
    "With it a create whose answer was lost can be sent again without doubling the record. "
    "Without it such a create waits for a person."
)
ALREADY_THERE = 409


@dataclass(slots=True)
class Check:
    """One check: asks, and collects what is worth saying."""

    api: HubSpotApi
    kinds: Mapping[str, ObjectKind]
    unseen: str
    get_schema: Callable[[str], Schema]
    app_id: str
    email: str
    remarks: list[Remark] = field(default_factory=list)

    def run(self, account: Account) -> CheckReport:
        """Ask all there is to ask of this account.

        Raises:
            AttentionError: the parameter it names must be corrected.
            TemporaryError: HubSpot cannot answer now.
        """
        token = read_token(self.api)
        facts = [("Account", _account_label(account)), *_account_facts(account)]
        if token is None:
            self.remarks.append(Remark(NO_INTROSPECTION))
            if not self.app_id:
                self.remarks.append(Remark(NO_APP_TOLD, parameter="app_id"))
            types = tuple(self._probe(kind) for kind in self.kinds.values())
            grants: tuple[Grant, ...] = ()
        else:
            facts += self._user_and_app(token)
            types = tuple(report_on(kind, token.scopes) for kind in self.kinds.values())
            grants = build_grants(token.scopes, build_needs(EVERYTHING))
        if self.unseen:
            self.remarks.append(Remark(self.unseen))
        if self.api.quota.daily_left is not None:
            facts.append(("Calls left today", str(self.api.quota.daily_left)))
        return CheckReport(
            identity=account.identity,
            identity_label=_account_label(account),
            facts=tuple(facts),
            grants=grants,
            object_types=types,
            remarks=tuple(self.remarks),
            preparations=tuple(self._preparations(types, token)),
            calls=sum(self.api.http.calls.values()),
            settled={"app_id": token.app_id} if token is not None else {},
        )

    def _user_and_app(self, token: Token) -> list[tuple[str, str]]:
        email = self._user(token)
        self._compare_app(token)
        user = f"{email} ({token.user_id})" if email else token.user_id
        return [("User", user or "unknown"), ("App", token.app_id or "none")]

    def _user(self, token: Token) -> str:
        """Return the e-mail of the token's user, "" if it cannot be known; compare it."""
        try:
            email = token.email or (user_email(self.api, token.user_id) if token.user_id else "")
        except AttentionError as error:
            scopes = ", ".join(error.missing_scopes)
            text = f"User Email could not be checked: the token lacks the scope {scopes}."
            self.remarks.append(Remark(text, parameter="user_email"))
            return ""
        if not email:
            text = "User Email could not be checked: HubSpot names no owner for the token's user."
            self.remarks.append(Remark(text, parameter="user_email"))
        elif email != self.email.casefold():
            text = f"The token belongs to {email}, not to {self.email}."
            self.remarks.append(
                Remark(text, parameter="user_email", suggestion=email, is_error=True)
            )
        return email

    def _compare_app(self, token: Token) -> None:
        if not token.app_id and self.app_id:
            text = (
                "HubSpot reports no app for this token, so the Application Id is not applicable "
                "and was left out; a service key has none."
            )
            self.remarks.append(Remark(text, parameter="app_id"))
        elif token.app_id != self.app_id and self.app_id:
            text = f"The token belongs to app {token.app_id}, not to {self.app_id}."
            self.remarks.append(
                Remark(text, parameter="app_id", suggestion=token.app_id, is_error=True)
            )

    def _probe(self, kind: ObjectKind) -> ObjectTypeReport:
        """Return what an object type allows, as far as reading one record tells."""
        needed = ""
        try:
            answer = self.api.probe(kind.name)
            read = Ability.YES if answer.status < BAD_REQUEST else Ability.NO
        except AttentionError as error:
            if error.category is not Category.PERMISSION:
                raise
            read, needed = Ability.NO, ", ".join(error.missing_scopes)
        return ObjectTypeReport(kind.name, kind.label, read, Ability.UNKNOWN, needed)

    def _preparations(
        self, types: tuple[ObjectTypeReport, ...], token: Token | None
    ) -> list[Preparation]:
        """Return the key properties that are there or could be made."""
        offers = []
        for report in types:
            kind = self.kinds[report.name]
            may_make = token is None or has_any(token.scopes, kind.schema_scopes)
            if report.read is Ability.NO or not (may_make or report.write is Ability.YES):
                continue
            try:
                schema = self.get_schema(kind.name)
            except ConnectorError:
                continue
            is_done = schema.has_key
            why = WHY_KEY
            if not may_make and not is_done:
                why += f" Making it needs the scope {kind.schema_scopes[0]}."
            offers.append(
                Preparation(
                    name=f"{KEY_PROPERTY}:{kind.name}",
                    label=f"HubConnect key of {kind.label.lower()}",
                    statement=key_statement(schema),
                    is_done=is_done,
                    why=why,
                )
            )
        return offers


NO_INTROSPECTION = (
    "HubSpot does not tell what this kind of token may do, so user, app and scopes could not be "
    "checked. What can be read was tried."
)


NO_APP_TOLD = (
    "HubSpot does not tell which app this token belongs to. Enter the Application Id, unless it is "
    "a service key, which has none."
)


def _account_label(account: Account) -> str:
    return f"HubSpot account {account.portal_id}"


def _account_facts(account: Account) -> list[tuple[str, str]]:
    facts = (
        ("Kind", account.account_type.replace("_", " ").capitalize()),
        ("Time zone", account.time_zone),
        ("Currency", account.currency),
        ("Data kept in", account.hosting),
        ("Opened at", f"https://{account.ui_domain}"),
    )
    return [(label, text) for label, text in facts if text]


def key_definition(schema: Schema) -> Mapping[str, Any]:
    """Return the definition of the property that makes creates idempotent."""
    return {
        "name": KEY_PROPERTY,
        "label": "HubConnect key",
        "description": "Written by HubConnect so that no record is created twice. Do not change.",
        "groupName": schema.group,
        "type": "string",
        "fieldType": "text",
        "hasUniqueValue": True,
        "formField": False,
        "hidden": True,
    }


def key_statement(schema: Schema) -> str:
    """Return the request that makes the property, for a person to read."""
    body = json.dumps(key_definition(schema), indent=2)
    return f"POST {PROPERTIES}/{schema.kind.name}\n{body}"


def make_key(api: HubSpotApi, schema: Schema) -> None:
    """Make the key property of an object type; it may be there already."""
    answer = api.create_property(schema.kind.name, key_definition(schema))
    if answer.status == ALREADY_THERE:
        return
    if answer.status >= BAD_REQUEST:
        envelope = read_envelope(answer.data)
        msg = f"HubSpot did not make the property {KEY_PROPERTY}: {envelope.message}"
        raise AttentionError(msg, hint="Make it by hand as shown.") from question_error(answer)
