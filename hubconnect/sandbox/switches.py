"""Faults that a test or a person switches on: the next answers to matching calls go wrong."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hubconnect.sandbox.fault_names import NAMED


@dataclass(slots=True)
class Fault:
    """What happens to the next calls that match.

    Attributes:
        path: prefix of the path; empty matches every call of the HubSpot API.
        method: HTTP method, empty for any.
        status: answered instead of the real answer; 0 leaves the answer as it is.
        body: text or JSON sent with the status.
        delay_s: wait before answering.
        truncated: cut the real answer off in the middle.
        clock_skew_s: by how much the Date of the answer is wrong.
        refuses_third: refuse every third input of a batch.
        drop: "before" closes the connection at once, "after" once the call was carried out.
        skip: matching calls to let through first.
        times: calls still to be disturbed; 0 for all of them until it is switched off.
        name: how it was asked for; empty when it was described.
    """

    path: str = ""
    method: str = ""
    status: int = 0
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    truncated: bool = False
    clock_skew_s: float = 0
    refuses_third: bool = False
    drop: str = ""
    skip: int = 0
    times: int = 1
    name: str = ""

    def matches(self, method: str, path: str) -> bool:
        """Return whether it applies to a call."""
        return path.startswith(self.path) and self.method in {"", method}


class Switchboard:
    """Holds the faults that are switched on, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._guard = threading.Lock()

    def add(self, members: Mapping[str, Any]) -> None:
        """Switch a fault on, by the members of ``Fault`` or by name and what differs.

        Raises:
            KeyError: there is no fault of the name.
            TypeError: a member is not one of ``Fault``.
        """
        name = members.get("name", "")
        given = {**(NAMED[name].members if name else {}), **members}
        with self._guard:
            self._faults.append(Fault(**given))

    def list(self) -> list[Fault]:
        """Return what is switched on, oldest first."""
        with self._guard:
            return list(self._faults)

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
                if fault.times == 1:
                    self._faults.remove(fault)
                fault.times -= fault.times > 0
                return fault
        return None
