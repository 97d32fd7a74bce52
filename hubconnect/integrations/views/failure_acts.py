"""What people do about failures: retry, dismiss, edit what is sent; one, those ticked, or all."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hubconnect.core.models import Role
from hubconnect.core.numbers import whole_number
from hubconnect.core.permissions import ensure_role, role_required
from hubconnect.core.wording import counted
from hubconnect.integrations.filters import FailureFilter
from hubconnect.integrations.forms.sent_values import SentValuesForm
from hubconnect.integrations.models import Failure, FailureAct
from hubconnect.integrations.services import acts, causes, edits, failures, parts, retrying, story
from hubconnect.integrations.services.nudging import Nudge

Kind = FailureAct.Kind
_DONE = {Kind.RETRY: "will be tried again with the next run", Kind.DISMISS: "dismissed"}
SAMPLES = 10


@require_POST
@role_required(Role.SYNC_ADMIN)
def failure_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try one failure again."""
    failure = get_object_or_404(causes.failures(), pk=pk)
    actor = ensure_role(request, Role.SYNC_ADMIN)
    if failure.state != Failure.State.OPEN:
        _say_closed(request, failure)
        return redirect("integrations:failure_detail", pk=pk)
    nudge = failures.retry(failure, actor)
    acts.note(Kind.RETRY, failure, actor)
    if retrying.is_tried(failure.flow):
        _say(request, nudge, f"1 failure {_DONE[Kind.RETRY]}.")
    else:
        text = f"{failure.flow} is not at work: it is tried once that flow is switched on again."
        messages.warning(request, text)
    return redirect("integrations:failure_detail", pk=pk)


@require_POST
@role_required(Role.SYNC_ADMIN)
def failure_part(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Do what a part of the page asks, which knows the failure's category."""
    failure = get_object_or_404(causes.failures(), pk=pk)
    actor = ensure_role(request, Role.SYNC_ADMIN)
    try:
        acted = parts.act(failure, name, request.POST.dict(), actor)
    except parts.PartRefusedError as error:
        messages.error(request, str(error))
    else:
        acts.note(Kind.RULE, failure, actor, acted.words)
        _say(request, acted.nudge, acted.words)
    return redirect("integrations:failure_detail", pk=pk)


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def failure_dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what will not be sent; let the failure go once that is confirmed."""
    failure = get_object_or_404(causes.failures(), pk=pk)
    if request.method == "POST":
        actor = ensure_role(request, Role.SYNC_ADMIN)
        if failure.state == Failure.State.OPEN:
            failures.dismiss(failure, actor)
            acts.note(Kind.DISMISS, failure, actor)
            messages.success(request, "Dismissed. The next edit of the record is synced again.")
        else:
            _say_closed(request, failure)
        return redirect("integrations:failure_list")
    context = {
        "failure": failure,
        "flow": failure.flow,
        "path": story.path(failure),
        "behind": retrying.behind(failure),
    }
    return render(request, "integrations/failure_dismiss.html", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def failure_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit what is sent to the target in place of the mapped values; then try again."""
    failure = get_object_or_404(causes.failures(), pk=pk)
    if not edits.can_edit(failure):
        messages.error(request, "Nothing of this failure can be edited.")
        return redirect("integrations:failure_detail", pk=pk)
    draft = edits.draft(failure)
    form = SentValuesForm(draft, request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor = ensure_role(request, Role.SYNC_ADMIN)
        try:
            edited = edits.save(failure, draft, form.values, form.cleaned_data["seen"], actor)
        except edits.EditRefusedError as error:
            form.add_error(None, str(error))
        else:
            acts.note(Kind.EDIT, failure, actor, edited.words)
            _say(request, edited.nudge, "It is sent as edited with the next run.")
            return redirect("integrations:failure_detail", pk=pk)
    context = {"failure": failure, "flow": failure.flow, "form": form, "draft": draft}
    return render(request, "integrations/failure_edit.html", context)


@require_POST
@role_required(Role.SYNC_ADMIN)
def failure_act(request: HttpRequest) -> HttpResponse:
    """Retry or dismiss the ticked failures, all of a cause, or all that fit the filter."""
    actor = ensure_role(request, Role.SYNC_ADMIN)
    kind = _kind(request)
    filter_ = FailureFilter(_chosen(request), queryset=causes.open_failures())
    chosen, picked = filter_.chosen, _picked(request)
    is_all = bool(_cause(request)) or request.POST.get("scope") == "all"
    if kind is None or not (is_all or picked) or not filter_.is_valid():
        messages.warning(request, "No open failure was chosen.")
        return redirect("integrations:failure_list")
    if kind == Kind.DISMISS and request.POST.get("sure") != "yes":
        found = filter_.qs if is_all else causes.open_failures().filter(pk__in=picked)
        context = {
            "count": found.order_by().count(),
            "samples": [(one, failures.unsent(one)) for one in found.order_by("-pk")[:SAMPLES]],
            "posted": [(name, value) for name, value in _again(request)],
        }
        return render(request, "integrations/failure_dismiss_many.html", context)
    act = acts.all_that_fit(kind, chosen, actor) if is_all else acts.pick(kind, picked, actor)
    if act.state == FailureAct.State.WORKING:
        return redirect("integrations:failure_act_progress", pk=act.pk)
    if act.done:
        messages.success(request, f"{counted(act.done, 'failure')} {_DONE[kind]}.")
    else:
        messages.warning(request, "No open failure was chosen.")
    return redirect("integrations:failure_list")


@require_GET
def failure_act_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far an act on many failures is."""
    act = get_object_or_404(FailureAct.objects.select_related("actor", "failure"), pk=pk)
    context = {"act": act, "is_moving": act.state == FailureAct.State.WORKING}
    return render(request, "integrations/failure_act.html", context)


@require_POST
@role_required(Role.SYNC_ADMIN)
def failure_act_stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop an act on many failures."""
    act = get_object_or_404(FailureAct, pk=pk)
    if acts.stop(act):
        messages.success(request, "Stopped. What was done until then stays done.")
    return redirect("integrations:failure_act_progress", pk=pk)


def _kind(request: HttpRequest) -> FailureAct.Kind | None:
    asked = request.POST.get("act", "").partition(" ")[0] or Kind.RETRY.value
    return Kind(asked) if asked in _DONE else None


def _picked(request: HttpRequest) -> list[int]:
    numbers = map(whole_number, request.POST.getlist("pick"))
    return list(dict.fromkeys(number for number in numbers if number is not None))


def _chosen(request: HttpRequest) -> dict[str, str]:
    """Return the filter that was posted; a cause's own button names the cause beside it."""
    posted = {name: request.POST.get(name, "") for name in FailureFilter.base_filters}
    return posted | ({"cause": cause} if (cause := _cause(request)) else {})


def _cause(request: HttpRequest) -> str:
    return request.POST.get("act", "").partition(" ")[2]


def _again(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what was posted, to be posted once more with the confirmation."""
    return [
        (name, value)
        for name in (*FailureFilter.base_filters, "pick", "scope", "act")
        for value in request.POST.getlist(name)
    ]


def _say_closed(request: HttpRequest, failure: Failure) -> None:
    state = failure.get_state_display().lower()
    messages.info(request, f"This failure is {state} already; nothing was done.")


def _say(request: HttpRequest, nudge: Nudge | None, words: str) -> None:
    if nudge is not None and nudge.is_lost:
        messages.warning(request, f"{words} The broker does not answer: the beat begins it.")
    else:
        messages.success(request, words)
