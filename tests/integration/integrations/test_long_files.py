"""A lease is kept while one long file goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from hubconnect.connectors.children import Attaching, FileInfo
from hubconnect.connectors.errors import RecordError
from hubconnect.integrations.models import TypePair
from hubconnect.integrations.services import lease as leases
from hubconnect.integrations.services.lease import Keeper, LeaseLostError
from hubconnect.integrations.services.spooling import spool
from hubconnect.systems.services.connections import open_connector
from tests.children import ChattyDesk, make_chatty_desk

LONG = 700_000  # bytes: three pieces


class Hours:
    """Time that a test moves on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def pair(db: None) -> TypePair:  # noqa: ARG001  it needs the database
    return TypePair.objects.create(
        left_identity="a", left_type="x", right_identity="b", right_type="y"
    )


def test_a_lease_is_renewed_a_few_times_within_its_length(pair: TypePair) -> None:
    lease, hours = leases.claim(pair.pk), Hours()
    assert lease is not None
    keep = Keeper(lease, hours)
    pair.refresh_from_db()
    before = pair.leased_until

    hours.now_s = django_settings.LEASE_S / 10
    keep()
    pair.refresh_from_db()
    assert pair.leased_until == before

    hours.now_s = django_settings.LEASE_S / 2
    keep()
    pair.refresh_from_db()
    assert pair.leased_until > before


def test_a_file_stops_where_another_worker_took_over(pair: TypePair) -> None:
    lease, hours = leases.claim(pair.pk), Hours()
    assert lease is not None
    keep = Keeper(lease, hours)
    TypePair.objects.update(fence=lease.fence + 1)
    hours.now_s = django_settings.LEASE_S / 2

    with pytest.raises(LeaseLostError):
        keep()


@pytest.fixture
def shelf(db: None, tmp_path: Path, settings: Settings) -> Iterator[tuple[Attaching, FileInfo]]:  # noqa: ARG001  it needs the database
    """A file of three pieces in a database, and what reads it."""
    settings.SQLITE_DIR = tmp_path
    desk = ChattyDesk(tmp_path / "desk.sqlite3").build()
    customer = desk.add_customer("ana@x.example")
    desk.attach("ana@x.example", "plan.bin", bytes(LONG))
    with open_connector(make_chatty_desk(desk.file)) as connector:
        reader = connector.attaching
        assert reader is not None
        (holder,) = reader.holder_ids("customers", [str(customer)])[str(customer)]
        ((file,),) = reader.read_holders("customers", [holder]).values()
        yield reader, file


def test_each_piece_of_a_file_keeps_the_lease_both_ways(
    shelf: tuple[Attaching, FileInfo],
) -> None:
    reader, file = shelf
    kept: list[int] = []

    with spool(lambda: kept.append(1)) as directory:
        fetched = directory.fetch(reader, "customers", file, LONG)
        assert len(kept) == 3
        with fetched.open() as opened:
            size = sum(map(len, iter(lambda: opened.read(256 * 1024), b"")))

    assert size == fetched.size == LONG
    assert len(kept) == 7  # three pieces and the end


def test_a_file_longer_than_may_be_carried_is_refused(shelf: tuple[Attaching, FileInfo]) -> None:
    reader, file = shelf

    with spool(lambda: None) as directory, pytest.raises(RecordError) as caught:
        directory.fetch(reader, "customers", file, LONG - 1)

    assert "the most that is carried" in caught.value.message
