"""What ``make demo`` runs: all of HubConnect on this machine, with a sandbox and a sample database.

Everything it keeps is below one directory, ``.demo``. Ctrl-C or SIGTERM ends every program in
order; when this process is killed outright, the kernel ends them.
"""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tools.demo_people import People
from tools.localservices import valkey
from tools.processes import StartError, Supervisor, end_with_parent

ROOT = Path(__file__).resolve().parent.parent
LOOK_EVERY_S = 0.3


class StoppedError(Exception):
    """Somebody asked this process to end."""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where a demo lives, and how one reaches it."""

    home: Path
    port: int
    sandbox_port: int
    user: str
    password: str

    @property
    def url(self) -> str:
        """Address of HubConnect's pages; HubSpot takes a plain http redirect to this name only."""
        return f"http://localhost:{self.port}"

    @property
    def sandbox_url(self) -> str:
        """Address of the sandbox: its API, and a page for people."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def order_desk(self) -> Path:
        """The sample database."""
        return self.home / "sqlite" / "order-desk.sqlite3"

    @property
    def logs(self) -> Path:
        """Where the programs write."""
        return self.home / "log"

    def kept_secrets(self) -> dict[str, str]:
        """Read the secrets of this demo; the first call makes them."""
        file = self.home / "env"
        file.touch(0o600)
        lines = file.read_text().splitlines()
        kept = dict(line.split("=", 1) for line in lines if "=" in line)
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "HUBCONNECT_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "SANDBOX_TOKEN": f"pat-eu1-{secrets.token_hex(16)}",
            "SANDBOX_APP_SECRET": secrets.token_hex(16),
        }
        if made.keys() - kept.keys():  # new, or of an earlier version
            kept = {**made, **kept}
            file.write_text("".join(f"{name}={value}\n" for name, value in kept.items()))
        return kept

    def sandbox_app(self, client_secret: str) -> dict[str, object]:
        """Describe the sandbox's public app, by which one may try to sign in with OAuth 2.0."""
        return {
            "client_id": "hubconnect-demo",
            "client_secret": client_secret,
            "app_id": 9100,
            "name": "HubConnect demo",
            "redirect_uris": [f"{self.url}/systems/oauth/callback/"],
        }

    def environment(self, redis_url: str) -> dict[str, str]:
        """Give the settings of HubConnect's processes."""
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **self.kept_secrets(),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": f"sqlite:///{self.home / 'hubconnect.sqlite3'}",
            "REDIS_URL": redis_url,
            "PUBLIC_URL": self.url,
            "STATIC_ROOT": str(self.home / "static"),
            "SQLITE_DIR": str(self.order_desk.parent),
            "ALLOWED_PRIVATE_ADDRESSES": "127.0.0.0/8,::1",
            "TICK_S": "1",
            "HUBSPOT_OVERLAP_S": "15",
            "SQL_OVERLAP_S": "15",
            "SWEEP_EVERY_S": "60",
            "HUBCONNECT_DEMO": str(self.home),
        }


def demo_from_environment() -> Demo:
    """Read what the person who calls make may set."""
    return Demo(
        home=Path(os.environ.get("DEMO_HOME", ROOT / ".demo")).resolve(),
        port=int(os.environ.get("PORT") or 8000),
        sandbox_port=int(os.environ.get("SANDBOX_PORT") or 8111),
        user=os.environ.get("DEMO_USER") or "demo",
        password=os.environ.get("DEMO_PASSWORD") or "demo",
    )


@contextlib.contextmanager
def running(demo: Demo) -> Iterator[Supervisor]:
    """Run a demo for the time of a block, which begins when its pages answer.

    Raises:
        StartError: It could not start; the message is for the person.
    """
    for directory in (demo.home, demo.logs, demo.order_desk.parent):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(demo), _ports_free(demo), valkey(demo.logs) as broker:
        supervisor = Supervisor(demo.logs, demo.environment(broker.url))
        try:
            _start(demo, supervisor)
            yield supervisor
        finally:
            # A second Ctrl-C would leave the stopping half done.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            supervisor.stop()


def _start(demo: Demo, supervisor: Supervisor) -> None:
    python, manage = sys.executable, (sys.executable, str(ROOT / "manage.py"))
    supervisor.run("migrate", [*manage, "migrate", "--verbosity", "0"])
    if _static_files_are_old(demo):
        supervisor.run("static", [*manage, "collectstatic", "--no-input", "--verbosity", "0"])
    supervisor.run("user", [*manage, "ensure_admin", demo.user], given=demo.password.encode())
    _start_sandbox_and_seed(demo, supervisor)
    celery = (python, "-m", "celery", "-A", "hubconnect")
    supervisor.start(
        "worker",
        [*celery, "worker", "--concurrency", "2", "--without-gossip", "--without-mingle"],
        death=signal.SIGKILL,  # a warm stop could take long, and with the broker gone for ever
        grace_s=10,
    )
    beat_options = {"--schedule": demo.home / "beat-schedule", "--pidfile": ""}
    supervisor.start("beat", [*celery, "beat", *_options(beat_options)])
    web_options = {
        "--bind": f"127.0.0.1:{demo.port}",
        "--worker-class": "gthread",
        "--threads": 8,
        "--graceful-timeout": 3,
        "--access-logfile": "-",
        "--access-logformat": "%(h)s %(t)s %(m)s %(U)s %(s)s %(b)s %(M)s ms",  # no query: no codes
    }
    supervisor.start("web", [python, "-m", "gunicorn", "hubconnect.wsgi", *_options(web_options)])
    supervisor.wait_for("web", lambda: answers(f"{demo.url}/health/"))


def _start_sandbox_and_seed(demo: Demo, supervisor: Supervisor) -> None:
    token = supervisor.env["SANDBOX_TOKEN"]
    sandbox_options = {
        "--port": demo.sandbox_port,
        "--database": demo.home / "sandbox.sqlite3",
        "--token": token,
        "--index-delay": 1,
        "--oauth-app": json.dumps(demo.sandbox_app(supervisor.env["SANDBOX_APP_SECRET"])),
    }
    supervisor.start(
        "sandbox", [sys.executable, "-m", "hubconnect.sandbox", *_options(sandbox_options)]
    )
    supervisor.wait_for("sandbox", lambda: answers(demo.sandbox_url))
    People(demo.sandbox_url, token).settle_in()
    seed_options = {
        "--sandbox-url": demo.sandbox_url,
        "--sandbox-token": token,
        "--order-desk": demo.order_desk,
    }
    manage = str(ROOT / "manage.py")
    supervisor.run("seed", [sys.executable, manage, "seed_demo", *_options(seed_options)])


def _options(options: dict[str, object]) -> list[str]:
    return [str(word) for option in options.items() for word in option]


@contextlib.contextmanager
def _alone(demo: Demo) -> Iterator[None]:
    """Make sure that no other demo uses the same directory."""
    with (demo.home / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"A demo is running on {demo.home} already. Stop it first, with Ctrl-C."
            raise StartError(msg) from None
        yield


@contextlib.contextmanager
def _ports_free(demo: Demo) -> Iterator[None]:
    """Make sure that both ports can be had."""
    for name, port in (("PORT", demo.port), ("SANDBOX_PORT", demo.sandbox_port)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                msg = f"Port {port} is taken: {name}={port + 10} make demo uses another."
                raise StartError(msg) from None
    yield


def _static_files_are_old(demo: Demo) -> bool:
    manifest = demo.home / "static" / "staticfiles.json"
    if not manifest.exists():
        return True
    sources = [*(ROOT / "static").rglob("*"), ROOT / "requirements.txt"]
    return max(path.stat().st_mtime for path in sources) > manifest.stat().st_mtime


def answers(url: str) -> bool:
    """Whether a server answers at an address, in whatever way but with an error of its own."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # noqa: PLR2004
    except OSError:
        return False


def _welcome(demo: Demo) -> str:
    where = os.path.relpath(demo.home, ROOT)
    desk = os.path.relpath(demo.order_desk, ROOT)
    hub, sql = f"{demo.sandbox_url}/", f"sqlite3 {desk}"
    return f"""
HubConnect runs at  {demo.url}
  Sign in with      {demo.user} / {demo.password}
  The two sides     {hub} (a stand-in for HubSpot)
                    {desk} (the order desk's database)
  Try first         Edit a deal in the sandbox, then see it arrive: Sync history in HubConnect, or
                      {sql} "select * from orders"
  Comments          Add a note to a deal in the sandbox: it becomes a row of order_comments. Back:
                      {sql} "{_TRY_COMMENT}"
  Files             Attach a file to a deal in the sandbox: it becomes a row of order_files. Back:
                      {sql} "{_TRY_FILE}"
  Links             Link a deal with another contact, in place of its own: orders.customer_id
                    follows. Back, a new order becomes a deal of its customer's contact:
                      {sql} "{_TRY_ORDER}"
  Ctrl-C stops it   `make demo` goes on with the same data, `make demo-reset` starts over.
                    Logs: {where}/log/
"""  # noqa: S608 - for a person to copy


_TRY_COMMENT = "insert into order_comments (order_id, body) values (1, 'Call back')"
_TRY_FILE = (
    "insert into order_files (order_id, name, content)"
    " values (1, 'hello.txt', cast('Hello' as blob))"
)
_TRY_ORDER = "insert into orders (title, customer_id) values ('Ten lamps', 1)"


def stop_on_signals() -> None:
    """Turn SIGTERM and SIGHUP, and Ctrl-C also where it is ignored, into an exception."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        raise StoppedError

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)
    if os.environ.get("MAKELEVEL"):  # started by make, which may be killed outright
        end_with_parent(signal.SIGTERM, os.getppid())


def reset(demo: Demo) -> int:
    """Delete what a demo has kept, unless it is running."""
    if not demo.home.exists():
        print("There is no demo to reset.")
        return 0
    try:
        with _alone(demo):
            shutil.rmtree(demo.home)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    print("The demo starts over next time.")
    return 0


def main() -> int:
    """Run the demo until it is stopped or one of its programs ends."""
    stop_on_signals()
    demo = demo_from_environment()
    if sys.argv[1:] == ["--reset"]:
        return reset(demo)
    print("Starting the demo …", flush=True)
    try:
        with running(demo) as supervisor:
            print(_welcome(demo), flush=True)
            while True:
                supervisor.check()
                time.sleep(LOOK_EVERY_S)
    except StoppedError:
        print("Stopped. Nothing is left running.")
        return 0
    except StartError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
