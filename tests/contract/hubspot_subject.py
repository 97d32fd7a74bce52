"""HubSpot under the contract suite: contacts of a sandbox account."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from hubconnect.connectors.base import Connector, Value, Values
from tests.contract.hubspot.conftest import connect
from tests.sandbox_process import Sandbox, sandbox


class HubSpotLinks:
    """A user who links contacts with companies."""

    object_type = "contacts"
    type = "HUBSPOT_DEFINED:279"

    def __init__(self, account: Sandbox) -> None:
        self._account = account

    def make_near(self, count: int) -> list[str]:
        return [self._account.create("contacts", {"lastname": "Near"}) for _ in range(count)]

    def make_far(self, count: int) -> list[str]:
        return [self._account.create("companies", {"name": "Far"}) for _ in range(count)]

    def link(self, near: str, far: str) -> None:
        self._account.associate("contacts", near, "companies", far)

    def unlink(self, near: str, far: str) -> None:
        self._account.dissociate("contacts", near, "companies", far)


class HubSpotNotes:
    """A user who writes notes on deals."""

    object_type = "deals"
    author = "rae.poe@example.com"
    author_name = "Rae Poe"

    def __init__(self, account: Sandbox) -> None:
        self._account = account

    def make_records(self, count: int) -> list[str]:
        return make_deals(self._account, count)

    def add(self, record_id: str, text: str) -> str:
        return self._account.add_note(text, ("deals", record_id))

    def edit(self, comment_id: str, text: str) -> None:
        self._account.update("notes", comment_id, {"hs_note_body": f"<p>{text}</p>"})

    def delete(self, comment_id: str) -> None:
        self._account.archive("notes", comment_id)


def make_deals(account: Sandbox, count: int) -> list[str]:
    stage = {"dealstage": "appointmentscheduled", "pipeline": "default"}
    return [
        account.create("deals", {"dealname": f"Deal {number}", **stage}) for number in range(count)
    ]


class HubSpotFiles:
    """A user who attaches files to deals: each makes a note of its own."""

    object_type = "deals"

    def __init__(self, account: Sandbox) -> None:
        self._account = account
        self._files: dict[str, str] = {}

    def make_records(self, count: int) -> list[str]:
        return make_deals(self._account, count)

    def add(self, record_id: str, name: str, content: bytes) -> str:
        file_id = str(self._account.add_file(content, name)["id"])
        holder = f"notes/{self._account.add_note('', ('deals', record_id), files=[file_id])}"
        self._files[holder] = file_id
        return holder

    def delete(self, holder: str) -> None:
        self._account.archive("notes", holder.removeprefix("notes/"))

    def destroy(self, holder: str) -> None:
        status, _, _ = self._account.api("DELETE", f"/files/v3/files/{self._files[holder]}")
        assert status == 204


class HubSpotSubject:
    """One sandbox account with our key property on contacts."""

    object_type = "contacts"
    unique_field = "email"
    text_field = "firstname"
    wrong_settings: tuple[tuple[str, Mapping[str, str]], ...] = (
        ("access_token", {"access_token": "pat-na1-wrong"}),
        ("api_url", {"api_url": "http://10.1.2.3"}),
    )
    away_settings: Mapping[str, str] = {"api_url": "http://127.0.0.1:1"}

    def __init__(self, account: Sandbox, opened: ExitStack) -> None:
        self.account, self._opened = account, opened
        self.connector = self.open({})
        self.links = HubSpotLinks(account)
        self.comments = HubSpotNotes(account)
        self.files = HubSpotFiles(account)

    def values(self, number: int) -> dict[str, Value]:
        return {
            "email": f"person{number}@example.com",
            "firstname": f"Person {number}",
            "lastname": "Contract",
        }

    def refused_values(self) -> Values:
        return {"email": "this is no e-mail address", "firstname": "Nobody"}

    def make_records(self, count: int) -> list[str]:
        return [self.account.create("contacts", self.values(number)) for number in range(count)]

    def edit_record(self, record_id: str, text: str) -> None:
        self.account.update("contacts", record_id, {self.text_field: text})

    def delete_record(self, record_id: str) -> None:
        self.account.archive("contacts", record_id)

    def settle_down(self) -> None:
        """The sandbox's index has no delay here."""

    def open(self, settings: Mapping[str, str]) -> Connector:
        # The settings' names are none of the other arguments'.
        opened = connect(self.account, **settings)  # type: ignore[arg-type]
        return self._opened.enter_context(opened)


@contextmanager
def hubspot_subject() -> Iterator[HubSpotSubject]:
    """Play an empty account."""
    with sandbox() as account, ExitStack() as opened:
        subject = HubSpotSubject(account, opened)
        subject.connector.prepare("hubconnect_key:contacts")
        yield subject
