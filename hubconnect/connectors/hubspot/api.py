"""HubSpot's paths: one method for each call, JSON in and out.

The date-based family of paths, as on HubSpot's "API versioning" page.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from hubconnect.connectors.base import Context
from hubconnect.connectors.budgets import Budget, Clock, DayBudget
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.http import Answer, HttpClient, Request
from hubconnect.connectors.hubspot.errors import (
    BAD_REQUEST,
    HubSpotJudge,
    not_hubspot,
    question_error,
)
from hubconnect.connectors.hubspot.quota import Quota
from hubconnect.connectors.parameters import Secret
from hubconnect.connectors.streams import FORM_TYPE, Form

API_VERSION = "2026-03"
OBJECTS = f"/crm/objects/{API_VERSION}"
PROPERTIES = f"/crm/properties/{API_VERSION}"
PIPELINES = f"/crm/pipelines/{API_VERSION}"
OWNERS = f"/crm/owners/{API_VERSION}"
ASSOCIATIONS = f"/crm/associations/{API_VERSION}"
SCHEMAS = f"/crm-object-schemas/{API_VERSION}/schemas"
FILES = f"/files/{API_VERSION}/files"
ACCOUNT = f"/account-info/{API_VERSION}/details"
OAUTH_TOKEN = f"/oauth/{API_VERSION}/token"
OAUTH_INTROSPECT = f"{OAUTH_TOKEN}/introspect"
# Has no date-based path.
TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path

LIST_PAGE = 100
OWNERS_PAGE = 500
FILES_PAGE = 100

Json = dict[str, Any]


def compact(body: object) -> bytes:
    """Return JSON without spaces, as it is sent and measured."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


class Signer(Protocol):
    """Signs requests.

    Attributes:
        name: names the credential and tells nothing about it.
    """

    name: str

    @property
    def calls(self) -> Mapping[str, int]:
        """Requests sent for signing in, by kind."""

    def token(self, refused: Secret | None = None) -> Secret:
        """Return a token that is good now, if possible another than the one just refused."""

    def introspect(self) -> Answer | None:
        """Return what HubSpot tells of the token, or None where an API call does that."""

    def reworded(self, error: AttentionError) -> AttentionError:
        """Return an error of a refused token in words that fit this way to sign in."""

    def close(self) -> None:
        """Give connections back."""


class HubSpotApi:
    """Calls of one credential.

    Attributes:
        quota: limits of the account and the app.
    """

    def __init__(
        self,
        base_url: str,
        signer: Signer,
        context: Context,
        *,
        quota: Quota,
        clock: Clock | None = None,
    ) -> None:
        """Keep all; connect to nothing yet."""
        self.judge = HubSpotJudge()
        self.http = HttpClient(
            base_url,
            context,
            headers={
                "Accept": "application/json",
                "User-Agent": "HubConnect",
            },
            judge=self.judge,
            parameter="api_url",
            clock=clock,
        )
        self.quota = quota
        self.http.read_limits = quota.read
        self._signer = signer

    # Account

    def account_details(self) -> Answer:
        """Return portal id, time zone and addresses."""
        return self._get(ACCOUNT, "account")

    def token_info(self) -> Answer:
        """Return user, account, app and scopes of the token; not every kind of token has them."""
        told = self._signer.introspect()
        if told is not None:
            return told
        return self._post(TOKEN_INFO, {"tokenKey": self._signer.token().reveal()}, "account")

    # Schema

    def properties(self, object_type: str) -> list[Json]:
        """Return all property definitions."""
        return results(self._get(f"{PROPERTIES}/{object_type}", "schema"))

    def pipelines(self, object_type: str) -> list[Json]:
        """Return all pipelines with their stages."""
        return results(self._get(f"{PIPELINES}/{object_type}", "schema"))

    def schemas(self) -> list[Json]:
        """Return the definitions of all custom objects."""
        return results(self._get(SCHEMAS, "schema"))

    def create_property(self, object_type: str, definition: Mapping[str, Any]) -> Answer:
        """Create a property; 409 when there is one of this name."""
        return self._post(f"{PROPERTIES}/{object_type}", definition, "schema", is_write=True)

    def owners(self, *, archived: bool) -> list[Json]:
        """Return all owners, the active or the archived ones."""
        found: list[Json] = []
        params = {"limit": str(OWNERS_PAGE), "archived": str(archived).lower()}
        while True:
            answer = self._get(OWNERS, "owners", params)
            found += results(answer)
            after = next_after(answer)
            if not after:
                return found
            params = {**params, "after": after}

    def owner_of_user(self, user_id: str) -> Answer:
        """Return the owner that is this user; 404 when there is none."""
        return self._get(f"{OWNERS}/{user_id}", "owners", {"idProperty": "userId"})

    # Records

    def list_page(self, object_type: str, properties: Sequence[str], after: str) -> Answer:
        """Return a page of all records by ascending id."""
        params = {"limit": str(LIST_PAGE), "properties": ",".join(properties)}
        if after:
            params["after"] = after
        return self._get(f"{OBJECTS}/{object_type}", "list", params)

    def probe(self, object_type: str) -> Answer:
        """Return at most one record, to see whether reading is allowed."""
        return self._get(f"{OBJECTS}/{object_type}", "check", {"limit": "1"})

    def get_record(self, object_type: str, record_id: str) -> Answer:
        """Return one record, following merges; 404 when it is gone or archived."""
        return self._get(f"{OBJECTS}/{object_type}/{record_id}", "read")

    def batch_read(
        self, object_type: str, ids: Iterable[str], properties: Sequence[str], id_property: str = ""
    ) -> Answer:
        """Return up to a hundred records by id or by a unique property."""
        body: Json = {"inputs": [{"id": each} for each in ids], "properties": list(properties)}
        if id_property:
            body["idProperty"] = id_property
        return self._post(f"{OBJECTS}/{object_type}/batch/read", body, "batch read")

    def batch_history(
        self, object_type: str, ids: Iterable[str], properties: Sequence[str]
    ) -> Answer:
        """Return up to fifty records with the history of properties."""
        body: Json = {
            "inputs": [{"id": each} for each in ids],
            "properties": [],
            "propertiesWithHistory": list(properties),
        }
        return self._post(f"{OBJECTS}/{object_type}/batch/read", body, "history")

    def search(self, object_type: str, body: Mapping[str, Any]) -> Answer:
        """Search the index, which lags behind the records by seconds."""
        return self._post(
            f"{OBJECTS}/{object_type}/search",
            body,
            "search",
            budgets=self.quota.of_search(self.http.server_now()),
        )

    def batch_write(
        self, object_type: str, action: str, inputs: Sequence[Json], *, is_keyed: bool = False
    ) -> Answer:
        """Create, update or upsert up to a hundred records.

        Args:
            object_type: plural name.
            action: ``create``, ``update`` or ``upsert``.
            inputs: as the action asks for, each with a trace id.
            is_keyed: sending it twice does no more than sending it once.
        """
        return self._post(
            f"{OBJECTS}/{object_type}/batch/{action}",
            {"inputs": list(inputs)},
            f"batch {action}",
            is_write=True,
            is_repeatable=is_keyed,
        )

    # Associations

    def association_labels(self, from_type: str, to_type: str) -> Answer:
        """Return the association types that lead from one object type to another."""
        return self._get(f"{ASSOCIATIONS}/{from_type}/{to_type}/labels", "schema")

    def read_associations(self, from_type: str, to_type: str, inputs: Sequence[Json]) -> Answer:
        """Return what up to a thousand records are associated with; none is an error entry."""
        path = f"{ASSOCIATIONS}/{from_type}/{to_type}/batch/read"
        return self._post(
            path,
            {"inputs": list(inputs)},
            "associations read",
            budgets=self.quota.of_associations(self.http.server_now()),
        )

    def write_associations(
        self, from_type: str, to_type: str, action: str, inputs: Sequence[Json]
    ) -> Answer:
        """Make (``create``) or end (``labels/archive``) types of links; twice does no harm."""
        return self._post(
            f"{ASSOCIATIONS}/{from_type}/{to_type}/batch/{action}",
            {"inputs": list(inputs)},
            f"associations {action}",
            is_write=True,
            budgets=self.quota.of_associations(self.http.server_now()),
        )

    # Files

    def search_files(self, ids: Sequence[str]) -> Answer:
        """Return details of up to a hundred files; hidden and deleted ones are not among them."""
        params = {"ids": list(ids), "limit": str(FILES_PAGE)}
        return self._get(f"{FILES}/search", "files", params)

    def get_file(self, file_id: str) -> Answer:
        """Return details of a file, also of a hidden one; 404 when it is gone."""
        return self._get(f"{FILES}/{file_id}", "files")

    def sign_file(self, file_id: str) -> Answer:
        """Return an address that opens a file for a while, to anyone."""
        return self._get(f"{FILES}/{file_id}/signed-url", "files")

    def upload_file(self, form: Callable[[], Form]) -> Answer:
        """Upload a file; its form is opened anew for each attempt.

        Losing the answer leaves at most a file that no record has, so it may be repeated.
        """
        return self._send(
            Request(
                method="POST",
                path=FILES,
                kind="upload",
                body=form,
                content_type=FORM_TYPE,
                budgets=self._budgets(),
            )
        )

    # How

    def _get(
        self, path: str, kind: str, params: Mapping[str, str | Sequence[str]] | None = None
    ) -> Answer:
        return self._send(
            Request(
                method="GET", path=path, kind=kind, params=params or {}, budgets=self._budgets()
            )
        )

    def _post(
        self,
        path: str,
        body: Mapping[str, Any],
        kind: str,
        *,
        is_write: bool = False,
        is_repeatable: bool = True,
        budgets: Sequence[Budget | DayBudget] = (),
    ) -> Answer:
        return self._send(
            Request(
                method="POST",
                path=path,
                kind=kind,
                body=compact(body),
                is_write=is_write,
                is_repeatable=is_repeatable,
                budgets=budgets or self._budgets(),
            )
        )

    def _send(self, request: Request) -> Answer:
        """Send a request, once more if the token turns out to be over: then it was not taken."""
        token = self._sign(None)
        try:
            return self.http.send(request)
        except AttentionError as error:
            is_refused = error.category is Category.AUTHENTICATION
            if is_refused and self._sign(token) != token:
                return self._send_renewed(request)
            raise self._signer.reworded(error) from error

    def _send_renewed(self, request: Request) -> Answer:
        try:
            return self.http.send(request)
        except AttentionError as error:
            raise self._signer.reworded(error) from error

    def _sign(self, refused: Secret | None) -> Secret:
        token = self._signer.token(refused)
        self.http.sign({"Authorization": f"Bearer {token.reveal()}"})
        return token

    def _budgets(self) -> Sequence[Budget | DayBudget]:
        return self.quota.of_call(self.http.server_now())


def entries(answer: Answer, name: str) -> list[Json]:
    """Return the ``results`` or ``errors`` of an answer, none if it has none."""
    found = answer.data.get(name) if isinstance(answer.data, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def results(answer: Answer) -> list[Json]:
    """Return the results of a list, search or batch read.

    Raises:
        AttentionError: HubSpot refused the question, or the answer is not one of HubSpot's.
    """
    if answer.status >= BAD_REQUEST:
        raise question_error(answer)
    if not isinstance(answer.data, dict) or not isinstance(answer.data.get("results"), list):
        raise not_hubspot(answer)
    return entries(answer, "results")


def next_after(answer: Answer) -> str:
    """Return the cursor of the next page, or "" on the last one."""
    paging = answer.data.get("paging") if isinstance(answer.data, dict) else None
    following = paging.get("next") if isinstance(paging, dict) else None
    return str(following.get("after") or "") if isinstance(following, dict) else ""
