"""What a flow would do next, before activation and at any time; nothing is written."""

import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from hubconnect.connectors.errors import ConnectorError
from hubconnect.integrations.models import Flow
from hubconnect.integrations.services import previewing
from hubconnect.integrations.services.plan_lines import KINDS
from hubconnect.integrations.services.previewing import Place


@require_GET
def flow_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the next page of a flow as a plan; ``at`` goes on, ``kind`` picks an outcome."""
    flow = get_object_or_404(
        Flow.objects.select_related(
            "pair__integration__left_system",
            "pair__integration__right_system",
            "pair__mapping__left_system",
            "pair__mapping__right_system",
            "pair__type_pair",
        ),
        pk=pk,
    )
    at, kind = request.GET.get("at", ""), request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    context = {
        "flow": flow,
        "integration": flow.pair.integration,
        "siblings": _siblings(flow),
        "at": at,
        "kind": kind,
    }
    began = time.monotonic()
    try:
        seen = previewing.preview(flow, Place.read(at))
    except ConnectorError as error:
        context["error"] = error
    else:
        context |= {
            "preview": seen,
            "kinds": [(one, word, seen.counts.get(one, 0)) for one, word in KINDS.items()],
            "listed": {one.kind for one in seen.lines},
            "lines": [one for one in seen.lines if not kind or one.kind == kind],
            "later": seen.later.as_text() if seen.later is not None else "",
            "took_s": time.monotonic() - began,
        }
    return render(request, "integrations/preview.html", context)


def _siblings(flow: Flow) -> list[Flow]:
    """Return both directions of the pair, if they are switched on."""
    found = Flow.objects.filter(pair=flow.pair_id, is_enabled=True).order_by("-direction")
    return list(found.select_related("pair__mapping__left_system", "pair__mapping__right_system"))
