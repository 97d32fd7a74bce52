"""Every line of a run carries its run and flow; no line carries a secret, however talkative."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.oauth import Invitation
from hubconnect.core.redaction import MASK, redacted
from hubconnect.integrations.models import Run
from hubconnect.systems.models import SignIn, System
from hubconnect.systems.services import consent, signing_in
from tests.house import furnish
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

CLIENT_SECRET = "hush-hush-of-the-app"
DATABASE_PASSWORD = "hush-of-the-database"


@pytest.fixture
def written() -> Iterator[StringIO]:
    """Collect what a production host writes at its most talkative level."""
    out = StringIO()
    handler = logging.StreamHandler(out)
    configured: Any = django_settings.LOGGING
    made = configured["formatters"]["structured"]
    options = {name: value for name, value in made.items() if name != "()"}
    handler.setFormatter(made["()"](**options))
    loggers = [
        logging.getLogger(name) for name in ("", "django", "urllib3", "sqlalchemy", "celery")
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(handler)
    yield out
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def sign_in(hub: Sandbox, system: System) -> set[str]:
    """Turn a system into one that signs in by OAuth; return what must not be seen."""
    where = consent.redirect_uri()
    hub.add_app("app-one", client_secret=CLIENT_SECRET, app_id=9301, redirect_uris=[where])
    system.parameters |= {"auth_type": "oauth", "client_id": "app-one", "app_id": "9301"}
    system.secrets = {"client_secret": CLIENT_SECRET}
    system.save()
    opened = signing_in.app_of(system)
    scopes = ("crm.objects.contacts.read", "crm.objects.contacts.write")
    asked = Invitation(redirect_uri=where, state="s", required=scopes)
    code = parse_qs(urlsplit(hub.consent(opened.install_url(asked))).query)["code"][0]
    signing_in.store(system, signing_in.exchange(opened, code), None)
    opened.close()
    return {code, CLIENT_SECRET, *tokens(system)}


def tokens(system: System) -> set[str]:
    return {str(value) for value in SignIn.objects.get(system=system).tokens.values()}


def test_lines_of_a_run_name_it_and_hold_no_secret(
    hub: Sandbox, tmp_path: Path, settings: Settings, written: StringIO
) -> None:
    settings.SQLITE_DIR = tmp_path
    hub.create("contacts", {"email": "ana@x.example", "firstname": "Ana", "lastname": "Poe"})
    house = furnish(hub, tmp_path / "desk.sqlite3")
    house.activate()
    house.sync()
    hidden = {hub.token, *sign_in(hub, house.hubspot)}
    SignIn.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    house.sync()  # with a renewal
    hidden |= tokens(house.hubspot)
    # A server that refuses, with a password in its address: driver and pool write tracebacks.
    address = f"postgresql://desk:{DATABASE_PASSWORD}@127.0.0.1:1/desk"
    house.order_desk.parameters["database_url"] = address
    house.order_desk.save()
    refused = house.run("to_right")
    assert refused.state == Run.State.STOPPED
    logging.getLogger("elsewhere").error(
        "cannot open %s with %s", address, {"access_token": hub.token, "password": "plum-tart"}
    )
    logging.getLogger("elsewhere").error("broken", exc_info=ValueError(address))
    text = written.getvalue()
    for secret in {*hidden, DATABASE_PASSWORD, "plum-tart"}:
        assert secret not in text, secret
    lines = [json.loads(line) for line in text.splitlines()]
    runs = {run.pk: run.flow_id for run in Run.objects.all()}
    told = {line["run_id"]: line["flow_id"] for line in lines if "run_id" in line}
    assert told == runs
    # The connectors' own lines, and those of the libraries below them, say it as well.
    named = {line["logger"].split(".")[0] for line in lines if "run_id" in line}
    assert {"hubconnect", "urllib3"} <= named
    outside = [
        line for line in lines if line["logger"].startswith("urllib3") and "flow_id" not in line
    ]
    assert all("/crm/v3/objects/contacts/batch" not in line["event"] for line in outside)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgresql://desk:plum@db/desk", "postgresql://desk:••••••@db/desk"),
        ("redis://:plum@redis:6379/0", "redis://:••••••@redis:6379/0"),
        ("Authorization: Bearer plum-tart-42", "••••••"),
        ("grant_type=x&client_secret=plum&refresh_token=plum", "grant_type=x"),
        ("{'access_token': 'plum', 'n': 1}", "'n': 1"),
        ('{"password": "plum"}', '"password": "'),
        ("pat-eu1-plum-plum-plum", MASK),
        ("https://api.hubapi.com/crm/v3/objects/deals/plain", "deals/plain"),
    ],
)
def test_what_looks_like_a_secret_is_masked_whoever_writes_it(text: str, kept: str) -> None:
    assert kept in redacted(text)
    assert "plum" not in redacted(text)
