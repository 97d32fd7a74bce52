"""What ``make demo-smoke`` runs: the demo on free ports, watched and judged by this program."""

import json
import sqlite3
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tools.demo import Demo, StoppedError, answers, running, stop_on_signals
from tools.localservices import free_port
from tools.processes import StartError, Supervisor, tagged, wait_until

FLOWS = 3
CHANGES = 2
QUIET_RUNS = 6  # runs to watch for something that bounces
LOAD_S = 120
CHANGE_S = 60
MARK = "Renamed by the smoke test"
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
    before = watcher.carried()
    watcher.edit_a_deal()
    watcher.insert_a_customer()
    watcher.wait(watcher.deal_has_arrived, CHANGE_S, "the edited deal has reached the order desk")
    watcher.wait(watcher.customer_has_arrived, CHANGE_S, "the new customer has reached HubSpot")
    rounds = watcher.runs_done()
    watcher.wait(lambda: watcher.runs_done() >= rounds + QUIET_RUNS, CHANGE_S, "more runs ended")
    carried = watcher.carried() - before
    if carried != CHANGES:
        msg = f"{carried} changes were carried instead of {CHANGES}: something bounced"
        raise SmokeError(msg)
    if failures := watcher.failures():
        msg = "open failures: " + "; ".join(failures)
        raise SmokeError(msg)
    supervisor.check()
    return f"demo ok: {watcher.links()} records in sync, {carried} changes carried, 0 failures"


class Watcher:
    """Acts as somebody at the sandbox and at the order desk, and reads what came of it."""

    def __init__(self, demo: Demo, supervisor: Supervisor) -> None:
        self.demo = demo
        self.supervisor = supervisor
        self.database = demo.home / "hubconnect.sqlite3"

    def wait(self, is_so: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait for a condition while all programs run."""

        def look() -> bool:
            self.supervisor.check()
            return is_so()

        wait_until(look, timeout_s=timeout_s, what=what)

    def has_loaded(self) -> bool:
        """Whether every flow is past its first load."""
        phases = self._ask("select phase from integrations_flow")
        return len(phases) == FLOWS and all(phase == "running" for (phase,) in phases)

    def carried(self) -> int:
        """Records created or updated so far, by all runs."""
        ((number,),) = self._ask("select coalesce(sum(created + updated), 0) from integrations_run")
        return int(number)

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

    def edit_a_deal(self) -> None:
        """Rename a deal through the API of the sandbox."""
        deal = self._call("GET", "/crm/v3/objects/deals?limit=1")["results"][0]["id"]
        self._call("PATCH", f"/crm/v3/objects/deals/{deal}", {"properties": {"dealname": MARK}})

    def insert_a_customer(self) -> None:
        """Add a row to the order desk."""
        with closing(sqlite3.connect(self.demo.order_desk, timeout=20)) as desk, desk:
            desk.execute(
                "insert into customers (email, first_name, last_name) values (?, 'Smoke', 'Test')",
                (EMAIL,),
            )

    def deal_has_arrived(self) -> bool:
        """Whether an order has the new name."""
        with closing(sqlite3.connect(self.demo.order_desk, timeout=20)) as desk:
            ((number,),) = desk.execute("select count(*) from orders where title = ?", (MARK,))
        return int(number) == 1

    def customer_has_arrived(self) -> bool:
        """Whether the sandbox has the contact."""
        try:
            self._call("GET", f"/crm/v3/objects/contacts/{EMAIL}?idProperty=email")
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=20)) as database:
            return database.execute(statement).fetchall()

    def _call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
        token = self.supervisor.env["SANDBOX_TOKEN"]
        request = urllib.request.Request(
            self.demo.sandbox_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


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
