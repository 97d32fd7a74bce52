"""The list of integrations, the page of one, its form."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from hubconnect.core.models import Role
from hubconnect.core.permissions import role_required
from hubconnect.integrations.forms.integration import IntegrationForm
from hubconnect.integrations.forms.pair import PairForm
from hubconnect.integrations.models import Integration
from hubconnect.integrations.schedules import describe
from hubconnect.integrations.services import aligning, saving, standing
from hubconnect.integrations.services.pair_lines import pair_lines
from hubconnect.integrations.services.saving import IntegrationActiveError

read_and_write = require_http_methods(["GET", "POST"])


@require_GET
def integration_list(request: HttpRequest) -> HttpResponse:
    """List the integrations with their health."""
    context = {"lines": standing.lines(standing.integrations())}
    return render(request, "integrations/list.html", context)


@require_GET
def integration_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an integration: its pairs, how each flow is doing, what it last did."""
    integration = get_object_or_404(standing.integrations(), pk=pk)
    (line,) = standing.lines([integration])
    context = {
        "integration": integration,
        "line": line,
        "schedule": describe(integration),
        "pairs": pair_lines(integration),
        "alignments": aligning.unfinished(integration),
        "pair_form": PairForm(integration),
    }
    return render(request, "integrations/detail.html", context)


@read_and_write
@role_required(Role.SYNC_ADMIN)
def integration_create(request: HttpRequest) -> HttpResponse:
    """Make an integration; its pairs are added on its page."""
    return _edit(request, Integration(time_zone=getattr(request.user, "time_zone", "UTC")))


@read_and_write
@role_required(Role.SYNC_ADMIN)
def integration_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an inactive integration."""
    return _edit(request, get_object_or_404(Integration, pk=pk))


def _edit(request: HttpRequest, integration: Integration) -> HttpResponse:
    is_new, name = integration.pk is None, integration.name
    form = IntegrationForm(request.POST or None, instance=integration)
    if request.method == "POST" and form.is_valid():
        try:
            saved = saving.save_integration(form.instance)
        except IntegrationActiveError as error:
            form.add_error(None, str(error))
        else:
            said = "Now add the pairs it shall keep the same." if is_new else "It is inactive."
            messages.success(request, f"{saved} was saved. {said}")
            return redirect("integrations:detail", pk=saved.pk)
    context = {"form": form, "integration": None if is_new else integration, "name": name}
    return render(request, "integrations/form.html", context)
