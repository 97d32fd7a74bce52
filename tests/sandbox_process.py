"""The HubSpot sandbox as a process of its own, for tests that speak with it over HTTP."""

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

TOKEN = "pat-na1-test-token"
DEFAULTS: Mapping[str, object] = {
    "token": TOKEN,
    "index_delay": 0,
    "calculation_delay": 0,
    "burst_limit": 1_000_000,  # as good as none; the connector learns it from the answers
    "search_limit": 0,
}
SEEDED = ("contacts", "companies", "deals", "tickets")
# A proxy of the environment is not asked for loopback.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


_NO_REDIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
_PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox; its methods play the person who works in HubSpot."""

    url: str
    token: str
    database: Path
    process: "subprocess.Popen[str]"

    def api(
        self, method: str, path: str, body: object = None, *, token: str = ""
    ) -> tuple[int, Any, Message]:
        """Call the HubSpot API; returns status, JSON (or text) and headers."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self._call(method, path, body, headers)

    def upload(
        self,
        content: bytes,
        name: str = "contract.pdf",
        *,
        options: Mapping[str, object] | None = None,
        token: str = "",
        path: str = "/files/v3/files",
        method: str = "POST",
        **fields: str,
    ) -> tuple[int, Any]:
        """Upload a file through the API; returns status and JSON. No folder given: /library."""
        chosen = {"access": "PRIVATE"} if options is None else options
        form = {"options": json.dumps(chosen), **(fields or {"folderPath": "/library"})}
        body, content_type = _multipart(form, name, content)
        headers = {
            "Authorization": f"Bearer {token or self.token}",
            "Content-Type": content_type,
        }
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self.url + path, body, headers, method=method
        )
        status, raw, _ = _send(request)
        return status, _parsed(raw)

    def fetch(self, url: str) -> tuple[int, bytes, Message]:
        """Fetch an address without a token, as one fetches a signed one."""
        return _send(urllib.request.Request(url))  # noqa: S310 - the sandbox made it

    def create(self, kind: str, properties: Mapping[str, object]) -> str:
        """Create a record as a person in HubSpot; returns its id."""
        made = self._control("POST", f"records/{kind}", {"properties": properties})
        return str(made["id"])

    def update(
        self,
        kind: str,
        record_id: str,
        properties: Mapping[str, object],
        source: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """Change a record as a person, or as the given source; returns it with all properties."""
        body: dict[str, object] = {"properties": properties}
        if source is not None:
            body["source"] = source
        changed: dict[str, Any] = self._control("PATCH", f"records/{kind}/{record_id}", body)
        return changed

    def archive(self, kind: str, record_id: str) -> None:
        """Delete a record as a person."""
        self._control("DELETE", f"records/{kind}/{record_id}")

    def restore(self, kind: str, record_id: str) -> None:
        """Bring a deleted record back."""
        self._control("POST", f"records/{kind}/{record_id}/restore")

    def merge(self, kind: str, primary: str, other: str) -> str:
        """Merge a record into another as a person; returns the id of the survivor, a new one."""
        survivor = self._control("POST", f"records/{kind}/{primary}/merge", {"other": other})
        return str(survivor["id"])

    def associate(
        self, kind: str, record_id: str, to_kind: str, to_id: str, type_id: int | None = None
    ) -> None:
        """Link two records as a person; without a type id by the plain type."""
        path = f"records/{kind}/{record_id}/associations/{to_kind}/{to_id}"
        self._control("PUT", path, {"type_id": type_id})

    def dissociate(self, kind: str, record_id: str, to_kind: str, to_id: str) -> None:
        """Remove every link between two records as a person."""
        self._control("DELETE", f"records/{kind}/{record_id}/associations/{to_kind}/{to_id}")

    def associations(self, kind: str, record_id: str, to_kind: str) -> dict[str, list[int]]:
        """Return the type ids by which a record is linked, by id of the linked record."""
        path = f"records/{kind}/{record_id}/associations/{to_kind}"
        found: dict[str, list[int]] = self._control("GET", path)
        return found

    def add_note(
        self, body: str, *ends: tuple[str, str], files: Iterable[str] = (), **properties: str
    ) -> str:
        """Write a note on records, given as (type, id), as a person; returns its id.

        Text without tags becomes paragraphs in HubSpot's wrapping. ``files`` are file ids.
        """
        properties.setdefault("hs_attachment_ids", ";".join(files))
        made = self._control("POST", "notes", {"body": body, "to": ends, "properties": properties})
        return str(made["id"])

    def add_file(self, content: bytes, name: str, access: str = "PRIVATE") -> dict[str, Any]:
        """Upload a file as a person; returns it as the files API does."""
        query = urllib.parse.urlencode({"name": name, "access": access})
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.url}/sandbox/api/files?{query}", content, method="POST"
        )
        status, raw, _ = _send(request)
        if status >= 400:
            message = f"The sandbox refused the file: {status} {raw!r}"
            raise AssertionError(message)
        made: dict[str, Any] = _parsed(raw)
        return made

    def content(self, file_id: str) -> bytes:
        """Return what is in a file, by way of a signed address."""
        status, signed, _ = self.api("GET", f"/files/v3/files/{file_id}/signed-url")
        if status >= 400:
            message = f"File {file_id}: {status} {signed}"
            raise AssertionError(message)
        return self.fetch(signed["url"])[1]

    def get(self, kind: str, record_id: str) -> dict[str, Any]:
        """Return a record with every property that has a value, archived or not."""
        found: dict[str, Any] = self._control("GET", f"records/{kind}/{record_id}")
        return found

    def list(self, kind: str, properties: str = "") -> list[dict[str, Any]]:
        """Return all records of a type through the list API, page by page."""
        records: list[dict[str, Any]] = []
        after = "0"
        while after:
            path = f"/crm/v3/objects/{kind}?limit=100&after={after}&properties={properties}"
            _, page, _ = self.api("GET", path)
            records += page["results"]
            after = page.get("paging", {}).get("next", {}).get("after", "")
        return records

    def settings(self, **values: object) -> None:
        """Change settings of the account while it runs.

        Numbers: index_delay_s (or a pair), calculation_delay_s (None: links never change a
        record), clock_offset_s, burst_limit, search_limit, daily_limit, file_limit_bytes. Others:
        index_frozen, refused_extensions (list), hidden_required (lists of properties by type). Of
        signing in: lacking_scopes (of the account), rotates (refresh tokens), is_gone.
        """
        self._control("PATCH", "settings", values)

    def add_token(self, token: str, **values: object) -> None:
        """Add a token; ``scopes`` (list), ``app_id`` and ``expires_at`` (ms) may be given."""
        self._control("POST", "tokens", {"token": token, **values})

    def add_app(self, client_id: str, **values: object) -> None:
        """Add a public app; see ``hubconnect.sandbox.oauth_apps.App`` for the members."""
        self._control("POST", "apps", {"client_id": client_id, **values})

    def change_app(self, client_id: str, **values: object) -> None:
        """Change an app; other scopes or ``uninstall=True`` end all its tokens."""
        self._control("PATCH", "apps", {"client_id": client_id, **values})

    def form(self, path: str, **fields: str) -> tuple[int, Any, Message]:
        """Send a form, as to the token endpoint; returns status, JSON (or text) and headers."""
        return self._call("POST", path, urllib.parse.urlencode(fields), {})

    def consent(self, install_url: str, answer: str = "allow") -> str:
        """Answer HubSpot's question whether an app may connect; returns where it leads then."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            install_url, urllib.parse.urlencode({"answer": answer}).encode()
        )
        try:
            with _NO_REDIRECT.open(request, timeout=30) as response:
                return str(response.url)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 302:
                    raise AssertionError(error.read().decode()) from error
                return str(error.headers["Location"])

    def take_scope(self, *scopes: str, token: str = "") -> None:
        """Take scopes from a token."""
        self._control("PATCH", "tokens", {"token": token or self.token, "take": scopes})

    def give_scope(self, *scopes: str, token: str = "") -> None:
        """Give scopes to a token."""
        self._control("PATCH", "tokens", {"token": token or self.token, "give": scopes})

    def fault(self, name: str = "", /, **values: object) -> None:
        """Disturb the next calls, by the name of a fault, by its members, or by both.

        Names are those of ``hubconnect.sandbox.fault_names``, such as ``burst``, ``daily``,
        ``locked``, ``migration``, ``bad_gateway``, ``html``, ``truncated``, ``slow``,
        ``dropped_after``, ``expired_token``, ``third_refused``; members are those of
        ``hubconnect.sandbox.switches.Fault``, such as ``path``, ``method``, ``times``, ``skip``.
        """
        self._control("POST", "faults", {"name": name, **values} if name else values)

    def faults(self) -> set[str]:
        """Return the names of the faults that are switched on and did not strike often enough."""
        return {one["name"] for one in self._control("GET", "faults")["on"]}

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._control("DELETE", "faults")

    def statistics(self) -> dict[str, Any]:
        """Return ``calls`` by kind since the last reset, ``total``, ``refused``, ``records``."""
        found: dict[str, Any] = self._control("GET", "statistics")
        return found

    def reset_statistics(self) -> None:
        """Forget the calls counted so far, and those the limits remember."""
        self._control("DELETE", "statistics")

    def _control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        status, answer, _ = self._call(method, f"/sandbox/api/{path}", body, {})
        if status >= 400:
            message = f"{method} {path}: {status} {answer}"
            raise AssertionError(message)
        return answer

    def _call(
        self, method: str, path: str, body: object, headers: dict[str, str]
    ) -> tuple[int, Any, Message]:
        data = None if body is None else json.dumps(body).encode()
        kind = "application/json"
        if isinstance(body, str):
            data, kind = body.encode(), "application/x-www-form-urlencoded"
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self.url + path, data, headers, method=method
        )
        if data is not None:
            request.add_header("Content-Type", kind)
        status, raw, answered = _send(request)
        return status, _parsed(raw), answered


def _send(request: urllib.request.Request) -> tuple[int, bytes, Message]:
    try:
        with _OPENER.open(request, timeout=30) as response:
            return response.status, response.read(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def _multipart(form: Mapping[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    """Build the body of a form with one file, and its content type."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in form.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = "".join(parts).encode() + head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _parsed(content: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")


@contextmanager
def sandbox(database: Path | None = None, **options: object) -> Iterator[Sandbox]:
    """Run a sandbox on a free port until the block is left.

    Options are those of the command line, with _ for -: ``contacts=300``, ``index_delay=2``,
    ``extra_token="T=oauth"``. It is empty unless a number of records is given; limits and index
    delay are off unless given.
    """
    given = {**DEFAULTS, **options}
    if not any(name in given for name in SEEDED):
        given["empty"] = True
    elif "empty" not in given:
        given = {**dict.fromkeys(SEEDED, 0), **given}
    with tempfile.TemporaryDirectory() as folder:
        path = database or Path(folder) / "sandbox.sqlite3"
        command = [sys.executable, "-m", "hubconnect.sandbox", "--database", str(path)]
        for name, value in given.items():
            flag = f"--{name.replace('_', '-')}"
            command += [flag] if value is True else [flag, str(value)]
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=_PROJECT, stdout=subprocess.PIPE, text=True
        )
        try:
            yield Sandbox(_announced(process), str(given["token"]), path, process)
        finally:
            process.terminate()
            process.wait(timeout=30)
            if process.stdout is not None:
                process.stdout.close()


def _announced(process: "subprocess.Popen[str]") -> str:
    """Wait for the line that tells the address; it comes once the sandbox listens."""
    line = "" if process.stdout is None else process.stdout.readline()
    if not line.startswith("sandbox: "):
        message = f"The sandbox did not start: {line!r} (exit code {process.poll()})."
        raise AssertionError(message)
    return line.split()[1]
