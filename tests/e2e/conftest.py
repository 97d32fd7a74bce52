"""The browser of the tests: the one that ``make e2e`` found or installed, and what it minds."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from tests.sandbox_process import Sandbox, sandbox

# Playwright runs an event loop in this thread, and Django would refuse the database beside one.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": os.environ.get("BROWSER_BIN"),
        "args": ["--disable-dev-shm-usage"],
    }


@pytest.fixture(autouse=True)
def browser_minds_nothing(context: BrowserContext) -> Iterator[None]:
    """Fail a test if the browser reports an error, which a refused style or script is too."""
    reported: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            reported.append(f"{message.location['url']}: {message.text}")

    def note_error(error: WebError) -> None:
        reported.append(str(error.error))

    context.on("console", note)
    context.on("weberror", note_error)
    yield
    assert reported == []


@pytest.fixture(autouse=True)
def patience(page: Page) -> None:
    """Wait for a page that asks a system, on a machine that does other things too."""
    page.set_default_timeout(20_000)


@pytest.fixture
def hub(live_server: LiveServer, settings: Settings) -> Iterator[Sandbox]:
    """A HubSpot account, with an app whose redirect address is HubConnect's."""
    settings.PUBLIC_URL = live_server.url
    with sandbox() as running:
        back = f"{live_server.url}/systems/oauth/callback/"
        running.add_app("app-one", client_secret="hush", app_id=9301, redirect_uris=[back])
        yield running


@pytest.fixture
def desk_file(tmp_path: Path, settings: Settings) -> Path:
    """Where the order desk's database is to be."""
    settings.SQLITE_DIR = tmp_path
    return tmp_path / "desk.sqlite3"
