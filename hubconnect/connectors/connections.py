"""Sockets that are opened only to addresses that were checked.

The name is resolved, every address checked and one of exactly these connected to, so an answer of
the name server that changes between check and use (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any

from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from hubconnect.connectors.addresses import checked_addresses
from hubconnect.connectors.base import AddressPolicy
from hubconnect.connectors.errors import AttentionError, Category, TemporaryError


class UnreachableError(TemporaryError):
    """No connection came about, so nothing was sent."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a connection asks before it opens: the policy, and the parameter an error names."""

    policy: AddressPolicy
    parameter: str = ""

    def open(self, host: str, port: int, timeout: Any, *, is_secure: bool) -> socket.socket:  # noqa: ANN401 - urllib3's own union of number and marker
        """Return a socket connected to one of the host's checked addresses."""
        addresses = checked_addresses(host, port, self.policy, parameter=self.parameter)
        if not is_secure and not all(ipaddress.ip_address(each).is_loopback for each in addresses):
            msg = f"The address of {host} starts with http://, so the credentials could be read."
            hint = "Use https://. Plain http is only for addresses of this machine itself."
            raise AttentionError(msg, hint=hint, parameter=self.parameter)
        wait = timeout if isinstance(timeout, int | float) else None
        problem: OSError | None = None
        for address in addresses:
            try:
                opened = socket.create_connection((address, port), wait)
            except OSError as error:
                problem = error
            else:
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return opened
        reason = (problem.strerror if problem else "") or "no answer"
        msg = f"{host} port {port} cannot be reached: {reason}."
        hint = "Check the address and the network, then try again."
        raise UnreachableError(msg, hint=hint, category=Category.UNREACHABLE) from problem


class CheckedConnection(HTTPConnection):
    """A plain connection, for addresses of this machine only."""

    is_secure = False

    def __init__(self, *args: Any, gate: Gate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gate = gate

    @override
    def _new_conn(self) -> socket.socket:
        return self.gate.open(
            self._dns_host, self.port or 80, self.timeout, is_secure=self.is_secure
        )


class CheckedTLSConnection(CheckedConnection, HTTPSConnection):
    """A TLS connection; the certificate is verified against the name, not the address."""

    is_secure = True


class CheckedPool(HTTPConnectionPool):
    """Keeps plain connections."""

    def __init__(self, *args: Any, gate: Gate, **kwargs: Any) -> None:
        self.ConnectionCls = partial(CheckedConnection, gate=gate)  # type: ignore[assignment]  # called, never subclassed
        super().__init__(*args, **kwargs)


class CheckedTLSPool(HTTPSConnectionPool):
    """Keeps TLS connections."""

    def __init__(self, *args: Any, gate: Gate, **kwargs: Any) -> None:
        self.ConnectionCls = partial(CheckedTLSConnection, gate=gate)  # type: ignore[assignment]  # called, never subclassed
        super().__init__(*args, **kwargs)
