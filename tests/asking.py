"""Ana, about whose fields a person is asked, and the page on which that person decides."""

from django.test import Client
from django.urls import reverse

from hubconnect.integrations.models import Failure
from hubconnect.integrations.services import deciding
from tests.pages import text

ANA = "ana@x.example"


def decide(client: Client, failure: Failure, side: str, *, seen: str = "") -> str:
    """Choose a side's value of the first field in conflict; return the page that follows."""
    failure.refresh_from_db()
    shown = deciding.shown(failure)
    assert shown is not None
    answer = client.post(
        reverse("integrations:failure_part", args=[failure.pk, "conflict"]),
        {"field-0": side, "seen": seen or shown.seen},
        follow=True,
    )
    return text(answer)
