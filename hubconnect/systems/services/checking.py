"""Live checks: what an account is and what its credential may do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.utils import timezone

from hubconnect.connectors.base import CheckReport, Connector
from hubconnect.connectors.errors import AttentionError, ConnectorError, SignInLostError
from hubconnect.connectors.oauth import TokenStore
from hubconnect.systems.models import System
from hubconnect.systems.services import identity, needs, reports, schema
from hubconnect.systems.services.connections import build_connector, build_context, open_connector


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A report, when it was made, what it cost, and how far the system's clock is ahead."""

    report: CheckReport
    at: datetime
    took: timedelta
    calls: int
    clock_ahead: timedelta

    @property
    def state(self) -> System.State:
        """Return what the report says in one word."""
        is_whole = not self.report.remarks and not any(one.is_missing for one in self.report.grants)
        return System.State.OK if is_whole else System.State.REMARKS

    def plain(self) -> reports.Plain:
        """Return it in the form in which it is stored."""
        return reports.to_plain(
            self.report,
            at=self.at,
            took=self.took,
            calls=self.calls,
            clock_ahead=self.clock_ahead,
        )


def check_settings(
    slug: str,
    parameters: Mapping[str, str],
    secrets: Mapping[str, str],
    *,
    tokens: TokenStore | None = None,
    system: System | None = None,
) -> Checked:
    """Check what was typed, saved or not; scopes are held against what ``system`` is used for.

    Raises:
        ConnectorError: the system cannot be reached, or a parameter must be corrected.
    """
    context = build_context(is_fresh=True, tokens=tokens)
    connector = build_connector(slug, parameters, secrets, context)
    try:
        return _check(connector, system)
    finally:
        connector.close()


def check_system(system: System) -> Checked:
    """Check a saved system and keep what was found, also when that is an error.

    Raises:
        ConnectorError: the check failed; its sentence is kept with the system.
    """
    with _keeping_errors(system):
        with open_connector(system, is_fresh=True) as connector:
            checked = _check(connector, system)
        identity.ensure_same_account(system, checked.report)
    store(system, checked)
    schema.forget(system)  # other scopes show other object types and fields
    return checked


def prepare(system: System, *names: str) -> None:
    """Carry out preparations that the last check offered, and check again.

    Raises:
        LookupError: the connector knows no such preparation.
        ConnectorError: it could not be carried out.
    """
    with open_connector(system, is_fresh=True) as connector:
        for name in names:
            connector.prepare(name)
    check_system(system)


def store(system: System, checked: Checked) -> None:
    """Keep what a successful check found; the caller has made sure that the account is right."""
    system.report = checked.plain()
    system.identity = checked.report.identity
    system.identity_label = checked.report.identity_label
    system.state = checked.state
    system.state_reason = reports.summary(checked.report)
    system.checked_at = checked.at
    system.save(
        update_fields=[
            "report",
            "identity",
            "identity_label",
            "state",
            "state_reason",
            "checked_at",
            "updated_at",
        ]
    )


def state_of(error: ConnectorError) -> System.State:
    """Return the state a system is in after this error."""
    if isinstance(error, SignInLostError):
        return System.State.RECONNECT
    is_permanent = isinstance(error, AttentionError)
    return System.State.ATTENTION if is_permanent else System.State.UNREACHABLE


@contextmanager
def _keeping_errors(system: System) -> Iterator[None]:
    try:
        yield
    except ConnectorError as error:
        system.state = state_of(error)
        system.state_reason = " ".join(filter(None, (error.message, error.hint)))
        system.checked_at = timezone.now()
        system.save(update_fields=["state", "state_reason", "checked_at", "updated_at"])
        raise


def _check(connector: Connector, system: System | None) -> Checked:
    started = monotonic()
    report = needs.narrowed(connector.check(), system)
    ahead = connector.now() - timezone.now()
    return Checked(
        report=report,
        at=timezone.now(),
        took=timedelta(seconds=monotonic() - started),
        calls=report.calls or sum(connector.calls.values()),
        clock_ahead=ahead,
    )
