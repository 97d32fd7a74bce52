"""What happens around each request: its address, an id in its log lines, the reader's zone."""

import contextlib
import ipaddress
import uuid
import zoneinfo
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestLogMiddleware:
    """Binds an id to all log lines of a request and returns it, for a person to quote."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request with its id bound."""
        request_id = uuid.uuid4().hex[:12]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response


class TimeZoneMiddleware:
    """Shows dates in the reader's time zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request with the reader's zone active."""
        name = getattr(request.user, "time_zone", "")
        if not name:
            return self.get_response(request)
        with timezone.override(zoneinfo.ZoneInfo(name)):
            return self.get_response(request)


class ClientAddressMiddleware:
    """Leaves only an address that can be trusted as ``REMOTE_ADDR``, or none.

    Behind a proxy it is the last one that ``X-Forwarded-For`` names: the proxy wrote it. What
    stands before it, anybody may have sent.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request with its address settled."""
        text = str(request.META.pop("REMOTE_ADDR", ""))
        forwarded = str(request.META.pop("HTTP_X_FORWARDED_FOR", ""))
        if forwarded and getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
            text = forwarded.rpartition(",")[2].strip()
        # None for a socket without address, or a proxy that writes something else.
        with contextlib.suppress(ValueError):
            request.META["REMOTE_ADDR"] = str(ipaddress.ip_address(text))
        return self.get_response(request)
