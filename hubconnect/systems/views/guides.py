"""The Help section: guides, with the addresses of the reader's own account in them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from hubconnect.core.helping import find_topic, topic_groups
from hubconnect.systems.services.consent import redirect_uri
from hubconnect.systems.services.places import systems_with_places

# Object types whose scopes carry their own name in HubSpot; the guide words the others.
PLAIN_SCOPES = ("deals", "contacts", "companies", "orders")


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the guides."""
    return render(request, "help/index.html", _context(request))


@require_GET
def guide(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one guide."""
    topic = find_topic(slug)
    if topic is None:
        msg = f"There is no guide called {slug!r}."
        raise Http404(msg)
    return render(request, topic.template, {**_context(request), "topic": topic})


def _context(request: HttpRequest) -> dict[str, object]:
    """Return what every page of Help has; ``at`` holds the chosen account's addresses."""
    offered = systems_with_places()
    wanted = request.GET.get("system", "")
    chosen = next((one for one in offered if str(one[0].pk) == wanted), None)
    if chosen is None and len(offered) == 1:
        chosen = offered[0]
    return {
        "groups": topic_groups(),
        "offered": [system for system, _ in offered],
        "system": chosen[0] if chosen else None,
        "at": chosen[1] if chosen else {},
        "query": f"?system={chosen[0].pk}" if chosen and len(offered) > 1 else "",
        "redirect_uri": redirect_uri(),
        "object_types": PLAIN_SCOPES,
    }
