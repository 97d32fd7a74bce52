"""Pairs of an integration: adding, ordering, and the settings of their directions."""

import copy
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hubconnect.connectors.base import Field, QueryLine
from hubconnect.connectors.errors import ConnectorError
from hubconnect.connectors.registry import get_connector
from hubconnect.core.helping import Topic, find_topic
from hubconnect.core.models import Role
from hubconnect.core.permissions import role_required
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.integrations.forms.condition_rows import ConditionForm, rows_of
from hubconnect.integrations.forms.conditions import Conditions
from hubconnect.integrations.forms.pair import Act, FlowForm, PairForm, say
from hubconnect.integrations.models import Flow, Integration, Pair
from hubconnect.integrations.services import explaining, saving, trying, trying_lookup
from hubconnect.integrations.services.flowspec import mapped_fields
from hubconnect.integrations.services.saving import ChangeRefusedError, IntegrationActiveError
from hubconnect.integrations.services.trying import Trial
from hubconnect.integrations.services.trying_lookup import LookupTrial
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
    except ChangeRefusedError as error:
        messages.error(request, str(error))
    return redirect("integrations:detail", pk=pair.integration_id)


@dataclass(slots=True)
class Part:
    """One direction on the page: its form, and what was found out about it."""

    flow: Flow
    form: FlowForm
    limit: int | None
    query_name: str
    schema_error: ConnectorError | None = None
    trial: Trial | None = None
    trial_error: str = ""
    lookup_trial: LookupTrial | None = None
    lookup_trial_error: str = ""
    ids: str = ""
    native: str = ""
    native_error: str = ""

    @property
    def criteria(self) -> Conditions:
        """The conditions on the source."""
        return self.form.conditions["criteria"]

    @property
    def lookup(self) -> Conditions:
        """The conditions on the target."""
        return self.form.conditions["lookup"]

    @property
    def criteria_rows(self) -> list[ConditionForm]:
        """The criteria as they are drawn."""
        return rows_of(self.criteria)

    @property
    def lookup_rows(self) -> list[ConditionForm]:
        """The lookup as it is drawn."""
        return rows_of(self.lookup)

    @property
    def criteria_guides(self) -> list[Topic]:
        """Guides to what the source's conditions are made of."""
        return _guides(self.flow.source_system)

    @property
    def lookup_guides(self) -> list[Topic]:
        """Guides to what the target's conditions are made of."""
        return _guides(self.flow.target_system)

    @property
    def query(self) -> tuple[QueryLine, ...]:
        """What the source is asked."""
        if self.criteria.problem is not None or self.schema_error is not None:
            return ()
        return explaining.explain(self.flow, self.criteria.text)


def _guides(system: System) -> list[Topic]:
    found = (find_topic(slug) for slug in get_connector(system.connector).criteria_guides)
    return [topic for topic in found if topic is not None]


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def pair_settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the settings of a pair's directions, build and try its conditions."""
    pair = get_object_or_404(
        Pair.objects.select_related("integration", "mapping__left_system", "mapping__right_system"),
        pk=pk,
    )
    act = Act.read(request.POST.get("act", ""))
    parts = _parts(request, pair, act)
    tried = [name for name in ("try", "try_lookup") if request.POST.get(name)]
    is_saving = request.method == "POST" and act is None and not tried
    for part in parts:
        _answer(request, part, act)
    valid = [part.form.is_valid() for part in parts]  # each one, so that all errors show
    if is_saving and all(valid):
        try:
            saving.save_flows(pair, [part.form.instance for part in parts])
        except IntegrationActiveError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"The settings of {pair.mapping} were saved.")
            return redirect("integrations:detail", pk=pair.integration_id)
    context = {"pair": pair, "integration": pair.integration, "parts": parts}
    context["forms"] = [part.form for part in parts] if is_saving else []
    return render(request, "integrations/pair.html", context)


def _parts(request: HttpRequest, pair: Pair, act: Act | None) -> list[Part]:
    known: dict[tuple[int, str], dict[str, Field] | ConnectorError] = {}
    data = request.POST if request.method == "POST" else None
    # Trying judges nothing else on the page, so the form is only drawn anew.
    is_trying = "try" in request.POST or "try_lookup" in request.POST
    parts = []
    for flow in pair.flows.all():
        flow.pair = pair
        source = _fields(flow.source_system, flow.source_type, known)
        target = _fields(flow.target_system, flow.target_type, known)
        connector = get_connector(flow.source_system.connector)
        form = FlowForm(
            data,
            instance=flow,
            prefix=flow.direction,
            sources=source if isinstance(source, dict) else None,
            targets=target if isinstance(target, dict) else None,
            max_conditions=connector.max_conditions,
            mapped=mapped_fields(flow),
            act=act if act is not None and act.direction == flow.direction else None,
            is_judged=act is None and not is_trying,
        )
        failed = [one for one in (source, target) if isinstance(one, ConnectorError)]
        error = failed[0] if failed else None
        parts.append(Part(flow, form, connector.max_conditions, connector.query_name, error))
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


def _answer(request: HttpRequest, part: Part, act: Act | None) -> None:
    """Do what a button of one direction asks."""
    direction = part.flow.direction
    if request.POST.get("try") == direction:
        _try(part)
    if request.POST.get("try_lookup") == direction:
        _try_lookup(part, request.POST.get(f"{direction}-ids", ""))
    if act is not None and act.direction == direction and act.verb == "native":
        _take_native(part, request.POST.get(f"{direction}-native", ""))


def _try(part: Part) -> None:
    flow = part.flow
    try:
        part.trial = trying.try_criteria(flow.source_system, flow.source_type, part.criteria.text)
    except CriteriaInvalidError as error:
        part.trial_error = say(error)
    except ConnectorError as error:
        part.trial_error = f"{error.message} {error.hint}".strip()


def _try_lookup(part: Part, ids: str) -> None:
    part.ids, flow = ids[:300], copy.copy(part.flow)
    try:
        if part.lookup.problem is not None:
            raise part.lookup.problem
        if part.criteria.problem is not None:
            part.lookup_trial_error = "Correct the criteria first: they choose the records."
            return
        for name, known in _RULES.items():
            rule = part.form[name].value()
            if rule in known.values:
                setattr(flow, name, rule)
        flow.criteria = part.criteria.conditions
        part.lookup_trial = trying_lookup.try_lookup(flow, part.lookup.conditions, part.ids)
    except CriteriaInvalidError as error:
        part.lookup_trial_error = say(error)
    except ConnectorError as error:
        part.lookup_trial_error = f"{error.message} {error.hint}".strip()


_RULES: dict[str, type[TextChoices]] = {
    "none_found": Flow.NoneFound,
    "several_found": Flow.SeveralFound,
    "one_found": Flow.OneFound,
}


def _take_native(part: Part, query: str) -> None:
    try:
        part.criteria.replace(explaining.understand(part.flow, query))
    except ConnectorError as error:
        part.native, part.native_error = query, f"{error.message} {error.hint}".strip()
