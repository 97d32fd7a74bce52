import pytest

from hubconnect.connectors.addresses import NetworkPolicy, checked_addresses
from hubconnect.connectors.errors import AttentionError

REFUSED = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - refused, not bound
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "not-an-address",
]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert NetworkPolicy().refuse_reason("db.example", address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "104.16.1.1", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_public_addresses_may_be_reached(address: str) -> None:
    assert NetworkPolicy().refuse_reason("api.example", address) == ""


@pytest.mark.parametrize(
    ("allowed", "address"),
    [
        ("127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.0/8", "::ffff:127.0.0.1"),
        ("::1", "::1"),
        ("10.0.0.7", "10.0.0.7"),
        (" fd00::/8 ", "fd12::1"),
        ("10.0.0.5/8", "10.9.9.9"),
    ],
)
def test_listed_networks_may_be_reached(allowed: str, address: str) -> None:
    assert NetworkPolicy([allowed]).refuse_reason("db", address) == ""


def test_reason_names_the_address_and_the_setting() -> None:
    reason = NetworkPolicy(["10.0.0.0/8"]).refuse_reason("db.internal", "192.168.7.9")
    assert "db.internal (192.168.7.9)" in reason
    assert "ALLOWED_PRIVATE_ADDRESSES" in reason


def test_a_network_that_is_none_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        NetworkPolicy(["nonsense"])


def test_checked_addresses_gives_what_may_be_reached() -> None:
    assert checked_addresses("127.0.0.1", 80, NetworkPolicy(["127.0.0.0/8"])) == ["127.0.0.1"]
    assert checked_addresses("[::1]", 80, NetworkPolicy(["::1"])) == ["::1"]


def test_checked_addresses_refuses_and_names_the_parameter() -> None:
    with pytest.raises(AttentionError) as caught:
        checked_addresses("127.0.0.1", 80, NetworkPolicy(), parameter="api_url")
    assert caught.value.parameter == "api_url"
    assert "127.0.0.1" in caught.value.message
    assert "ALLOWED_PRIVATE_ADDRESSES" in caught.value.hint


def test_a_name_that_cannot_be_is_an_unknown_host() -> None:
    with pytest.raises(AttentionError) as caught:
        checked_addresses("a" * 70 + ".example", 443, NetworkPolicy(), parameter="api_url")
    assert caught.value.parameter == "api_url"
