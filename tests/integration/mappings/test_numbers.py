"""Numbers in addresses and buttons that no page has made."""

import pytest
from django.test import Client
from django.urls import reverse

from hubconnect.mappings.models import Mapping

pytestmark = pytest.mark.django_db

ODD = ("9" * 5000, "9" * 19, "²", "-1", "\0")


@pytest.mark.parametrize("number", ODD)
def test_a_refusal_nobody_knows_leaves_the_editor_as_it_is(
    sync_admin_client: Client, mapping: Mapping, number: str
) -> None:
    page = sync_admin_client.get(reverse("mappings:edit", args=[mapping.pk]), {"fix": number})

    assert page.status_code == 200
    assert page.context["repair"] is None


@pytest.mark.parametrize("number", ODD)
@pytest.mark.parametrize("act", ["remove:{}", "unpair:0:{}", "up:{}"])
def test_a_button_nobody_made_leaves_the_rows_as_they_are(
    sync_admin_client: Client, mapping: Mapping, act: str, number: str
) -> None:
    address = reverse("mappings:edit", args=[mapping.pk])
    sent = {"act": act.format(number), "rows-TOTAL_FORMS": "0", "rows-INITIAL_FORMS": "0"}

    assert sync_admin_client.post(address, sent).status_code == 200


@pytest.mark.parametrize("number", ODD)
def test_a_system_nobody_has_is_not_chosen(sync_admin_client: Client, number: str) -> None:
    page = sync_admin_client.get(reverse("mappings:add"), {"left_system": number})

    assert page.status_code == 200


@pytest.mark.parametrize("number", ODD)
def test_failures_nobody_has_are_not_retried(sync_admin_client: Client, number: str) -> None:
    address = reverse("integrations:failure_act")
    for sent in ({"act": f"retry {number}"}, {"pick": number}, {"act": number}):
        assert sync_admin_client.post(address, sent).status_code in (302, 404)
