"""Activating, deactivating, running now, deleting."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from hubconnect.core.models import Role
from hubconnect.core.numbers import whole_number
from hubconnect.core.permissions import ensure_role, role_required
from hubconnect.integrations.forms.pair import ActivationForm
from hubconnect.integrations.models import Flow, Integration
from hubconnect.integrations.services import activation, saving
from hubconnect.integrations.services.activation import ActivationRefusedError
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.integrations.services.saving import ChangeRefusedError


def _integration(pk: int) -> Integration:
    systems = Integration.objects.select_related("left_system", "right_system")
    return get_object_or_404(systems, pk=pk)


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def activate(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what activation would do; do it once its numbers are typed."""
    integration = _integration(pk)
    actor = ensure_role(request, Role.SYNC_ADMIN)
    if integration.is_active:
        messages.info(request, f"{integration} is active already.")
        return redirect("integrations:detail", pk=pk)
    problems: list[str] = []
    if request.method == "POST":
        ids = Flow.objects.filter(pair__integration=integration).values_list("pk", flat=True)
        form = ActivationForm(list(ids), request.POST)
        try:
            is_valid = form.is_valid()
            confirmed, loads = (form.confirmed, form.loads) if is_valid else ({}, [])
            nudge = activation.activate(integration, actor, confirmed, loads, form.chosen)
        except ActivationRefusedError as error:
            problems = error.problems
        else:
            _say_nudged(request, nudge, f"{integration} is active; its first runs start now.")
            return redirect("integrations:detail", pk=pk)
    context = {
        "integration": integration,
        "preview": activation.preview(integration),
        "problems": problems,
    }
    return render(request, "integrations/activate.html", context)


@require_POST
@role_required(Role.SYNC_ADMIN)
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop an integration."""
    integration = _integration(pk)
    activation.deactivate(integration, ensure_role(request, Role.SYNC_ADMIN))
    messages.success(request, f"{integration} is inactive. A run under way ends with its page.")
    return _back(request, integration)


@require_POST
@role_required(Role.SYNC_ADMIN)
def run_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Run all flows of an integration, or the one that is named, without waiting."""
    integration = _integration(pk)
    actor = ensure_role(request, Role.SYNC_ADMIN)
    of: Integration | Flow = integration
    number = whole_number(request.POST.get("flow", ""))
    if number is not None:
        flows = Flow.objects.select_related("pair__integration")
        of = get_object_or_404(flows, pk=number, pair__integration=integration)
    try:
        nudge = activation.run_now(of, actor)
    except ActivationRefusedError as error:
        messages.error(request, str(error))
    else:
        _say_nudged(request, nudge, f"{integration} runs now.")
    return _back(request, integration)


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete an inactive integration after saying what goes with it."""
    integration = _integration(pk)
    if request.method == "POST":
        try:
            saving.delete_integration(integration)
        except ChangeRefusedError as error:
            messages.error(request, str(error))
            return redirect("integrations:detail", pk=pk)
        messages.success(request, f"{integration} was deleted. The links of its records are kept.")
        return redirect("integrations:list")
    return render(request, "integrations/delete.html", {"integration": integration})


def _say_nudged(request: HttpRequest, nudge: Nudge, words: str) -> None:
    if nudge.is_lost:
        text = f"{words} The broker does not answer, so it begins with the next tick of the beat."
        messages.warning(request, text)
    else:
        messages.success(request, words)


def _back(request: HttpRequest, integration: Integration) -> HttpResponse:
    """Go back to the page the button stood on."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=False):
        return redirect(target)
    return redirect("integrations:detail", pk=integration.pk)
