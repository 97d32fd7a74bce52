"""Adding and editing a system: choose the type, fill in, check, save."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from hubconnect.connectors.errors import AttentionError, ConnectorError, TemporaryError
from hubconnect.connectors.oauth import OAuthApp
from hubconnect.core.models import Role
from hubconnect.core.permissions import role_required
from hubconnect.systems.forms import SystemForm
from hubconnect.systems.models import System
from hubconnect.systems.services import (
    checking,
    consent,
    needs,
    pending,
    reports,
    saving,
    sharing,
    signing_in,
)
from hubconnect.systems.services.saving import SigningIn
from hubconnect.systems.services.token_stores import HeldTokens, StoredTokens
from hubconnect.systems.views.connecting import actor_of, form_key, leave

read_and_write = require_http_methods(["GET", "POST"])


@read_and_write
@role_required(Role.SYNC_ADMIN)
def system_add(request: HttpRequest) -> HttpResponse:
    """Add a system."""
    return _edit(request, None)


@read_and_write
@role_required(Role.SYNC_ADMIN)
def system_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a system."""
    return _edit(request, get_object_or_404(System, pk=pk))


def _edit(request: HttpRequest, system: System | None) -> HttpResponse:
    if request.method == "GET":
        return _open(request, system)
    data = request.POST.copy()
    if "use" in data:
        name, _, suggestion = str(data["use"]).partition(":")
        data[name] = suggestion
    if data.get("action") == "show":
        sent = _build(request, system, data, is_checked=True)
        pending.keep(request.session, form_key(system), sent.hold_secrets())
        return _page(request, _build(request, system, data, is_checked=False))
    form = _build(request, system, data, is_checked=True)
    if data.get("action") == "connect":
        return _connect(request, form, data)
    action = "check" if "use" in data else str(data.get("action", "save"))
    return _handle(request, form, action)


def _open(request: HttpRequest, system: System | None) -> HttpResponse:
    """Show the form anew, or as it was left for the system's consent page."""
    key = form_key(system)
    kept = pending.recall_values(request.session, key)
    if "connected" in request.GET and kept:
        data = QueryDict(mutable=True)
        data.update(kept)
        form = _build(request, system, data, is_checked=True)
        if pending.recall_tokens(request.session, key) is not None:
            return _handle(request, form, "check")
        return _page(request, _build(request, system, data, is_checked=False))
    pending.forget(request.session, key)
    slug = system.connector if system else request.GET.get("connector", "")
    apps = _connected_apps(request, system)
    form = SystemForm(slug=slug, system=system, apps=apps, initial=_given(request.GET))
    return _page(request, form)


def _connect(request: HttpRequest, form: SystemForm, data: QueryDict) -> HttpResponse:
    """Lead to where a person lets the app in; the form waits meanwhile."""
    form.is_valid()
    key, slug = form_key(form.system), str(data.get("connector", ""))
    has_problems = form.problems_to_connect()
    form.spend_code()  # connecting brings another
    pending.keep(request.session, key, form.hold_secrets())
    slug = form.system.connector if form.system is not None else slug
    if has_problems:
        return _page(request, form)
    given = {name: str(text) for name, text in _given(data).items()}
    secret = {one.name for one in form.parameters if one.is_secret}
    values = {name: text for name, text in given.items() if name not in secret}
    pending.keep_values(request.session, key, values)
    secrets = {**form.valid_secrets(), **form.cleaned_secrets}
    app = signing_in.open_app(slug, form.valid, secrets)
    if app is None:
        return _page(request, form)
    asked = consent.Asked(form=key, is_direct=False)
    return leave(request, app, asked, slug, form.system)


def _handle(request: HttpRequest, form: SystemForm, action: str) -> HttpResponse:
    """Check what was sent, and save it if that was asked."""
    is_valid = form.is_valid()
    key = form_key(form.system)
    pending.keep(request.session, key, form.hold_secrets())
    if not is_valid:
        return _page(request, form)
    sign_in: SigningIn | None = None
    try:
        sign_in = _sign_in(request, form)
        checked = _prove(form, sign_in)
    except TemporaryError as error:
        if action == "save_unchecked":
            saved = saving.save_unproved(form.draft, form.system, error, sign_in)
            return _saved(request, saved)
        form.add_failure(error)
        return _page(request, form, may_save_unchecked=not form.code)
    except ConnectorError as error:
        form.add_failure(error)
        return _page(request, form)
    if sign_in is not None and sign_in.held is not None:  # the check may have renewed them
        pending.keep_tokens(request.session, key, sign_in.held)
    return _proved(request, form, checked, sign_in, action)


def _prove(form: SystemForm, sign_in: SigningIn | None) -> checking.Checked:
    stored = StoredTokens(form.system.pk) if form.system is not None else None
    held = sign_in.held if sign_in is not None else None
    return saving.prove(form.draft, form.system, held or stored)


def _proved(
    request: HttpRequest,
    form: SystemForm,
    checked: checking.Checked,
    sign_in: SigningIn | None,
    action: str,
) -> HttpResponse:
    """Show what the check found, or save it where nothing stands against that."""
    report = checked.report
    is_refused = form.add_remarks(report.remarks)
    draft = form.draft
    values = {**draft.parameters, **draft.secrets, **report.settled}
    shared = sharing.find_shared(draft.connector, values, form.system)
    is_confirmed = request.POST.get("shared") == sharing.mark(shared)
    if is_refused or action == "check" or (shared and not is_confirmed):
        if not is_refused:
            form.show_settled(report.settled)
        shown = reports.from_plain(checked.plain())
        mark = sharing.mark(shared) if shared else ""
        return _page(request, form, report=shown, shared=shared, shared_mark=mark)
    return _saved(request, saving.save_proved(draft, form.system, checked, sign_in))


def _sign_in(request: HttpRequest, form: SystemForm) -> SigningIn | None:
    """Return how the system signs in by OAuth, exchanging a code first if there is one.

    Raises:
        ConnectorError: the code is not accepted, or not now.
    """
    draft, key = form.draft, form_key(form.system)
    app = signing_in.open_app(draft.connector, draft.parameters, draft.secrets)
    if app is None:
        return None
    try:
        held = pending.recall_tokens(request.session, key)
        if form.code:
            held = _exchange(request, form, app)
        elif held is not None and held.app != app.id:
            held = None
    finally:
        app.close()
    return SigningIn(held, actor_of(request))


def _exchange(request: HttpRequest, form: SystemForm, app: OAuthApp) -> HeldTokens:
    """Exchange the code that was pasted; one that was taken or refused waits no longer.

    Raises:
        ConnectorError: the code is not accepted, or not now.
    """
    key = form_key(form.system)
    try:
        held = signing_in.exchange(app, form.code)
    except AttentionError as error:
        if error.parameter in form.code_names():
            form.spend_code()
            pending.keep(request.session, key, form.hold_secrets())
        raise
    form.spend_code()
    pending.keep_tokens(request.session, key, held)
    pending.keep(request.session, key, form.hold_secrets())
    return held


def _saved(request: HttpRequest, system: System) -> HttpResponse:
    for key in (form_key(system), form_key(None)):
        pending.forget(request.session, key)
    if system.state == System.State.UNREACHABLE:
        messages.warning(request, f"{system} was saved without a check. Check it when it answers.")
    else:
        messages.success(request, f"{system} is connected and saved.")
    return redirect("systems:detail", pk=system.pk)


def _build(
    request: HttpRequest, system: System | None, data: QueryDict, *, is_checked: bool
) -> SystemForm:
    """Return the form with what was sent: to be checked, or only to be shown again."""
    slug = system.connector if system else str(data.get("connector", ""))
    waiting = pending.recall(request.session, form_key(system))
    apps = _connected_apps(request, system)
    if is_checked:
        return SystemForm(data, slug=slug, system=system, waiting=waiting, apps=apps)
    return SystemForm(slug=slug, system=system, waiting=waiting, apps=apps, initial=_given(data))


def _connected_apps(request: HttpRequest, system: System | None) -> list[str]:
    """Return ids of the apps a person has connected: just now, or for the saved system."""
    held = pending.recall_tokens(request.session, form_key(system))
    stored = signing_in.find(system)
    apps = [held.app] if held is not None else []
    return [*apps, stored.app] if stored is not None and not stored.lost_reason else apps


def _given(data: QueryDict) -> dict[str, Any]:
    return {name: data[name] for name in data if name not in ("csrfmiddlewaretoken", "action")}


def _page(request: HttpRequest, form: SystemForm, **context: object) -> HttpResponse:
    key = form_key(form.system)
    return render(
        request,
        "systems/form.html",
        {
            "form": form,
            "system": form.system,
            "redirect_uri": consent.redirect_uri(),
            "redirect_problem": consent.redirect_problem(request.get_host()),
            "is_connected": pending.recall_tokens(request.session, key) is not None,
            "sign_in": signing_in.find(form.system),
            "app_scopes": needs.to_ask_for(form.slug, form.system),
            "is_used": form.system is not None and bool(needs.uses_of(form.system)),
            **context,
        },
    )
