"""What the frame around every page needs to know."""

from collections.abc import Callable
from functools import cache
from typing import TypedDict

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string


class Shell(TypedDict):
    """Variables that every template has."""

    open_failures: Callable[[], int]


def shell(_request: HttpRequest) -> Shell:
    """Give templates the number beside Failures, counted only when one shows it."""
    return {"open_failures": cache(count_open_failures)}  # templates call what they can call


def count_open_failures() -> int:
    """Ask the application that knows failures; zero while it is not installed."""
    try:
        count = import_string(settings.OPEN_FAILURES_COUNTER)
    except ImportError:
        return 0
    return int(count())
