"""Sync history: the list of runs, and the page of one."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from hubconnect.core.counting import at_most
from hubconnect.core.paging import page_by_key
from hubconnect.integrations.filters import RunFilter
from hubconnect.integrations.models import RecordEvent, Run
from hubconnect.integrations.services import history

RUNS_A_PAGE = 30
RECORDS_A_PAGE = 50


@require_GET
def run_list(request: HttpRequest) -> HttpResponse:
    """List runs, newest first; those without changes are folded."""
    chosen = RunFilter(request.GET, queryset=history.runs())
    page = page_by_key(chosen.busy, request, RUNS_A_PAGE)
    idle = {}
    if chosen.folds_idle:
        idle = history.fold_idle(
            chosen.qs, page.items, is_first=not page.newer, is_last=not page.older
        )
    is_narrowed = any(request.GET.get(name) for name in chosen.filters)
    context = {
        "filter": chosen,
        "page": page,
        "lines": [(run, idle.get(run.pk), _took(run)) for run in page.items],
        "idle_on_top": idle.get(0),
        "is_narrowed": is_narrowed,
        "is_moving": not page.newer and any(run.state == Run.State.RUNNING for run in page.items),
    }
    return render(request, "integrations/run_list.html", context)


@require_GET
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a run: progress, counts, and what was decided about each record."""
    run = get_object_or_404(history.runs(), pk=pk)
    kinds = history.kinds_of(run)
    kind = request.GET.get("kind", "")
    events = run.events.filter(kind=kind) if kind in RecordEvent.Kind.values else run.events.all()
    page = page_by_key(events, request, RECORDS_A_PAGE)
    failed = history.failures_of(run, page.items)
    context = {
        **_progress(run),
        "kinds": [
            (one, one.label, at_most(kinds[one])) for one in RecordEvent.Kind if kinds.get(one)
        ],
        "kind": kind,
        "events": at_most(sum(kinds.values())),
        "page": page,
        "lines": [(event, failed.get(event.source_id)) for event in page.items],
        "failures": run.failures.filter(state="open")[:10],
    }
    return render(request, "integrations/run_detail.html", context)


@require_GET
def run_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far a run is; the page asks again each second while it goes on."""
    run = get_object_or_404(history.runs(), pk=pk)
    if not request.headers.get("HX-Request"):
        return run_detail(request, pk)
    return render(request, "integrations/run_detail.html#progress", _progress(run))


def _progress(run: Run) -> dict[str, object]:
    is_running = run.state == Run.State.RUNNING
    calls = history.calls_of(run)
    return {
        "run": run,
        "flow": run.flow,
        "is_running": is_running,
        "progress": history.progress(run),
        "slices": history.slices(run) if run.reason == Run.Reason.LOAD else [],
        "phases": history.phases(run),
        "took": _took(run),
        "calls": calls,
        "call_count": run.api_calls,
    }


def _took(run: Run) -> timedelta | None:
    return run.finished_at - run.started_at if run.finished_at else None
