"""Nothing that was started stays behind, however it ends."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.localservices import free_port
from tools.processes import StartError, Supervisor, tagged, wait_until

ROOT = Path(__file__).parents[2]
STAYS = str(Path(__file__).with_name("stays.py"))

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


@pytest.fixture
def tag() -> str:
    return f"tag-{uuid.uuid4().hex}"


@pytest.fixture
def supervisor(tmp_path: Path, tag: str) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, {"TAG": tag, "PATH": os.environ["PATH"]})
    yield supervisor
    supervisor.stop()


def start_family(supervisor: Supervisor, mark: Path, *how: str) -> None:
    """Start a parent with a child and wait for both."""
    supervisor.start("family", [sys.executable, STAYS, str(mark), "2", *how], grace_s=0.5)
    supervisor.wait_for("family", lambda: mark.exists() and mark.read_text().count("here") == 2)


def test_stopping_ends_grandchildren_too(supervisor: Supervisor, tmp_path: Path, tag: str) -> None:
    start_family(supervisor, tmp_path / "mark")
    assert len(tagged(tag)) == 2
    supervisor.stop()
    wait_until(lambda: not tagged(tag), timeout_s=5, what="no process is left")


def test_who_ignores_the_request_is_killed(
    supervisor: Supervisor, tmp_path: Path, tag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    start_family(supervisor, tmp_path / "mark", "stubborn")
    supervisor.stop()
    wait_until(lambda: not tagged(tag), timeout_s=5, what="no process is left")
    assert "family did not stop" in capsys.readouterr().out


def test_a_program_that_ends_is_named_with_its_last_words(supervisor: Supervisor) -> None:
    supervisor.start("brief", [sys.executable, "-c", "raise SystemExit('out of paper')"])
    with pytest.raises(StartError, match=r"brief ended with status 1[\s\S]*out of paper"):
        supervisor.wait_for("brief", lambda: False, timeout_s=10)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_demo_leaves_no_process_behind(tmp_path: Path, how: signal.Signals) -> None:
    port, home = free_port(), tmp_path / "demo"
    env = {
        **os.environ,
        "DEMO_HOME": str(home),
        "PORT": str(port),
        "SANDBOX_PORT": str(free_port()),
        "DATABASE_URL": "",
    }
    log = tmp_path / "log"
    with log.open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "tools.demo"], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    wait_until(
        lambda: demo.poll() is not None or "Sign in with" in log.read_text(),
        timeout_s=90,
        what="the demo runs",
    )
    assert demo.poll() is None, log.read_text()
    worker_log = home / "log" / "worker.log"
    wait_until(lambda: "ready." in worker_log.read_text(), timeout_s=30, what="the worker runs")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/") as page:
        assert b"Sign in" in page.read()
    demo.send_signal(how)
    wait_until(lambda: not tagged(str(home)), timeout_s=20, what="no process is left")
    assert demo.wait(10) == (-signal.SIGKILL if how == signal.SIGKILL else 0)


def test_a_second_demo_on_the_same_data_is_refused_in_one_line(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        env = {**os.environ, "DEMO_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-m", "tools.demo"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "is running on" in done.stderr


def test_a_taken_port_is_one_line_that_names_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = {**os.environ, "DEMO_HOME": str(tmp_path), "PORT": str(port)}
        done = subprocess.run(
            [sys.executable, "-m", "tools.demo"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (f"Port {port} is taken: PORT={port + 10} make demo uses another.\n")
