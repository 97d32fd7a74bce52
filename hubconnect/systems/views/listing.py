"""The list of systems and the page of one."""

from dataclasses import replace
from typing import NamedTuple

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from hubconnect.systems.models import System
from hubconnect.systems.services import budget, needs, signing_in
from hubconnect.systems.services.describing import Described, describe, settings_of
from hubconnect.systems.services.reports import ShownReport, from_plain
from hubconnect.systems.services.usage import Use, uses_of


class Line(NamedTuple):
    """One row of the list."""

    system: System
    described: Described
    uses: list[Use]


@require_GET
def system_list(request: HttpRequest) -> HttpResponse:
    """List the systems, found by name or account."""
    query = request.GET.get("q", "").replace("\0", "").strip()
    systems = System.objects.defer("secrets", "report")
    if query:
        systems = systems.filter(Q(name__icontains=query) | Q(identity_label__icontains=query))
    found = list(systems)
    uses = uses_of(found)
    lines = [Line(one, describe(one), uses.get(one.pk, [])) for one in found]
    return render(request, "systems/list.html", {"lines": lines, "query": query})


@require_GET
def system_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a system: its settings without secrets, its last check, what uses it."""
    system = get_object_or_404(System, pk=pk)
    return render(request, "systems/detail.html", detail_context(system))


def detail_context(system: System) -> dict[str, object]:
    """Return what the page of a system shows."""
    report: ShownReport | None = from_plain(system.report) if system.report else None
    if report is not None:  # what it is used for may have changed since
        report = replace(report, grants=needs.hold(report.grants, system))
    return {
        "system": system,
        "described": describe(system),
        "settings": settings_of(system),
        "uses": uses_of([system]).get(system.pk, []),
        "report": report,
        "sign_in": signing_in.find(system),
        "budget": budget.budget_of(system),
        "is_past": system.needs_person or system.state == System.State.UNREACHABLE,
        "signs_in_by_oauth": signing_in.uses_oauth(system),
    }
