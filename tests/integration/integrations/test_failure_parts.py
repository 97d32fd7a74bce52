"""A part of the failure's page: shown for its category, acts once, refuses what is closed."""

from collections.abc import Iterator, Mapping

import pytest
from django.test import Client
from django.urls import reverse

from hubconnect.connectors.errors import Category
from hubconnect.core.models import User
from hubconnect.integrations.models import Failure, Flow
from hubconnect.integrations.services import parts
from hubconnect.integrations.services.parts import Acted, Part
from tests.factories.integrations import FailureFactory, PairFactory
from tests.pages import text

pytestmark = pytest.mark.django_db

DONE: list[tuple[int, str, str]] = []


def show(failure: Failure) -> object | None:
    return {"record": failure.record_id} if failure.record_id != "nothing" else None


def act(failure: Failure, posted: Mapping[str, str], actor: User) -> Acted:
    if posted["choice"] == "wrong":
        msg = "There is no such choice."
        raise parts.PartRefusedError(msg)
    DONE.append((failure.pk, posted["choice"], actor.username))
    return Acted("The choice was taken.")


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    before = {name: list(known) for name, known in parts._parts.items()}
    parts.register(Part("tryout", "integrations/direction.html", show, act), Category.LOOKUP)
    DONE.clear()
    yield
    parts._parts.clear()
    parts._parts.update(before)


@pytest.fixture
def failure() -> Failure:
    PairFactory.create()
    flow = Flow.objects.first()
    return FailureFactory.create(flow=flow, category=Category.LOOKUP, record_id="r1")


def post(client: Client, failure: Failure, choice: str, name: str = "tryout") -> str:
    url = reverse("integrations:failure_part", args=[failure.pk, name])
    return text(client.post(url, {"choice": choice}, follow=True))


def test_a_part_is_offered_for_its_category_while_there_is_something_to_do(
    failure: Failure,
) -> None:
    assert [one.part.name for one in parts.offered(failure)][-1] == "tryout"
    failure.record_id = "nothing"
    assert "tryout" not in [one.part.name for one in parts.offered(failure)]
    failure.category, failure.record_id = Category.CONVERSION.value, "r1"
    assert "tryout" not in [one.part.name for one in parts.offered(failure)]


def test_a_part_acts_and_says_what_it_did(
    sync_admin_client: Client, sync_admin: User, failure: Failure
) -> None:
    assert "The choice was taken." in post(sync_admin_client, failure, "this")
    assert [(failure.pk, "this", sync_admin.username)] == DONE


def test_a_part_that_refuses_says_why(sync_admin_client: Client, failure: Failure) -> None:
    assert "There is no such choice." in post(sync_admin_client, failure, "wrong")
    assert "does not offer that any more" in post(sync_admin_client, failure, "this", "other")
    assert DONE == []


def test_a_closed_failure_is_left_alone(sync_admin_client: Client, failure: Failure) -> None:
    Failure.objects.update(state=Failure.State.HEALED)
    assert "healed already" in post(sync_admin_client, failure, "this")
    assert DONE == []


def test_a_monitor_may_not_act(monitor_client: Client, failure: Failure) -> None:
    url = reverse("integrations:failure_part", args=[failure.pk, "tryout"])
    assert monitor_client.post(url, {"choice": "this"}).status_code == 403
    assert DONE == []
