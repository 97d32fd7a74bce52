"""What waits in the session for a form, and for how long."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from hubconnect.connectors.oauth import Tokens
from hubconnect.connectors.parameters import Secret
from hubconnect.systems.services import pending
from hubconnect.systems.services.token_stores import HeldTokens

HELD = HeldTokens("app", Tokens(Secret("access-1"), Secret("refresh-1"), timedelta(minutes=30)))


@pytest.fixture
def session() -> dict[str, Any]:
    made: dict[str, Any] = {}
    pending.keep(made, "add", {"client_secret": "hush-hush"})
    pending.keep_values(made, "add", {"name": "HubSpot"})
    pending.keep_tokens(made, "add", HELD)
    return made


def test_all_of_a_form_waits_for_it_and_no_other(session: dict[str, Any]) -> None:
    tokens = pending.recall_tokens(session, "add")

    assert pending.recall(session, "add") == {"client_secret": "hush-hush"}
    assert pending.recall_values(session, "add") == {"name": "HubSpot"}
    assert tokens is not None
    assert tokens.refresh == HELD.refresh
    assert not pending.recall(session, "7")
    assert not pending.recall_values(session, "7")
    assert pending.recall_tokens(session, "7") is None


def test_nothing_waits_longer_than_a_while(session: dict[str, Any]) -> None:
    for kept in session.values():
        kept["until"] = (timezone.now() - timedelta(seconds=1)).isoformat()

    assert not pending.recall(session, "add")
    assert not pending.recall_values(session, "add")
    assert pending.recall_tokens(session, "add") is None


def test_what_an_earlier_version_left_behind_is_passed_over(session: dict[str, Any]) -> None:
    session["systems.pending.add.values"] = {"name": "HubSpot"}
    session["systems.pending.add.tokens"] = "sealed"

    assert not pending.recall_values(session, "add")
    assert pending.recall_tokens(session, "add") is None


def test_no_secret_is_legible_in_a_session(session: dict[str, Any]) -> None:
    assert not {"hush-hush", "access-1", "refresh-1"} & set(str(session).split("'"))
    assert "refresh-1" not in str(session)
