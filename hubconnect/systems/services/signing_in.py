"""Signs systems in by OAuth 2.0: exchanges codes once and stores what comes back."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ConnectorError,
    OutcomeUnknownError,
)
from hubconnect.connectors.oauth import Invitation, OAuthApp, Tokens
from hubconnect.connectors.parameters import Parameter, ParameterKind, Secret
from hubconnect.connectors.registry import connectors, get_connector
from hubconnect.core.models import User
from hubconnect.systems.models import SignIn, System, UsedCode
from hubconnect.systems.services import checking, identity, needs
from hubconnect.systems.services.connections import build_context, connector_class, merge_settings
from hubconnect.systems.services.consent import redirect_uri
from hubconnect.systems.services.token_stores import HeldTokens

_REMEMBER_CODES = timedelta(days=2)


def open_app(
    slug: str, parameters: Mapping[str, str], secrets: Mapping[str, str]
) -> OAuthApp | None:
    """Return the app these settings sign in with, or None. The caller closes it.

    Raises:
        AttentionError: the connector is not installed (any more).
    """
    settings = merge_settings(parameters, secrets)
    return connector_class(slug).oauth_app(settings, build_context())


def app_of(system: System) -> OAuthApp:
    """Return the app of a saved system. The caller closes it.

    Raises:
        AttentionError: it does not sign in by OAuth, or its connector is not installed.
    """
    app = open_app(system.connector, system.parameters, system.secrets)
    if app is None:
        msg = f"{system} does not sign in by OAuth 2.0."
        raise AttentionError(msg, hint="Edit it and choose OAuth 2.0.")
    return app


def uses_oauth(system: System) -> bool:
    """Tell whether a system signs in by OAuth."""
    if system.connector not in connectors():
        return False
    app = open_app(system.connector, system.parameters, system.secrets)
    if app is not None:
        app.close()
    return app is not None


def code_parameter(slug: str) -> Parameter | None:
    """Return the parameter that takes a code by hand, if the connector knows OAuth."""
    parameters = get_connector(slug).parameters
    return next((one for one in parameters if one.kind is ParameterKind.CODE), None)


def invite(app: OAuthApp, state: str, slug: str, system: System | None) -> str:
    """Return where a person lets the app in, with the scopes that the system's flows need."""
    asked = needs.to_ask_for(slug, system)
    is_used = system is not None and bool(needs.uses_of(system))
    required = tuple(scope for scope, is_optional in asked if is_used and not is_optional)
    account = system.identity if system is not None else ""
    return app.install_url(
        Invitation(
            redirect_uri=redirect_uri(),
            state=state,
            required=required,
            optional=tuple(scope for scope, _ in asked),
            account=account.rpartition(":")[2] if identity.has_links(account) else "",
        )
    )


def exchange(app: OAuthApp, code: str) -> HeldTokens:
    """Exchange a code; it is never sent twice.

    Raises:
        AttentionError: it was sent before, or is not accepted.
        TemporaryError: not now; it may be sent again.
    """
    digest = hashlib.sha256(f"{app.id}\n{code}".encode()).hexdigest()
    _claim_code(digest)
    try:
        tokens: Tokens = app.exchange(Secret(code), redirect_uri())
    except ConnectorError as error:
        if not isinstance(error.__cause__, OutcomeUnknownError):  # it was not taken
            UsedCode.objects.filter(digest=digest).delete()
        raise
    return HeldTokens(app.id, tokens)


def _claim_code(digest: str) -> None:
    UsedCode.objects.filter(used_at__lt=timezone.now() - _REMEMBER_CODES).delete()
    try:
        with transaction.atomic():
            UsedCode.objects.create(digest=digest)
    except IntegrityError as error:
        msg = "This authorization code was used already, and a code works once."
        hint = "Connect again, or install the app once more and paste the new code."
        raise AttentionError(
            msg, hint=hint, category=Category.AUTHENTICATION, parameter="authorization_code"
        ) from error


def store(system: System, held: HeldTokens, actor: User | None) -> None:
    """Keep tokens with a saved system, in place of those it had."""
    SignIn.objects.update_or_create(
        system=system,
        defaults={
            "app": held.app,
            "tokens": {"access": held.access.reveal(), "refresh": held.refresh.reveal()},
            "expires_at": held.expires_at,
            "leased_until": None,
            "lost_reason": "",
            "signed_in_at": timezone.now(),
            "signed_in_by": actor,
            "renewed_at": None,
        },
    )


def reconnect(system: System, held: HeldTokens, actor: User) -> None:
    """Store a new sign-in of a saved system, once it is known to lead to the same account.

    Raises:
        ConnectorError: it does not connect, or to another account; the old sign-in is kept.
    """
    checked = checking.check_settings(
        system.connector, system.parameters, system.secrets, tokens=held, system=system
    )
    identity.ensure_same_account(system, checked.report)
    with transaction.atomic():
        store(system, held, actor)
        checking.store(system, checked)


def find(system: System | None) -> SignIn | None:
    """Return the sign-in of a system, also a lost one."""
    return SignIn.objects.filter(system=system).first() if system is not None else None
