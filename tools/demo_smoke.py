"""What ``make demo-smoke`` runs: the demo on free ports, watched and judged by this program."""

import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from tools.demo import Demo, StoppedError, answers, running, stop_on_signals
from tools.demo_people import People
from tools.localservices import free_port
from tools.processes import StartError, Supervisor, tagged, wait_until

FLOWS = 4
CHANGES = 3  # an edited deal, a new customer, a new order
COMMENTS, FILES = 2, 2  # one each way
LINKS = 2
QUIET_RUNS = 6  # runs to watch for something that bounces
LOOK_S = 0.5  # some looks are API calls, of which HubConnect needs its share
LOAD_S = 120
CHANGE_S = 60
MARK = "Renamed by the smoke test"
BACK = "Written by the smoke test at the order desk"
ORDER = "Ordered by the smoke test"
EMAIL = "smoke@test.example"


class SmokeError(Exception):
    """Something the demo promises did not happen."""


def check(demo: Demo, supervisor: Supervisor) -> str:
    """Try what a person would try first; give the line that sums it up.

    Raises:
        SmokeError: Something was missing; the message says what.
        TimeoutError: Something did not happen in time.
    """
    if not answers(f"{demo.url}/sign-in/"):
        msg = "the sign-in page does not answer"
        raise SmokeError(msg)
    watcher = Watcher(demo, supervisor)
    watcher.wait(watcher.has_loaded, LOAD_S, "the first loads have ended")
    watcher.wait(watcher.has_settled, LOAD_S, "seeded comments, files and links have arrived")
    before = watcher.carried()
    people = Acting(demo, People(demo.sandbox_url, supervisor.env["SANDBOX_TOKEN"]))
    people.edit()
    for is_so, what in people.awaited():
        watcher.wait(is_so, CHANGE_S, what)
    rounds = watcher.runs_done()
    watcher.wait(lambda: watcher.runs_done() >= rounds + QUIET_RUNS, CHANGE_S, "more runs ended")
    carried = watcher.carried() - before
    if carried != Carried(CHANGES, COMMENTS, FILES, LINKS):
        msg = f"{carried} were carried: something bounced"
        raise SmokeError(msg)
    if failures := watcher.failures():
        msg = "open failures: " + "; ".join(failures)
        raise SmokeError(msg)
    supervisor.check()
    return (
        f"demo ok: {watcher.links()} records in sync, {carried.changes} changes carried, "
        f"0 failures; {carried.comments} comments, {carried.files} files, {carried.links} links"
    )


@dataclass(frozen=True, slots=True)
class Carried:
    """What runs have carried."""

    changes: int
    comments: int
    files: int
    links: int

    def __sub__(self, other: "Carried") -> "Carried":
        """Return what came since."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Carried(*(now - then for now, then in pairs))

    def __str__(self) -> str:
        return (
            f"{self.changes} changes carried, {self.comments} comments, {self.files} files, "
            f"{self.links} links"
        )


class Watcher:
    """Waits for what runs do, and reads what they did."""

    def __init__(self, demo: Demo, supervisor: Supervisor) -> None:
        self.demo = demo
        self.supervisor = supervisor
        self.database = demo.home / "hubconnect.sqlite3"

    def wait(self, is_so: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait for a condition while all programs run."""

        def look() -> bool:
            self.supervisor.check()
            return is_so()

        wait_until(look, timeout_s=timeout_s, what=what, every_s=LOOK_S)

    def has_loaded(self) -> bool:
        """Whether every flow is past its first load."""
        phases = self._ask("select phase from integrations_flow")
        return len(phases) == FLOWS and all(phase == "running" for (phase,) in phases)

    def has_settled(self) -> bool:
        """Whether what stood on both sides hangs on the counterparts, and nothing is left to do."""
        ((waiting,),) = self._ask("select count(*) from integrations_followup")
        seeded = self.carried()
        return not waiting and bool(seeded.comments and seeded.files and seeded.links)

    def carried(self) -> Carried:
        """What all runs have carried so far."""
        columns = ("created + updated", "comments", "files", "associations")
        sums = ", ".join(f"coalesce(sum({column}), 0)" for column in columns)
        (row,) = self._ask(f"select {sums} from integrations_run")  # noqa: S608 - our own columns
        return Carried(*row)

    def runs_done(self) -> int:
        """Runs that went through."""
        ((number,),) = self._ask("select count(*) from integrations_run where state = 'done'")
        return int(number)

    def links(self) -> int:
        """Records in sync."""
        ((number,),) = self._ask("select count(*) from integrations_link")
        return int(number)

    def failures(self) -> list[str]:
        """Messages of what waits for a person."""
        found = self._ask("select message from integrations_failure where state = 'open'")
        return [message for (message,) in found]

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=20)) as database:
            return database.execute(statement).fetchall()


class Acting:
    """Somebody at the sandbox and at the order desk, who changes things on both sides."""

    def __init__(self, demo: Demo, people: People) -> None:
        """Choose whom and what it is about."""
        self._demo = demo
        self._people = people
        self._edited, self._talked_about, self._moved = people.ids("deals", 3)
        self._contact = people.ids("contacts", 9)[-1]

    def edit(self) -> None:
        """Do all of it."""
        people = self._people
        people.api(
            "PATCH", f"/crm/v3/objects/deals/{self._edited}", {"properties": {"dealname": MARK}}
        )
        people.add_note("deals", self._talked_about, MARK, [people.add_file("up.txt", b"Up")])
        people.relink("deals", self._moved, "contacts", self._contact)
        self._desk(
            "insert into customers (email, first_name, last_name) values (?, 'Smoke', 'Test')",
            EMAIL,
        )
        self._desk("insert into orders (title, customer_id) values (?, 1)", ORDER)
        self._desk(
            "insert into order_comments (order_id, body) select id, ? from orders where hub_id = ?",
            BACK,
            self._talked_about,
        )
        self._desk(
            "insert into order_files (order_id, name, content)"
            " select id, 'down.txt', cast('Down' as blob) from orders where hub_id = ?",
            self._talked_about,
        )

    def awaited(self) -> list[tuple[Callable[[], bool], str]]:
        """Give what must become of it, with words for it."""
        return [
            (self._deal_has_arrived, "the edited deal has reached the order desk"),
            (self._customer_has_arrived, "the new customer has reached HubSpot"),
            (self._order_has_arrived, "the new order has reached HubSpot with its contact"),
            (self._order_has_moved, "the order has followed its deal to another customer"),
            (self._note_has_arrived, "the note has reached the order desk with its author"),
            (self._comment_has_arrived, "the desk's comment has reached HubSpot"),
            (self._files_have_arrived, "a file has arrived on each side"),
        ]

    def _deal_has_arrived(self) -> bool:
        return self._count("orders where title = ?", MARK) == 1

    def _customer_has_arrived(self) -> bool:
        return self._people.has_contact(EMAIL)

    def _order_has_arrived(self) -> bool:
        rows = self._rows("select hub_id from orders where title = ? and hub_id is not null", ORDER)
        return any(self._people.linked("deals", deal, "contacts") for (deal,) in rows)

    def _order_has_moved(self) -> bool:
        email = self._people.record("contacts", self._contact)["email"]
        wanted = "orders o join customers c on c.id = customer_id where hub_id = ? and email = ?"
        return self._count(wanted, self._moved, email) == 1

    def _note_has_arrived(self) -> bool:
        wanted = "order_comments where body like ? and author = 'rae.poe@example.com'"
        return self._count(wanted, f"%{MARK}%") == 1

    def _comment_has_arrived(self) -> bool:
        notes = self._people.notes("deals", self._talked_about)
        return any(BACK in note.get("hs_note_body", "") for note in notes)

    def _files_have_arrived(self) -> bool:
        notes = self._people.notes("deals", self._talked_about)
        both = sum("hs_attachment_ids" in note for note in notes)
        return self._count("order_files where content = cast('Up' as blob)") == 1 and both == 2  # noqa: PLR2004 - theirs and ours

    def _desk(self, statement: str, *values: str) -> None:
        with closing(sqlite3.connect(self._demo.order_desk, timeout=20)) as desk, desk:
            if desk.execute(statement, values).rowcount != 1:
                msg = f"nothing was written by {statement}"
                raise SmokeError(msg)

    def _count(self, what: str, *values: str) -> int:
        ((number,),) = self._rows(f"select count(*) from {what}", *values)  # noqa: S608 - ours
        return int(number)

    def _rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._demo.order_desk, timeout=20)) as desk:
            return desk.execute(statement, values).fetchall()


def main() -> int:
    """Start, check, stop, make sure that nothing is left, and say one line."""
    stop_on_signals()
    with tempfile.TemporaryDirectory(prefix="hubconnect-smoke-") as home:
        demo = Demo(Path(home), free_port(), free_port(), "smoke", "smoke-test")
        try:
            with running(demo) as supervisor:
                says = check(demo, supervisor)
            wait_until(lambda: not tagged(home), timeout_s=10, what="all processes are gone")
        except StoppedError:
            print("demo-smoke was stopped")
            return 1
        except (SmokeError, StartError, TimeoutError) as error:
            print(f"demo failed: {error}")
            return 1
    print(says)
    return 0


if __name__ == "__main__":
    sys.exit(main())
