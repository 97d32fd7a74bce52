"""What waits for a person: the list of failures, its file, the page of one."""

from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from hubconnect.core.csv_export import csv_response
from hubconnect.core.helping import find_topic
from hubconnect.core.numbers import whole_number
from hubconnect.core.paging import page_by_key
from hubconnect.integrations.filters import FailureFilter
from hubconnect.integrations.models import Failure
from hubconnect.integrations.services import (
    causes,
    edits,
    failure_file,
    history,
    parts,
    retrying,
    story,
)

FAILURES_A_PAGE = 50
INSIDE_A_CAUSE = 10
# Counts beyond are shown as "more than": counting on would cost more than it tells.
MOST_COUNTED = 100_000
HEALED_SHOWN = timedelta(days=7)

State = Failure.State


@require_GET
def failure_list(request: HttpRequest) -> HttpResponse:
    """List failures of one state; open ones grouped by cause unless asked otherwise."""
    state = _state(request)
    chosen = FailureFilter(request.GET, queryset=_of_state(causes.failures(), state))
    cause = chosen.chosen.get("cause", "")
    is_grouped = state == State.OPEN and request.GET.get("group") != "none" and not cause
    context = {
        "filter": chosen,
        "state": state,
        "tabs": _tabs(),
        "is_grouped": is_grouped,
        "is_narrowed": bool(chosen.chosen),
        "query": _query(request),
    }
    if is_grouped:
        skip = whole_number(request.GET.get("skip", "")) or 0
        page = causes.group(chosen.qs, skip)
        context |= {"causes": page.causes, "next_skip": page.next_skip, "skip": skip}
        return render(request, "integrations/failure_list.html", context)
    is_inside = "HX-Request" in request.headers and bool(cause)
    time_field = "last_at" if state == State.OPEN else "closed_at"
    lean = chosen.qs.defer(*causes.HEAVY, "faults")
    size = INSIDE_A_CAUSE if is_inside else FAILURES_A_PAGE
    found = page_by_key(lean, request, size, time_field)
    context["page"] = found
    if is_inside:
        context["is_varied"] = len({one.message for one in found.items}) > 1
        return render(request, "integrations/failure_inside.html", context)
    context["count"] = _counted(chosen.qs)
    context["cause"] = next(iter(causes.group(chosen.qs).causes), None) if cause else None
    return render(request, "integrations/failure_list.html", context)


@require_GET
def failure_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Give the failures of one state that fit the filter as a CSV file, all of them."""
    chosen = FailureFilter(request.GET, queryset=_of_state(causes.failures(), _state(request)))
    return csv_response(
        "hubconnect-failures.csv", failure_file.HEADER, failure_file.rows(chosen.qs)
    )


@require_GET
def failure_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a failure: what happened, what to do, what was sent, what waits."""
    failure = get_object_or_404(causes.failures().select_related("run", "closed_by"), pk=pk)
    path = story.path(failure)
    context = {
        "failure": failure,
        "flow": failure.flow,
        "origin": history.origin_of(failure),
        "path": path,
        "wanted": [step for step in path if step.fault],
        "is_preparable": any(step.is_preparable for step in path),
        "fix_url": causes.repair_url(failure),
        "guide": find_topic(f"{failure.flow.target_system.connector}-troubleshooting"),
        "parts": parts.offered(failure),
        "behind": retrying.behind(failure),
        "tries": retrying.tries(failure),
        "is_tried": retrying.is_tried(failure.flow),
        "can_edit": edits.can_edit(failure),
        "edit": edits.shown(failure),
        "acts": failure.acts.select_related("actor")[:20],
        "others": causes.others_like(failure) if failure.state == State.OPEN else 0,
        "max_attempts": failure.flow.pair.integration.max_attempts,
        "source_story": _story_url(failure, failure.record_id, is_source=True),
        "target_story": _story_url(failure, failure.target_id, is_source=False),
    }
    return render(request, "integrations/failure_detail.html", context)


def _story_url(failure: Failure, record_id: str, *, is_source: bool) -> str:
    """Return the address of the page that tells what happened to a record, or ""."""
    if not record_id or failure.level == Failure.Level.FLOW:
        return ""
    side = "left" if failure.flow.is_to_right == is_source else "right"
    url = reverse("integrations:record", args=[failure.flow.pair_id, side])
    return f"{url}?{urlencode({'id': record_id})}"


def _state(request: HttpRequest) -> Failure.State:
    asked = request.GET.get("state", "")
    return State(asked) if asked in State.values else State.OPEN


def _of_state(found: QuerySet[Failure], state: Failure.State) -> QuerySet[Failure]:
    of_state = found.filter(state=state)
    if state == State.HEALED:
        return of_state.filter(closed_at__gte=timezone.now() - HEALED_SHOWN)
    return of_state


def _tabs() -> list[tuple[Failure.State, str, int]]:
    labels = {State.OPEN: "Open", State.HEALED: "Healed, 7 days", State.DISMISSED: "Dismissed"}
    plain = Failure.objects.order_by()
    return [(one, labels[one], _counted(_of_state(plain, one))) for one in State]


def _counted(found: QuerySet[Failure]) -> int:
    return found.order_by()[: MOST_COUNTED + 1].count()


def _query(request: HttpRequest) -> str:
    """Return the filter as it stands in the address, without the place in the list."""
    query = request.GET.copy()
    for name in ("older", "newer", "skip"):
        query.pop(name, None)
    return query.urlencode()
