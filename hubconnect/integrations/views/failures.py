"""What waits for a person: the list of failures, the page of one, retry and dismiss."""

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hubconnect.core.helping import find_topic
from hubconnect.core.models import Role
from hubconnect.core.numbers import whole_number
from hubconnect.core.paging import page_by_key
from hubconnect.core.permissions import ensure_role, role_required
from hubconnect.core.wording import counted
from hubconnect.integrations.filters import FailureFilter
from hubconnect.integrations.models import Failure
from hubconnect.integrations.services import causes, failures, history, parts, story
from hubconnect.integrations.services.nudging import Nudge

FAILURES_A_PAGE = 50
MOST_AT_ONCE = 1000


@require_GET
def failure_list(request: HttpRequest) -> HttpResponse:
    """List failures of one state; open ones grouped by cause unless asked otherwise."""
    states = {
        row["state"]: row["count"]
        for row in Failure.objects.order_by().values("state").annotate(count=Count("pk"))
    }
    state = request.GET.get("state", Failure.State.OPEN)
    if state not in Failure.State.values:
        state = Failure.State.OPEN
    chosen = FailureFilter(request.GET, queryset=causes.failures().filter(state=state))
    is_grouped = state == Failure.State.OPEN and request.GET.get("group") != "none"
    context = {
        "filter": chosen,
        "state": state,
        "tabs": [(one, one.label, states.get(one, 0)) for one in Failure.State],
        "is_grouped": is_grouped,
        "is_narrowed": any(request.GET.get(name) for name in chosen.filters),
        "open_count": states.get(Failure.State.OPEN, 0),
    }
    if is_grouped:
        context["causes"] = causes.group(chosen.qs)
    else:
        context["page"] = page_by_key(chosen.qs, request, FAILURES_A_PAGE, "last_at")
    return render(request, "integrations/failure_list.html", context)


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
        "waiting": story.waiting(failure),
        "others": causes.others_like(failure),
        "max_attempts": failure.flow.pair.integration.max_attempts,
    }
    return render(request, "integrations/failure_detail.html", context)


@require_POST
@role_required(Role.SYNC_ADMIN)
def failure_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try one failure again."""
    failure = get_object_or_404(causes.failures(), pk=pk)
    nudge = failures.retry(failure, ensure_role(request, Role.SYNC_ADMIN))
    _say_retried(request, nudge, 1)
    return redirect("integrations:failure_detail", pk=pk)


@require_POST
@role_required(Role.SYNC_ADMIN)
def failure_part(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Do what a part of the page asks, which knows the failure's category."""
    failure = get_object_or_404(causes.failures(), pk=pk)
    try:
        acted = parts.act(failure, name, request.POST.dict(), ensure_role(request, Role.SYNC_ADMIN))
    except parts.PartRefusedError as error:
        messages.error(request, str(error))
    else:
        _say(request, acted.nudge, acted.words)
    return redirect("integrations:failure_detail", pk=pk)


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def failure_dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what will not be sent; let the failure go once that is confirmed."""
    failure = get_object_or_404(causes.failures(), pk=pk)
    if request.method == "POST":
        failures.dismiss(failure, ensure_role(request, Role.SYNC_ADMIN))
        messages.success(request, "Dismissed. The next edit of the record is synced again.")
        return redirect("integrations:failure_list")
    context = {"failure": failure, "flow": failure.flow, "path": story.path(failure)}
    return render(request, "integrations/failure_dismiss.html", context)


@require_POST
@role_required(Role.SYNC_ADMIN)
def failure_retry_many(request: HttpRequest) -> HttpResponse:
    """Try the ticked failures again, or all of one cause."""
    found = Failure.objects.filter(state=Failure.State.OPEN)
    cause = whole_number(request.POST.get("like", ""))
    if cause is not None:
        like = get_object_or_404(causes.failures(), pk=cause)
        found = causes.alike(found, like)
    else:
        picked = map(whole_number, request.POST.getlist("pick"))
        found = found.filter(pk__in=[pk for pk in picked if pk is not None])
    chosen = list(found.order_by("pk")[:MOST_AT_ONCE])
    if not chosen:
        messages.warning(request, "No open failure was chosen.")
    else:
        nudge = failures.retry_all(chosen, ensure_role(request, Role.SYNC_ADMIN))
        _say_retried(request, nudge, len(chosen))
    return redirect("integrations:failure_list")


def _say_retried(request: HttpRequest, nudge: Nudge, count: int) -> None:
    _say(request, nudge, f"{counted(count, 'failure')} will be tried again with the next run.")


def _say(request: HttpRequest, nudge: Nudge | None, words: str) -> None:
    if nudge is not None and nudge.is_lost:
        messages.warning(request, f"{words} The broker does not answer: the beat begins it.")
    else:
        messages.success(request, words)
