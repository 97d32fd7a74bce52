"""The first page: what needs a person, how it all goes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from hubconnect.core import health
from hubconnect.integrations.services import causes, figures, rollup, standing, todo
from hubconnect.systems.services import budget

SPANS = {"day": 24, "week": 24 * 7}
CAUSES = 6
TODOS = 8
WORST_FIRST = ("bad", "warn", "run", "ok", "wait", "idle")
WORKING = (health.Name.BROKER, health.Name.WORKER, health.Name.BEAT)


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show what needs a person first, then figures, health and the chart."""
    span = request.GET.get("span", "")
    hours = SPANS.get(span, SPANS["day"])
    links = rollup.links_now()
    lines = standing.lines(standing.integrations(), links)
    lines.sort(key=lambda line: WORST_FIRST.index(line.health.kind))
    systems, mappings = figures.counts()
    context: dict[str, object] = {
        "lines": lines,
        "systems": systems,
        "mappings": mappings,
        "is_week": hours == SPANS["week"],
    }
    if lines:
        found = causes.group(causes.open_failures()).causes
        active = sum(line.integration.is_active for line in lines)
        parts = health.look(WORKING) if active else []
        items = [*todo.missing(parts), *todo.todo(lines, found)]
        context |= {
            "todo": items[:TODOS],
            "todo_count": len(items),
            "causes": found[:CAUSES],
            "cause_count": len(found),
            "budgets": budget.budgets(standing.systems_of(lines)),
            "figures": figures.key_figures(hours, links),
            "plot": figures.carried(hours),
            "lag": max((line.lag for line in lines if line.lag is not None), default=None),
            "active": active,
            "healthy": sum(line.health.kind in ("ok", "run") for line in lines),
        }
    return render(request, "integrations/overview.html", context)
