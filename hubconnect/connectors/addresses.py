"""Which addresses a connector may reach, decided on resolved addresses, never on names."""

import ipaddress
import socket
from collections.abc import Sequence

from hubconnect.connectors.base import AddressPolicy
from hubconnect.connectors.errors import AttentionError, Category, TemporaryError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SETTING = "ALLOWED_PRIVATE_ADDRESSES"
# Well-known prefix of NAT64 (RFC 6052): its last four bytes are an IPv4 address.
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class NetworkPolicy:
    """Public addresses may be reached; others only inside the allowed networks."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        """Keep the networks.

        Args:
            allowed: addresses or networks (``127.0.0.0/8``, ``::1``).

        Raises:
            ValueError: an entry is neither an address nor a network.
        """
        self.allowed: tuple[Network, ...] = tuple(
            ipaddress.ip_network(text.strip(), strict=False) for text in allowed if text.strip()
        )

    def refuse_reason(self, host: str, address: str) -> str:
        """Return why this address may not be reached, or "" when it may."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return f"{host} gave {address!r}, which is not an internet address."
        inner = embedded_ipv4(parsed)
        if any(self._is_allowed(each) for each in (parsed, inner) if each is not None):
            return ""
        if is_public(parsed) and (inner is None or is_public(inner)):
            return ""
        return (
            f"{name_of(host, address)} is not a public address, and {SETTING} does not list it. "
            f"An administrator can allow it by adding {address} or its network to {SETTING}."
        )

    def _is_allowed(self, address: Address) -> bool:
        return any(
            address in network for network in self.allowed if network.version == address.version
        )


def name_of(host: str, address: str) -> str:
    """Return host and address for a message, once if they are the same."""
    return address if host.strip("[]") == address else f"{host} ({address})"


def is_public(address: Address) -> bool:
    """Tell whether the address belongs to the public internet.

    A mapped IPv4 address never does: nobody publishes one, so it is only a way round a check.
    """
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped is not None or address.teredo is not None
    ):
        return False
    if address in NAT64:  # as public as the IPv4 address inside
        return True
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_link_local
    )


def embedded_ipv4(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that traffic to this IPv6 address ends at, if any."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def checked_addresses(
    host: str, port: int, policy: AddressPolicy, *, parameter: str = ""
) -> list[str]:
    """Resolve a host and return its addresses, in the resolver's order, all of them allowed.

    Connect to one of these and not to the name: a name may resolve differently the next time.

    Args:
        host: name or address, an IPv6 one with or without brackets.
        port: the port one means to connect to.
        policy: decides on each address.
        parameter: connector parameter that holds the host, for the error.

    Raises:
        AttentionError: the name is unknown, or one of its addresses is not allowed.
        TemporaryError: the name could not be looked up now.
    """
    found = _resolve(host, port, parameter)
    for address in found:
        reason = policy.refuse_reason(host, address)
        if reason:
            msg = f"HubConnect may not connect to {name_of(host, address)}."
            raise AttentionError(msg, hint=reason, parameter=parameter)
    return found


def _resolve(host: str, port: int, parameter: str) -> list[str]:
    try:
        answers = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            msg = f"The name {host} could not be looked up now."
            raise TemporaryError(
                msg, hint="Check HubConnect's network and name server, then try again."
            ) from error
        raise _unknown_host(host, parameter) from error
    except (UnicodeError, OverflowError) as error:  # a label too long, a port out of range
        raise _unknown_host(host, parameter) from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def _unknown_host(host: str, parameter: str) -> AttentionError:
    return AttentionError(
        f"There is no host named {host}.",
        hint="Correct the address.",
        category=Category.UNREACHABLE,
        parameter=parameter,
    )
