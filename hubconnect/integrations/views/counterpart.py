"""The page that says which fields receive the counterpart's id and address."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from hubconnect.connectors.base import Field
from hubconnect.connectors.errors import ConnectorError
from hubconnect.core.models import Role
from hubconnect.core.permissions import role_required
from hubconnect.integrations.forms.counterpart import CounterpartForm
from hubconnect.integrations.models import Pair
from hubconnect.integrations.services import saving
from hubconnect.integrations.services.saving import IntegrationActiveError
from hubconnect.systems.models import System
from hubconnect.systems.services import schema


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def pair_counterpart(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the fields on both sides."""
    pair = get_object_or_404(
        Pair.objects.select_related("integration", "mapping__left_system", "mapping__right_system"),
        pk=pk,
    )
    mapping, away = pair.mapping, list[ConnectorError]()
    form = CounterpartForm(
        request.POST if request.method == "POST" else None,
        instance=pair,
        left=_fields(mapping.left_system, mapping.left_type, away),
        right=_fields(mapping.right_system, mapping.right_type, away),
    )
    if request.method == "POST" and not away and form.is_valid():
        try:
            saving.save_pair(form.save(commit=False))
        except IntegrationActiveError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"The settings of {mapping} were saved.")
            return redirect("integrations:detail", pk=pair.integration_id)
    context = {"pair": pair, "integration": pair.integration, "form": form, "away": away}
    return render(request, "integrations/counterpart.html", context)


def _fields(
    system: System, object_type: str, away: list[ConnectorError]
) -> dict[str, Field] | None:
    try:
        return schema.fields(system, object_type)
    except ConnectorError as error:
        away.append(error)
        return None
