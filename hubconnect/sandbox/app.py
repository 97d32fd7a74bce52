"""The WSGI application: finds the call, checks the token and the limits, runs it, answers."""

import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from email.utils import formatdate
from sqlite3 import Connection
from wsgiref.types import StartResponse, WSGIEnvironment

from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]  # has no types
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from hubconnect.sandbox import account_info, calculations, oauth, oauth_pages, search_index
from hubconnect.sandbox.account import Account
from hubconnect.sandbox.auth import authenticate
from hubconnect.sandbox.call import Call, answer, no_such_path
from hubconnect.sandbox.catalog.kinds import find_kind
from hubconnect.sandbox.control import Control
from hubconnect.sandbox.errors import ApiError
from hubconnect.sandbox.file_server import serve_file
from hubconnect.sandbox.routes import Endpoint, build_map
from hubconnect.sandbox.switches import Fault

_RECORD_ADDRESS = re.compile(r"/contacts/\d+/record/(?P<kind>[\w-]+)/(?P<id>\d+)/?")
_CONTENT_ADDRESS = re.compile(r"/hubfs/\d+(?P<path>/.+)")
_TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path


class Application:
    """Answers as HubSpot does; below /sandbox it is the page and the controls of the sandbox."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._map = build_map()
        self._control = Control(account)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        if request.path == "/" or request.path.startswith("/sandbox"):
            response = self._control.answer(request)
        elif record := _RECORD_ADDRESS.fullmatch(request.path):
            # Where HubSpot's own pages show a record; here the sandbox's page does.
            kind = find_kind(record["kind"])
            name = kind.name if kind is not None else record["kind"]
            response = redirect(f"/sandbox/records/{name}/{record['id']}")
        elif (content := _CONTENT_ADDRESS.fullmatch(request.path)) and request.method == "GET":
            response = serve_file(self.account, request, content["path"])
        else:
            response = self._answer(request)
        now_s = self.account.clock.now() / 1000
        if "Date" not in response.headers:
            response.headers["Date"] = formatdate(now_s, usegmt=True)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        fault = self.account.switches.take(request.method, request.path)
        if fault is not None:
            time.sleep(fault.delay_s)
            if fault.drop == "before":
                raise ClientDisconnected
        correlation_id = str(uuid.uuid4())
        try:
            response = _disturbed(fault, correlation_id) or self._dispatch(request, fault)
        except ApiError as error:
            response = answer({**error.body, "correlationId": correlation_id}, error.status)
            response.headers.extend(error.headers)
        if fault is not None and fault.drop == "after":
            raise ClientDisconnected
        if fault is not None and fault.truncated:
            whole = response.get_data()
            response.set_data(whole[: len(whole) // 2])
        if fault is not None and fault.clock_skew_s:
            now_s = self.account.clock.now() / 1000 + fault.clock_skew_s
            response.headers["Date"] = formatdate(now_s, usegmt=True)
        response.headers["X-HubSpot-Correlation-Id"] = correlation_id
        response.headers["X-Request-Id"] = correlation_id
        return response

    def _dispatch(self, request: Request, fault: Fault | None) -> Response:
        if request.path == _TOKEN_INFO and request.method == "POST":
            self.account.count("token")
            return account_info.get_token_info(self.account, request)
        if oauth_pages.ADDRESS.fullmatch(request.path):
            return oauth_pages.authorize(self.account, request)
        if found := oauth.find_handler(request.method, request.path):
            self.account.count(found[0])
            return found[1](self.account, request)
        try:
            endpoint, values = self._map.bind_to_environ(request.environ).match()
        except MethodNotAllowed:
            raise ApiError(405, "HTTP 405 Method Not Allowed") from None
        except NotFound:
            return no_such_path()
        except HTTPException as error:
            response = no_such_path()
            response.status_code = error.code or 400
            return response
        refuses_third = fault is not None and fault.refuses_third
        return self._run(request, endpoint, values, refuses_third=refuses_third)

    def _run(
        self,
        request: Request,
        endpoint: Endpoint,
        values: Mapping[str, str],
        *,
        refuses_third: bool,
    ) -> Response:
        account = self.account
        with account.store.reading() as db:
            token = authenticate(db, request, account.clock.now())
        day = account_info.local_now(account).strftime("%Y-%m-%d")
        limits = account.limits.admit(token.app_id, day, is_search=endpoint.is_search)
        if token.is_oauth:  # their daily allowance is not told
            limits = {name: text for name, text in limits.items() if "-Daily" not in name}
        account.count(endpoint.call)
        if request.mimetype == "multipart/form-data":
            _ = request.files  # read before the database is locked: a large one takes its time
        calculations.catch_up(account)
        if endpoint.is_search:
            search_index.catch_up(account)
        try:
            with self._transaction(writes=endpoint.writes) as db:
                call = Call(request, account, token, db, endpoint.version, refuses_third)
                response = endpoint.handler(call, **values)
        except ApiError as error:
            error.headers = {**limits, **error.headers}
            raise
        if endpoint.changes_schema:
            account.forget_schemas()
        response.headers.extend(limits)
        return response

    def _transaction(self, *, writes: bool) -> AbstractContextManager[Connection]:
        return self.account.store.writing() if writes else self.account.store.reading()


def _disturbed(fault: Fault | None, correlation_id: str) -> Response | None:
    """Build the answer a fault puts in place of the real one, if it does."""
    if fault is None or not fault.status:
        return None
    is_text = isinstance(fault.body, str)
    body = fault.body
    if isinstance(body, dict):
        body = {**(body or {"status": "error"}), "correlationId": correlation_id}
    return Response(
        body if is_text else json.dumps(body),
        fault.status,
        headers=fault.headers,
        content_type="text/html" if is_text else "application/json;charset=utf-8",
    )
