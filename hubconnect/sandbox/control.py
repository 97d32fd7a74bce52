"""The user's and the tester's side, below /sandbox: no part of the HubSpot API.

It listens on loopback and asks for no login, so a foreign page in a browser must not reach it:
requests are refused whose Host is no loopback name or whose Origin is another one.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from sqlite3 import Connection
from typing import Any

from werkzeug.wrappers import Request, Response

from hubconnect.sandbox import calculations, links, user_actions
from hubconnect.sandbox.account import Account, Source
from hubconnect.sandbox.auth import Token, find_token, save_token
from hubconnect.sandbox.call import answer, nothing
from hubconnect.sandbox.catalog.kinds import ALL_SCOPES, find_kind
from hubconnect.sandbox.errors import ApiError, Json, record_not_found, refuse, unknown_kind
from hubconnect.sandbox.fault_names import NAMED
from hubconnect.sandbox.file_shapes import shape_file
from hubconnect.sandbox.file_store import Files
from hubconnect.sandbox.links import archive
from hubconnect.sandbox.oauth_apps import App, app_of, find_app, revoke_all, save_app
from hubconnect.sandbox.pages import Pages
from hubconnect.sandbox.records import Record, Records, id_of
from hubconnect.sandbox.settings import change_settings
from hubconnect.sandbox.shapes import shape_full
from hubconnect.sandbox.writing import create_record, update_record

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_API = "/sandbox/api/"
_LINKS_TOLD = 10_000
_Run = Callable[[Json], Json | None]
_COUNTS = "SELECT kind, count(*) FROM record WHERE archived IS NULL GROUP BY kind"


class Control:
    """Answers requests below /sandbox."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._pages = Pages(account)
        self._calls: dict[tuple[str, str], _Run] = {
            ("GET", "statistics"): self._statistics,
            ("DELETE", "statistics"): self._reset,
            ("PATCH", "settings"): self._set,
            ("POST", "tokens"): self._add_token,
            ("POST", "apps"): self._add_app,
            ("PATCH", "apps"): self._change_app,
            ("POST", "notes"): self._add_note,
            ("PATCH", "tokens"): self._change_token,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): account.switches.add,
            ("DELETE", "faults"): account.switches.clear,
        }

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if not is_local(request):
            return Response("Refused: foreign host or origin.", 403)
        if not request.path.startswith(_API):
            return self._pages.answer(request)
        try:
            return self._api(request)
        except ApiError as error:
            return answer(error.body, error.status)
        except (KeyError, TypeError, ValueError) as error:
            return answer({"status": "error", "message": repr(error)}, 400)

    def _api(self, request: Request) -> Response:
        if request.path == f"{_API}files" and request.method == "POST":
            return self._add_file(request)
        body = request.get_json(silent=True) or {}
        parts = request.path.removeprefix(_API).strip("/").split("/")
        if parts[0] == "records" and len(parts) > 1:
            return self._records(request.method, parts[1], parts[2:], body)
        run = self._calls.get((request.method, parts[0]))
        if run is None:
            return Response("Not found.", 404)
        told = run(body)
        return nothing() if told is None else answer(told)

    def _records(self, method: str, kind: str, rest: list[str], body: Json) -> Response:
        found = find_kind(kind)
        if found is None:
            raise unknown_kind(kind)
        calculations.catch_up(self.account)
        with self.account.store.writing() as db:
            records = Records(db, self.account, found.name)
            if rest[1:2] == ["associations"]:
                return self._links(method, db, kind, rest, body)
            if method == "POST" and not rest:
                record = create_record(records, body["properties"], self._user(body))
                return answer(shape_full(records, record), 201)
            record = _get(records, rest)
            if method == "PATCH":
                record = update_record(records, record, body["properties"], self._user(body))
            elif method == "DELETE":
                archive(self.account, db, records, [record.id])
                return nothing()
            elif method == "POST" and rest[1:] == ["restore"]:
                record = records.restore(record.id) or record
            elif method == "POST" and rest[1:] == ["merge"]:
                end = user_actions.End(found, record.id)
                record = user_actions.merge(self.account, db, end, body["other"])
            return answer(shape_full(records, record))

    def _links(
        self, method: str, db: Connection, kind: str, rest: list[str], body: Json
    ) -> Response:
        """Link or unlink two records as a person, or tell what a record is linked with."""
        one = user_actions.find_end(self.account, db, kind, rest[0])
        if method == "GET":
            target = find_kind(rest[2])
            if target is None:
                raise unknown_kind(rest[2])
            found = links.targets(db, one.kind, one.id, target, 0, _LINKS_TOLD)
            return answer(
                {str(to_id): [kind.type_id for kind in kinds] for to_id, kinds in found.items()}
            )
        other = user_actions.find_end(self.account, db, rest[2], rest[3])
        if method == "DELETE":
            user_actions.dissociate(self.account, db, one, other)
        else:
            user_actions.associate(self.account, db, one, other, body.get("type_id"))
        return nothing()

    def _add_note(self, body: Json) -> Json:
        """Write a note as a person."""
        with self.account.store.writing() as db:
            ends = [user_actions.find_end(self.account, db, *end) for end in body["to"]]
            properties = body.get("properties", {})
            note = user_actions.add_note(self.account, db, body["body"], ends, **properties)
            return shape_full(Records(db, self.account, "notes"), note)

    def _add_file(self, request: Request) -> Response:
        """Upload the body of a request as a person."""
        name, access = request.args.get("name", ""), request.args.get("access", "")
        with self.account.store.writing() as db:
            file = user_actions.add_file(self.account, db, request.stream, name, access)
            return answer(shape_file(Files(db, self.account), file), 201)

    def _user(self, body: Json) -> Source:
        """Return who writes: a person in HubSpot, or another app where the test says so."""
        if "source" in body:
            return Source(**body["source"])
        return self.account.user()

    def _statistics(self, _: Json) -> Json:
        with self.account.store.reading() as db:
            counts = dict(db.execute(_COUNTS).fetchall())
        calls = dict(self.account.calls)
        return {
            "calls": calls,
            "total": sum(calls.values()),
            "refused": self.account.limits.refused,
            "records": counts,
        }

    def _reset(self, _: Json) -> None:
        self.account.calls.clear()
        self.account.limits.reset()

    def _set(self, body: Json) -> None:
        change_settings(self.account, body)

    def _faults(self, _: Json) -> Json:
        """Tell which faults can be switched on by name, and which are."""
        return {
            "names": {name: one.label for name, one in NAMED.items()},
            "on": [asdict(one) for one in self.account.switches.list()],
        }

    def _change_token(self, body: Json) -> None:
        """Take scopes from a token, give it others, or let it expire at a moment."""
        with self.account.store.writing() as db:
            token = find_token(db, str(body["token"]))
            if token is None:
                refuse("There is no such token.")
            scopes = [one for one in token.scopes if one not in body.get("take", [])]
            scopes += [one for one in body.get("give", []) if one not in scopes]
            expires_at = body.get("expires_at", token.expires_at)
            save_token(db, replace(token, scopes=tuple(scopes), expires_at=expires_at))

    def _add_token(self, body: Json) -> None:
        token = Token(
            str(body["token"]),
            int(body.get("app_id", self.account.options.app_id)),
            int(body.get("user_id", self.account.options.user_id)),
            tuple(body.get("scopes", ALL_SCOPES)),
            body.get("expires_at"),
        )
        with self.account.store.writing() as db:
            save_token(db, token)

    def _add_app(self, body: Json) -> None:
        with self.account.store.writing() as db:
            save_app(db, app_of(body))

    def _change_app(self, body: Json) -> None:
        """Change an app. Other scopes, or uninstalling it, end all its tokens."""
        is_uninstalled = bool(body.pop("uninstall", False))
        with self.account.store.writing() as db:
            app = find_app(db, body["client_id"])
            if app is None:
                refuse("There is no such app.")
            changed: App = app_of({**asdict(app), **body})
            save_app(db, changed)
            if is_uninstalled or {"scopes", "optional_scopes"} & body.keys():
                revoke_all(db, app)


def is_local(request: Request) -> bool:
    """Return whether a request comes from this machine and, in a browser, from our own page."""
    host = request.host.rpartition(":")[0] or request.host
    origin = request.headers.get("Origin")
    return host in _LOOPBACK and origin in {None, f"http://{request.host}"}


def _get(records: Records, rest: list[Any]) -> Record:
    number = id_of(rest[0]) if rest else None
    if number is None:
        refuse("A record id is missing.")
    record = records.find(number) or records.find(number, archived=True)
    if record is None:
        raise record_not_found(str(number))
    return record
