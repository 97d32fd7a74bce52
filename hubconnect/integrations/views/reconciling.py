"""Comparing both sides of a pair: start, progress, findings, remedies, CSV."""

from collections.abc import Iterator

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hubconnect.core.csv_export import csv_response
from hubconnect.core.models import Role
from hubconnect.core.numbers import whole_number
from hubconnect.core.paging import page_by_key
from hubconnect.core.permissions import ensure_role, role_required
from hubconnect.core.wording import counted
from hubconnect.integrations.models import Pair, ReconcileFinding, Reconciliation
from hubconnect.integrations.services import reconcile_words, reconciling, remedying
from hubconnect.integrations.services.reconciling import ReconcileRefusedError

FINDINGS_A_PAGE = 50
SHOWN_BEFORE = 20
_SYSTEMS = (
    "pair__integration__left_system",
    "pair__integration__right_system",
    "pair__mapping__left_system",
    "pair__mapping__right_system",
    "asked_by",
)


@require_http_methods(["GET", "POST"])
def pair_reconcile(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the comparisons of a pair; start another one."""
    pair = get_object_or_404(
        Pair.objects.select_related("integration", "mapping__left_system", "mapping__right_system"),
        pk=pk,
    )
    if request.method == "POST":
        actor = ensure_role(request, Role.SYNC_ADMIN)
        try:
            row = reconciling.start(pair, actor)
        except ReconcileRefusedError as error:
            messages.error(request, str(error))
            return redirect("integrations:pair_reconcile", pk=pk)
        return redirect("integrations:reconciliation", pk=row.pk)
    rows = list(pair.reconciliations.select_related("asked_by")[:SHOWN_BEFORE])
    counts = _counts_by_row(rows)
    context = {
        "pair": pair,
        "integration": pair.integration,
        "rows": [(row, sum(counts.get(row.pk, {}).values())) for row in rows],
        "is_working": any(row.state == Reconciliation.State.WORKING for row in rows),
    }
    return render(request, "integrations/reconcile_pair.html", context)


def _counts_by_row(rows: list[Reconciliation]) -> dict[int, dict[str, int]]:
    found = ReconcileFinding.objects.filter(reconciliation__in=rows).order_by()
    counts: dict[int, dict[str, int]] = {}
    for one in found.values("reconciliation", "kind").annotate(count=Count("pk")):
        counts.setdefault(one["reconciliation"], {})[one["kind"]] = one["count"]
    return counts


@require_GET
def reconciliation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far a comparison is, and what it found."""
    row = _row(pk)
    kind, state = _choice(request)
    found = _findings(row, kind, state)
    page = page_by_key(found, request, FINDINGS_A_PAGE)
    words = reconcile_words.Words(row.pair)
    context = {
        **_progress(row),
        "kinds": [
            (value, words.kind(value), number)
            for value, number in _counts_by_row([row]).get(row.pk, {}).items()
        ],
        "kind": kind,
        "state": state,
        "states": ReconcileFinding.State.choices,
        "lines": [words.line(one) for one in page.items],
        "page": page,
        "remedies": [(one.value, words.remedy(one)) for one in _remedies(kind)],
        "total": found.count() if kind else 0,
    }
    return render(request, "integrations/reconciliation.html", context)


@require_GET
def reconcile_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far it is; once it is over, or findings came, the page is drawn anew."""
    row = _row(pk)
    response = render(request, "integrations/reconcile_progress.html", _progress(row))
    if not _is_moving(row):
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@role_required(Role.SYNC_ADMIN)
def reconcile_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a comparison, or have a stopped one go on."""
    row = _row(pk)
    if request.POST.get("action") == "cancel":
        reconciling.cancel(row)
        messages.success(request, "Cancelled. What was found until then stays.")
    elif request.POST.get("action") == "go_on":
        try:
            reconciling.go_on(row)
        except ReconcileRefusedError as error:
            messages.error(request, str(error))
    return redirect("integrations:reconciliation", pk=pk)


@require_POST
@role_required(Role.SYNC_ADMIN)
def reconcile_remedy(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a remedy for ticked findings, or for all of the kind that the page shows."""
    row = _row(pk)
    actor = ensure_role(request, Role.SYNC_ADMIN)
    remedy, _, key = request.POST.get("remedy", "").partition(":")
    kind, state = _choice(request)
    found = _findings(row, kind, state)
    if key:
        found = found.filter(pk=whole_number(key) or 0)
    elif "all" not in request.POST:
        picked = map(whole_number, request.POST.getlist("pick"))
        found = found.filter(pk__in=[one for one in picked if one is not None])
    if remedy not in ReconcileFinding.Remedy.values:
        messages.error(request, "Choose what to do.")
    else:
        number = remedying.ask(row, found, ReconcileFinding.Remedy(remedy), actor)
        if number:
            words = reconcile_words.Words(row.pair).remedy(ReconcileFinding.Remedy(remedy))
            text = f"{words}: asked for {counted(number, 'finding')}. Each is looked at anew first."
            messages.success(request, text)
        else:
            messages.warning(request, "No finding was chosen for which that can be done.")
    query = request.GET.urlencode()
    url = redirect("integrations:reconciliation", pk=pk).url
    return redirect(f"{url}?{query}" if query else url)


@require_GET
def reconcile_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Give the findings as a CSV file, as the page is filtered."""
    row = _row(pk)
    kind, state = _choice(request)
    words = reconcile_words.Words(row.pair)

    def rows() -> Iterator[tuple[object, ...]]:
        for one in _findings(row, kind, state).order_by("-pk").iterator(chunk_size=1000):
            line = words.line(one)
            fields = "; ".join(f"{f['label']}: {f['left']} / {f['right']}" for f in line.fields)
            yield (
                line.word, one.left_id, one.right_id, one.title, fields, line.reason,
                one.get_state_display(), one.note,
            )  # fmt: skip

    left, right = row.pair.mapping.left_system, row.pair.mapping.right_system
    header = ("Finding", str(left), str(right), "Title", "Fields", "Reason", "State", "Note")
    return csv_response(f"comparison-{row.pk}.csv", header, rows())


def _row(pk: int) -> Reconciliation:
    return get_object_or_404(Reconciliation.objects.select_related(*_SYSTEMS), pk=pk)


def _choice(request: HttpRequest) -> tuple[str, str]:
    kind, state = request.GET.get("kind", ""), request.GET.get("state", "")
    return (
        kind if kind in ReconcileFinding.Kind.values else "",
        state if state in ReconcileFinding.State.values else "",
    )


def _findings(row: Reconciliation, kind: str, state: str) -> QuerySet[ReconcileFinding]:
    found = ReconcileFinding.objects.filter(reconciliation=row)
    found = found.filter(kind=kind) if kind else found
    return found.filter(state=state) if state else found


def _remedies(kind: str) -> tuple[ReconcileFinding.Remedy, ...]:
    return remedying.REMEDIES.get(ReconcileFinding.Kind(kind), ()) if kind else ()


def _is_moving(row: Reconciliation) -> bool:
    return row.state == Reconciliation.State.WORKING or row.has_asked


def _progress(row: Reconciliation) -> dict[str, object]:
    return {
        "row": row,
        "pair": row.pair,
        "integration": row.pair.integration,
        "is_moving": _is_moving(row),
        "step": reconcile_words.Words(row.pair).step(row.step),
        "calls": row.calls.items(),
    }
