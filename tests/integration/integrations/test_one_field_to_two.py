"""One source field that goes to two target fields, of which one may not take it."""

from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, Link
from hubconnect.mappings.models import Direction, FieldMapping
from tests.two_desks import TwoDesks, furnish_desks

pytestmark = pytest.mark.django_db(transaction=True)
ANA = "ana@x.example"
KEEP = """
create trigger customers_keep after update of last_name on customers begin
    update customers set last_name = old.last_name where id = new.id;
end;
"""


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> TwoDesks:
    settings.SQLITE_DIR = tmp_path
    made = furnish_desks(tmp_path)
    FieldMapping.objects.filter(left_field="last_name").delete()
    FieldMapping.objects.create(
        mapping=made.mapping,
        position=5,
        left_field="first_name",
        right_field="last_name",
        direction=Direction.TO_RIGHT,
    )
    made.left.run("insert into customers (email, first_name) values (?, 'Ana')", ANA)
    made.activate()
    made.sync()
    made.sync()
    return made


def test_what_one_target_field_did_not_keep_stays_told_though_the_other_took_it(
    house: TwoDesks,
) -> None:
    house.right.script(KEEP)
    house.rename(house.left, ANA, first_name="Anna")
    for _ in range(3):
        house.sync()
    assert house.right.customers()[ANA] == ("Anna", "Ana")
    (failure,) = Failure.objects.filter(state=Failure.State.OPEN)
    assert (failure.category, failure.field) == (Category.NOT_STORED, "last_name")
    link = Link.objects.get()
    assert link.left_base["first_name"][0] == "Ana"
    assert link.right_base["first_name"][0] == "Anna"  # ours: no edit of somebody
    house.right.script("drop trigger customers_keep;")
    Failure.objects.update(next_try_at=timezone.now())
    house.sync()
    assert house.right.customers()[ANA] == ("Anna", "Anna")
    assert not Failure.objects.filter(state=Failure.State.OPEN).exists()
    assert Link.objects.get().left_base["first_name"][0] == "Anna"
