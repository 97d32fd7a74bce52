"""Start programs so that none of them outlives the one that started it.

On Linux the kernel itself ends a child when its parent is gone, also after ``kill -9``; elsewhere
that one case is not covered. Every child leads a process group of its own: Ctrl-C reaches only
the starter, which then stops the children in order.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

GRACE_S = 15.0
GONE_S = 2.0
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class StartError(RuntimeError):
    """A program did not come up; the message says which, and ends with what it wrote."""


def end_with_parent(death: signal.Signals, parent: int) -> None:
    """Have the kernel send ``death`` to this process when ``parent``, its present parent, ends."""
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(death))
    if os.getppid() != parent:  # it ended before the line above
        os.kill(os.getpid(), death)


def spawn(
    argv: Sequence[str | Path],
    *,
    log: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    death: signal.Signals = signal.SIGTERM,
    user: str | None = None,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start ``argv``, which gets ``death`` when this process ends.

    To be called from the main thread: the kernel watches the thread that started a child.
    """
    parent = os.getpid()
    return subprocess.Popen(
        [str(word) for word in argv],
        stdin=stdin,
        stdout=log,
        stderr=log,
        env=None if env is None else dict(env),
        start_new_session=True,
        user=user,
        group=user and _group_of(user),
        extra_groups=[] if user else None,
        # Runs between fork and exec, after the change of user, which would undo it.
        preexec_fn=lambda: end_with_parent(death, parent),  # noqa: PLW1509  one thread only
    )


def _group_of(user: str) -> int:
    import pwd  # noqa: PLC0415  not on every platform

    return pwd.getpwnam(user).pw_gid


def stop(
    process: subprocess.Popen[bytes],
    how: signal.Signals = signal.SIGTERM,
    grace_s: float = GRACE_S,
) -> bool:
    """End a process and all of its group; give whether it ended by itself when asked to.

    Only the leader is asked, and once: Celery takes a second signal as "drop what you do".
    """
    in_time = True
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            in_time = False
    end = time.monotonic() + GONE_S
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < end:  # what the leader left behind, until it is really gone
            os.killpg(process.pid, signal.SIGKILL)
            process.poll()
            time.sleep(0.01)
    process.wait()
    return in_time


def wait_until(
    is_true: Callable[[], bool], *, timeout_s: float, what: str, every_s: float = 0.05
) -> None:
    """Look again and again until a condition holds.

    Raises:
        TimeoutError: It did not within ``timeout_s``; ``what`` says what was waited for.
    """
    end = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > end:
            msg = f"after {timeout_s:.0f} s still not: {what}"
            raise TimeoutError(msg)
        time.sleep(every_s)


def last_lines(log: Path, lines: int = 15) -> str:
    """Give the end of what a program wrote."""
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return ""


def tagged(tag: str) -> list[int]:
    """Find running processes that have ``tag`` in their environment; needs /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_zombie = "\nState:\tZ" in (entry / "status").read_text()
            if tag.encode() in (entry / "environ").read_bytes() and not is_zombie:
                found.append(int(entry.name))
    return sorted(found)


@dataclass(slots=True)
class Child:
    """A program that runs under the supervisor, and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    grace_s: float


@dataclass(slots=True)
class Supervisor:
    """Runs several programs together, each with a log file below ``logs``; stops all of them."""

    logs: Path
    env: Mapping[str, str]
    children: list[Child] = field(default_factory=list)

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        death: signal.Signals = signal.SIGTERM,
        grace_s: float = GRACE_S,
    ) -> None:
        """Start a program under a name."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as out:
            process = spawn(argv, log=out, env=self.env, death=death)
        self.children.append(Child(name, process, log, grace_s))

    def run(self, name: str, argv: Sequence[str | Path], *, given: bytes = b"") -> None:
        """Run a program to its end.

        Raises:
            StartError: It failed.
        """
        log = self.logs / f"{name}.log"
        with log.open("wb") as out:
            process = spawn(argv, log=out, env=self.env, stdin=subprocess.PIPE)
        try:
            process.communicate(given)
        finally:
            stop(process, grace_s=1)
        if process.returncode:
            _fail(f"{name} failed with status {process.returncode}", log)

    def wait_for(self, name: str, answers: Callable[[], bool], timeout_s: float = 60) -> None:
        """Wait until the program called ``name`` answers.

        Raises:
            StartError: It, or another one, ended, or it took too long.
        """

        def settled() -> bool:
            self.check()
            return answers()

        try:
            wait_until(settled, timeout_s=timeout_s, what=f"{name} answers")
        except TimeoutError as error:
            _fail(str(error), self.logs / f"{name}.log")

    def check(self) -> None:
        """Make sure that all programs still run.

        Raises:
            StartError: One has ended.
        """
        for child in self.children:
            status = child.process.poll()
            if status is not None:
                _fail(f"{child.name} ended with status {status}", child.log)

    def stop(self) -> None:
        """Stop all programs, the last started first."""
        while self.children:
            child = self.children.pop()
            if not stop(child.process, grace_s=child.grace_s):
                print(f"{child.name} did not stop within {child.grace_s:.0f} s and was killed.")


def _fail(what: str, log: Path) -> NoReturn:
    msg = f"{what}. The end of {log}:\n{last_lines(log)}"
    raise StartError(msg)
