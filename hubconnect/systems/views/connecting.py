"""Signing in by OAuth 2.0: to the system's consent page, and back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from hubconnect.connectors.errors import ConnectorError
from hubconnect.connectors.oauth import OAuthApp
from hubconnect.core.models import Role, User
from hubconnect.core.permissions import role_required
from hubconnect.systems.models import System
from hubconnect.systems.services import consent, pending, signing_in
from hubconnect.systems.services.consent import Asked, StateRefusedError
from hubconnect.systems.services.token_stores import HeldTokens


@require_POST
@role_required(Role.SYNC_ADMIN)
def system_connect(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign a saved system in again, with the app it has."""
    system = get_object_or_404(System, pk=pk)
    try:
        app = signing_in.app_of(system)
    except ConnectorError as error:
        _say(request, error)
        return redirect("systems:detail", pk=pk)
    return leave(request, app, Asked(str(pk), is_direct=True), system.connector, system)


@never_cache
@require_GET
@role_required(Role.SYNC_ADMIN)
def oauth_callback(request: HttpRequest) -> HttpResponse:
    """Take what the system's consent page brought, and lead on without it in the address."""
    try:
        asked = consent.receive(request.session, request.GET.get("state", ""))
    except StateRefusedError as error:
        messages.error(request, str(error))
        return redirect("systems:list")
    system = System.objects.filter(pk=asked.form).first() if asked.form.isdigit() else None
    if asked.is_direct and system is not None:
        return _reconnected(request, system)
    if asked.form.isdigit() and system is None:
        messages.error(request, "The system was deleted meanwhile.")
        return redirect("systems:list")
    return _returned(request, system)


def _reconnected(request: HttpRequest, system: System) -> HttpResponse:
    try:
        app = signing_in.app_of(system)
        held = _take(request, app)
        signing_in.reconnect(system, held, actor_of(request))
    except ConnectorError as error:
        _say(request, error)
    else:
        messages.success(request, f"{system} is connected again.")
    return redirect("systems:detail", pk=system.pk)


def _returned(request: HttpRequest, system: System | None) -> HttpResponse:
    """Let the tokens wait for the form, and open it again as it was left."""
    key = form_key(system)
    values = pending.recall_values(request.session, key)
    secrets = {**(system.secrets if system else {}), **pending.recall(request.session, key)}
    slug = system.connector if system is not None else values.get("connector", "")
    form = reverse("systems:edit", args=[system.pk]) if system else reverse("systems:add")
    try:
        app = signing_in.open_app(slug, values, secrets) if slug else None
        if app is None:
            messages.error(request, "The form waited too long and was cleared. Fill it in again.")
            return redirect(form)
        pending.keep_tokens(request.session, key, _take(request, app))
        messages.success(request, "Connected. Look at what was found below, then save.")
    except ConnectorError as error:
        _say(request, error)
    return redirect(f"{form}?connected=1")


def _take(request: HttpRequest, app: OAuthApp) -> HeldTokens:
    """Return the tokens for the code that was brought.

    Raises:
        ConnectorError: it brought none, or the code is not accepted.
    """
    code = request.GET.get("code", "")
    try:
        if not code:
            told = request.GET.get("error", "no code came back")
            raise app.denial(told, request.GET.get("error_description", ""))
        return signing_in.exchange(app, code)
    finally:
        app.close()


def leave(
    request: HttpRequest, app: OAuthApp, asked: Asked, slug: str, system: System | None
) -> HttpResponse:
    """Show the page that leads to the system's consent page.

    A page rather than a redirect: the policy for our forms forbids that one ends elsewhere.
    """
    state = consent.ask(request.session, asked)
    try:
        url = signing_in.invite(app, state, slug, system)
    finally:
        app.close()
    return render(request, "systems/leaving.html", {"url": url, "system": system})


def form_key(system: System | None) -> str:
    """Return under which key a form waits in the session."""
    return str(system.pk) if system else "add"


def actor_of(request: HttpRequest) -> User:
    """Return the person; the page asks for a role, so there is one."""
    assert isinstance(request.user, User)  # noqa: S101  for the type checker
    return request.user


def _say(request: HttpRequest, error: ConnectorError) -> None:
    messages.error(request, " ".join(filter(None, (error.message, error.hint))))
