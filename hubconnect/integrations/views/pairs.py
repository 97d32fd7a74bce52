"""Pairs of an integration: adding, ordering, and the settings of their directions."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hubconnect.connectors.base import Field
from hubconnect.connectors.errors import ConnectorError
from hubconnect.connectors.registry import get_connector
from hubconnect.core.models import Role
from hubconnect.core.permissions import role_required
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.integrations.forms.pair import FlowForm, PairForm, say
from hubconnect.integrations.models import Flow, Integration, Pair
from hubconnect.integrations.services import saving, trying
from hubconnect.integrations.services.saving import IntegrationActiveError
from hubconnect.integrations.services.trying import Trial
from hubconnect.systems.models import System
from hubconnect.systems.services import schema


@require_POST
@role_required(Role.SYNC_ADMIN)
def pair_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a mapping to work in an integration."""
    integration = get_object_or_404(
        Integration.objects.select_related("left_system", "right_system"), pk=pk
    )
    form = PairForm(integration, request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a mapping between these two systems, and a direction.")
        return redirect("integrations:detail", pk=pk)
    try:
        pair = saving.add_pair(integration, form.cleaned_data["mapping"], form.directions)
    except IntegrationActiveError as error:
        messages.error(request, str(error))
        return redirect("integrations:detail", pk=pk)
    messages.success(request, f"{pair} was added. Choose now where each direction starts.")
    return redirect("integrations:pair", pk=pair.pk)


@require_POST
@role_required(Role.SYNC_ADMIN)
def pair_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a pair up, or take it out of its integration."""
    pair = get_object_or_404(Pair.objects.select_related("mapping"), pk=pk)
    try:
        if request.POST.get("action") == "up":
            saving.move_pair_up(pair)
        elif request.POST.get("action") == "remove":
            saving.remove_pair(pair)
            messages.success(request, f"{pair.mapping} was taken out. Its links are kept.")
    except IntegrationActiveError as error:
        messages.error(request, str(error))
    return redirect("integrations:detail", pk=pair.integration_id)


@dataclass(slots=True)
class Part:
    """One direction on the page: its form, and what was found out about it."""

    flow: Flow
    form: FlowForm
    limit: int | None
    schema_error: ConnectorError | None = None
    trial: Trial | None = None
    trial_error: str = ""


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def pair_settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the settings of a pair's directions, or try its criteria."""
    pair = get_object_or_404(
        Pair.objects.select_related("integration", "mapping__left_system", "mapping__right_system"),
        pk=pk,
    )
    parts = _parts(request, pair)
    if request.method == "POST":
        tried = request.POST.get("try", "")
        valid = [part.form.is_valid() for part in parts]
        if tried:
            for part in parts:
                if part.flow.direction == tried:
                    _try(part)
        elif all(valid):
            try:
                saving.save_flows(pair, [part.form.instance for part in parts])
            except IntegrationActiveError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"The settings of {pair.mapping} were saved.")
                return redirect("integrations:detail", pk=pair.integration_id)
    context = {"pair": pair, "integration": pair.integration, "parts": parts}
    context["forms"] = [part.form for part in parts if part.form.is_bound and not part.trial]
    return render(request, "integrations/pair.html", context)


def _parts(request: HttpRequest, pair: Pair) -> list[Part]:
    known: dict[tuple[int, str], dict[str, Field] | ConnectorError] = {}
    data = request.POST if request.method == "POST" else None
    parts = []
    for flow in pair.flows.all():
        flow.pair = pair
        source = _fields(flow.source_system, flow.source_type, known)
        target = _fields(flow.target_system, flow.target_type, known)
        limits = (_limit(flow.source_system), _limit(flow.target_system))
        form = FlowForm(
            data,
            instance=flow,
            prefix=flow.direction,
            sources=source if isinstance(source, dict) else None,
            targets=target if isinstance(target, dict) else None,
            max_conditions=limits,
        )
        failed = [one for one in (source, target) if isinstance(one, ConnectorError)]
        parts.append(Part(flow, form, limits[0], failed[0] if failed else None))
    return parts


def _fields(
    system: System,
    object_type: str,
    known: dict[tuple[int, str], dict[str, Field] | ConnectorError],
) -> dict[str, Field] | ConnectorError:
    key = (system.pk, object_type)
    if key not in known:
        try:
            known[key] = schema.fields(system, object_type)
        except ConnectorError as error:
            known[key] = error
    return known[key]


def _limit(system: System) -> int | None:
    return get_connector(system.connector).max_conditions


def _try(part: Part) -> None:
    text = part.form.data.get(part.form.add_prefix("criteria"), "")
    flow = part.flow
    try:
        part.trial = trying.try_criteria(flow.source_system, flow.source_type, text)
    except CriteriaInvalidError as error:
        part.trial_error = say(error)
    except ConnectorError as error:
        part.trial_error = f"{error.message} {error.hint}".strip()
