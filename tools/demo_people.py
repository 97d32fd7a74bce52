"""People of the demo who work in the sandbox: what stands there at first, and what one may try."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

API = "/sandbox/api"
# HubConnect's own calls count towards the same limit.
TRIES, WAIT_S = 20, 0.5
# How HubSpot's editor writes a mention; the owner is one of the sandbox's.
MENTION = (
    '<strong><span data-mention-id="41001" data-mention-name="Rae Poe" '
    'style="color: #425b76;font-weight: 600;">@Rae Poe</span></strong>'
)
TALK: Mapping[str, tuple[str, ...]] = {
    "deals": (
        f"<p>{MENTION} please send the revised quote by <strong>Friday</strong>.</p>",
        "<p>They compare us with two others:</p><ul><li>price</li><li>delivery time</li></ul>",
    ),
    "contacts": (f"<p>Met at the fair. {MENTION} has the business card.</p>",),
}
FILE = ("floor-plan.txt", b"Ground floor: 12 desks\nFirst floor: 8 desks\n")


@dataclass(frozen=True, slots=True)
class People:
    """Somebody who works in the sandbox account, on its pages and through its API."""

    url: str
    token: str

    def api(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Call the HubSpot API of the sandbox as another client of the app."""
        return self._send(method, path, body, {"Authorization": f"Bearer {self.token}"})

    def ids(self, kind: str, number: int) -> list[str]:
        """Return the first records of a type."""
        found = self.api("GET", f"/crm/v3/objects/{kind}?limit={number}")
        return [str(one["id"]) for one in found["results"]]

    def has_contact(self, email: str) -> bool:
        """Tell whether there is a contact with this address."""
        try:
            self.api("GET", f"/crm/v3/objects/contacts/{email}?idProperty=email")
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def add_note(self, kind: str, record_id: str, body: str, files: Iterable[str] = ()) -> str:
        """Write a note on a record."""
        carried = {"hs_attachment_ids": ";".join(files)}
        note = {"body": body, "to": [[kind, record_id]], "properties": carried}
        return str(self._send("POST", f"{API}/notes", note)["id"])

    def add_file(self, name: str, content: bytes) -> str:
        """Upload a file."""
        query = urllib.parse.urlencode({"name": name})
        return str(self._send("POST", f"{API}/files?{query}", content)["id"])

    def record(self, kind: str, record_id: str) -> dict[str, str]:
        """Return the values of a record, as its page shows them: no call that counts."""
        found = self._send("GET", f"{API}/records/{kind}/{record_id}")["properties"]
        return {name: value for name, value in found.items() if value is not None}

    def notes(self, kind: str, record_id: str) -> list[dict[str, str]]:
        """Return the values of a record's notes."""
        return [self.record("notes", one) for one in self.linked(kind, record_id, "notes")]

    def linked(self, kind: str, record_id: str, to_kind: str) -> list[str]:
        """Return the records that one is linked with."""
        return list(self._send("GET", self._links(kind, record_id, to_kind)))

    def relink(self, kind: str, record_id: str, to_kind: str, to_id: str) -> None:
        """Link a record with one record of a type, in place of those it was linked with."""
        for each in self.linked(kind, record_id, to_kind):
            self._send("DELETE", f"{self._links(kind, record_id, to_kind)}/{each}")
        self._send("PUT", f"{self._links(kind, record_id, to_kind)}/{to_id}", {})

    def settle_in(self) -> None:
        """Write what the account's people wrote before the demo began, once."""
        if self._send("GET", f"{API}/statistics")["records"].get("notes"):
            return
        for kind, texts in TALK.items():
            records = self.ids(kind, len(texts))
            for record_id, text in zip(records, texts, strict=True):
                self.add_note(kind, record_id, text)
        (deal,) = self.ids("deals", 1)
        self.add_note("deals", deal, "The floor plan they sent", [self.add_file(*FILE)])

    @staticmethod
    def _links(kind: str, record_id: str, to_kind: str) -> str:
        return f"{API}/records/{kind}/{record_id}/associations/{to_kind}"

    def _send(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - JSON
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, dict(headers or {}), method=method)
        if data is not body:
            request.add_header("Content-Type", "application/json")
        for _ in range(TRIES):
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    content = answer.read()
                return json.loads(content) if content else None
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.TOO_MANY_REQUESTS:
                    raise
            time.sleep(WAIT_S)
        msg = f"{method} {path}: there were too many calls"
        raise TimeoutError(msg)
