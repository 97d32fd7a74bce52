"""What ``make demo-smoke`` runs: the demo on free ports, watched and judged by this program."""

import sys
import tempfile
from pathlib import Path

from tools.demo import Demo, StoppedError, answers, running, stop_on_signals
from tools.localservices import free_port
from tools.processes import StartError, Supervisor, tagged, wait_until


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
    supervisor.check()
    return "demo ok: all programs run"


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
