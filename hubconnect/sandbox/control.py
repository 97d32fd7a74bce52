"""The user's and the tester's side, below /sandbox: no part of the HubSpot API.

It listens on loopback and asks for no login, so a foreign page in a browser must not reach it:
requests are refused whose Host is no loopback name or whose Origin is another one.
"""

from typing import Any

from werkzeug.wrappers import Request, Response

from hubconnect.sandbox.account import Account, Source
from hubconnect.sandbox.auth import Token, save_token
from hubconnect.sandbox.call import answer, nothing
from hubconnect.sandbox.catalog.kinds import ALL_SCOPES, find_kind
from hubconnect.sandbox.errors import ApiError, Json, invalid, record_not_found, unknown_kind
from hubconnect.sandbox.links import archive
from hubconnect.sandbox.records import Record, Records, id_of
from hubconnect.sandbox.shapes import shape_full
from hubconnect.sandbox.writing import create_record, update_record

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_API = "/sandbox/api/"
_COUNTS = "SELECT kind, count(*) FROM record WHERE archived IS NULL GROUP BY kind"


class Control:
    """Answers requests below /sandbox."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if not is_local(request):
            return Response("Refused: foreign host or origin.", 403)
        try:
            return self._api(request, request.path.removeprefix(_API).strip("/").split("/"))
        except ApiError as error:
            return answer(error.body, error.status)
        except TypeError as error:
            return answer({"status": "error", "message": str(error)}, 400)

    def _api(self, request: Request, parts: list[str]) -> Response:
        body = request.get_json(silent=True) or {}
        match request.method, parts:
            case "GET", ["statistics"]:
                return answer(self._statistics())
            case "DELETE", ["statistics"]:
                self.account.calls.clear()
                self.account.limits.reset()
                return nothing()
            case "PATCH", ["settings"]:
                self._set(body)
                return nothing()
            case "POST", ["faults"]:
                self.account.switches.add(body)
                return nothing()
            case "DELETE", ["faults"]:
                self.account.switches.clear()
                return nothing()
            case "POST", ["tokens"]:
                return self._add_token(body)
            case _, ["records", kind, *rest]:
                return self._records(request.method, kind, rest, body)
        return Response("Not found.", 404)

    def _records(self, method: str, kind: str, rest: list[str], body: Json) -> Response:
        found = find_kind(kind)
        if found is None:
            raise unknown_kind(kind)
        with self.account.store.writing() as db:
            records = Records(db, self.account, found.name)
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
            return answer(shape_full(records, record))

    def _user(self, body: Json) -> Source:
        """Return who writes: a person in HubSpot, or another app where the test says so."""
        if "source" in body:
            return Source(**body["source"])
        return user_source(self.account)

    def _statistics(self) -> Json:
        with self.account.store.reading() as db:
            counts = dict(db.execute(_COUNTS).fetchall())
        calls = dict(self.account.calls)
        return {"calls": calls, "total": sum(calls.values()), "records": counts}

    def _set(self, body: Json) -> None:
        if "index_delay_s" in body:
            given = body["index_delay_s"]
            low, high = given if isinstance(given, list) else (given, given)
            self.account.index_delay_ms = (round(low * 1000), round(high * 1000))
        if "clock_offset_s" in body:
            self.account.clock.offset_ms = round(body["clock_offset_s"] * 1000)
        for name in ("burst", "search", "daily"):
            if f"{name}_limit" in body:
                setattr(self.account.limits, name, int(body[f"{name}_limit"]))

    def _add_token(self, body: Json) -> Response:
        token = Token(
            str(body["token"]),
            int(body.get("app_id", self.account.options.app_id)),
            int(body.get("user_id", self.account.options.user_id)),
            tuple(body.get("scopes", ALL_SCOPES)),
            body.get("expires_at"),
        )
        with self.account.store.writing() as db:
            save_token(db, token)
        return nothing()


def user_source(account: Account) -> Source:
    """Return how history names the person who works in HubSpot."""
    user_id = account.options.user_id
    return Source("CRM_UI", f"userId:{user_id}", user_id)


def is_local(request: Request) -> bool:
    """Return whether a request comes from this machine and, in a browser, from our own page."""
    host = request.host.rpartition(":")[0] or request.host
    origin = request.headers.get("Origin")
    return host in _LOOPBACK and origin in {None, f"http://{request.host}"}


def _get(records: Records, rest: list[Any]) -> Record:
    number = id_of(rest[0]) if rest else None
    if number is None:
        raise invalid("A record id is missing.")
    record = records.find(number) or records.find(number, archived=True)
    if record is None:
        raise record_not_found(str(number))
    return record
