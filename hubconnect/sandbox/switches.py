"""Faults that a test or a person switches on: the next answers to matching calls go wrong."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Fault:
    """What happens to the next calls that match.

    Attributes:
        path: prefix of the path; empty matches every call of the HubSpot API.
        method: HTTP method, empty for any.
        status: answered instead of the real answer; 0 leaves the answer as it is.
        body: text or JSON sent with the status.
        delay_s: wait before answering.
        drop: "before" closes the connection at once, "after" once the call was carried out.
        skip: matching calls to let through first.
        times: calls still to be disturbed.
    """

    path: str = ""
    method: str = ""
    status: int = 0
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    drop: str = ""
    skip: int = 0
    times: int = 1

    def matches(self, method: str, path: str) -> bool:
        """Return whether it applies to a call."""
        return path.startswith(self.path) and self.method in {"", method}


class Switchboard:
    """Holds the faults that are switched on, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._guard = threading.Lock()

    def add(self, members: Mapping[str, Any]) -> None:
        """Switch a fault on.

        Raises:
            TypeError: a member is not one of ``Fault``.
        """
        with self._guard:
            self._faults.append(Fault(**members))

    def clear(self, _: object = None) -> None:
        """Switch all faults off."""
        with self._guard:
            self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Take the fault that disturbs this call, counting it down."""
        with self._guard:
            for fault in self._faults:
                if not fault.matches(method, path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault
        return None
