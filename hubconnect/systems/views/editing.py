"""Adding and editing a system: choose the type, fill in, check, save."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from hubconnect.connectors.errors import ConnectorError, TemporaryError
from hubconnect.core.models import Role
from hubconnect.core.permissions import role_required
from hubconnect.systems.forms import SystemForm
from hubconnect.systems.models import System
from hubconnect.systems.services import pending, reports, saving

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
        pending.forget(request.session, _key(system))
        slug = system.connector if system else request.GET.get("connector", "")
        form = SystemForm(slug=slug, system=system, initial=_given(request.GET))
        return _page(request, form)
    data = request.POST.copy()
    if "use" in data:
        name, _, suggestion = str(data["use"]).partition(":")
        data[name] = suggestion
    if data.get("action") == "show":
        sent = _build(request, system, data, is_checked=True)
        pending.keep(request.session, _key(system), sent.hold_secrets())
        return _page(request, _build(request, system, data, is_checked=False))
    return _handle(request, _build(request, system, data, is_checked=True))


def _handle(request: HttpRequest, form: SystemForm) -> HttpResponse:
    """Check what was sent, and save it if that was asked."""
    is_valid = form.is_valid()
    pending.keep(request.session, _key(form.system), form.hold_secrets())
    if not is_valid:
        return _page(request, form)
    action = request.POST.get("action", "save")
    try:
        checked = saving.prove(form.draft, form.system)
    except TemporaryError as error:
        if action == "save_unchecked":
            return _saved(request, saving.save_unproved(form.draft, form.system, error))
        form.add_failure(error)
        return _page(request, form, may_save_unchecked=True)
    except ConnectorError as error:
        form.add_failure(error)
        return _page(request, form)
    is_refused = form.add_remarks(checked.report.remarks)
    if is_refused or action == "check" or "use" in request.POST:
        return _page(request, form, report=reports.from_plain(checked.plain()))
    return _saved(request, saving.save_proved(form.draft, form.system, checked))


def _saved(request: HttpRequest, system: System) -> HttpResponse:
    for key in (_key(system), _key(None)):
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
    waiting = pending.recall(request.session, _key(system))
    if is_checked:
        return SystemForm(data, slug=slug, system=system, waiting=waiting)
    return SystemForm(slug=slug, system=system, waiting=waiting, initial=_given(data))


def _given(data: QueryDict) -> dict[str, Any]:
    return {name: data[name] for name in data if name not in ("csrfmiddlewaretoken", "action")}


def _key(system: System | None) -> str:
    return str(system.pk) if system else "add"


def _page(request: HttpRequest, form: SystemForm, **context: object) -> HttpResponse:
    return render(request, "systems/form.html", {"form": form, "system": form.system, **context})
