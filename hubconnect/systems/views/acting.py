"""What one does to a saved system: check it, prepare its account, delete it."""

import contextlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hubconnect.connectors.errors import ConnectorError
from hubconnect.core.models import Role
from hubconnect.core.permissions import role_required
from hubconnect.systems.models import System
from hubconnect.systems.services import checking, saving
from hubconnect.systems.services.usage import InUseError, uses_of
from hubconnect.systems.views.listing import detail_context


@require_POST
@role_required(Role.SYNC_ADMIN)
def system_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check a system live; the result stays on its page."""
    system = get_object_or_404(System, pk=pk)
    with contextlib.suppress(ConnectorError):  # kept with the system: its page says why
        checking.check_system(system)
    if request.headers.get("HX-Request"):
        return render(request, "systems/detail.html", detail_context(system))
    return redirect("systems:detail", pk=pk)


@require_POST
@role_required(Role.SYNC_ADMIN)
def system_prepare(request: HttpRequest, pk: int) -> HttpResponse:
    """Carry out preparations that the last check offered."""
    system = get_object_or_404(System, pk=pk)
    names = request.POST.getlist("preparation")
    try:
        checking.prepare(system, *names)
    except LookupError as error:
        msg = f"There is no preparation {error}."
        raise Http404(msg) from error
    except ConnectorError as error:
        _say(request, error)
    else:
        messages.success(request, f"{system} is prepared.")
    return redirect("systems:detail", pk=pk)


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def system_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then delete a system that nothing uses."""
    system = get_object_or_404(System, pk=pk)
    if request.method == "POST":
        try:
            saving.delete_system(system)
        except InUseError as error:
            messages.error(request, str(error))
            return redirect("systems:detail", pk=pk)
        messages.success(request, f"{system.name} was deleted.")
        return redirect("systems:list")
    uses = uses_of([system]).get(system.pk, [])
    return render(request, "systems/delete.html", {"system": system, "uses": uses})


def _say(request: HttpRequest, error: ConnectorError) -> None:
    messages.error(request, " ".join(filter(None, (error.message, error.hint))))
