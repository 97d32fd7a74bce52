"""The browser of the tests: the one that ``make e2e`` found or installed."""

import os
from typing import Any

import pytest

# Playwright runs an event loop in this thread, and Django would refuse the database beside one.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": os.environ.get("BROWSER_BIN"),
        "args": ["--disable-dev-shm-usage"],
    }
