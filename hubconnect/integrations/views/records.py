"""Records: find one by its id or address, see its story, have it synced now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from hubconnect.core.models import Role
from hubconnect.core.paging import page_by_key
from hubconnect.core.permissions import ensure_role, role_required
from hubconnect.integrations.models import Pair, RecordEvent
from hubconnect.integrations.services import finding_records, record_story as stories, syncing_now
from hubconnect.integrations.services.finding_records import LEFT, RIGHT, Place
from hubconnect.integrations.services.record_kept import events_of, kept_about
from hubconnect.integrations.services.syncing_now import NotSyncedError

EVENTS_A_PAGE = 30
PARTS = (("", "All"), ("changes", "Changes"), ("children", "Comments and files"))


@require_GET
def record_search(request: HttpRequest) -> HttpResponse:
    """Find what a person typed; one hit leads to its story at once."""
    typed = request.GET.get("q", "").strip()
    context: dict[str, object] = {"typed": typed}
    if typed:
        found = finding_records.find(typed, everywhere="everywhere" in request.GET)
        if len(found.places) == 1:
            return redirect(_address(found.places[0], q=typed))
        context |= {
            "found": found,
            "choices": [(one, _address(one, q=typed)) for one in found.places],
        }
    return render(request, "integrations/records.html", context)


@require_GET
def record_story(request: HttpRequest, pair: int, side: str) -> HttpResponse:
    """Tell the story of one record, asked of both systems just now."""
    place = _place(request, pair, side)
    story = stories.tell(place)
    part = request.GET.get("part", "")
    since = _since(request)
    page = page_by_key(events_of(story, part), request, EVENTS_A_PAGE)
    context = {
        "story": story,
        "ends": (story.mine, story.theirs),
        "place": place,
        "typed": request.GET.get("q", "") or place.record_id,
        "kept": kept_about(story),
        "page": page,
        "days": list(_days(page.items)),
        "part": part,
        "parts": PARTS,
        "since": since,
        "asked": syncing_now.progress(place, since) if since else None,
        "can_sync": syncing_now.can_sync(place),
        "sync_url": reverse("integrations:record_sync", args=[pair, side]),
        "address": _address(place),
        "progress_url": _progress_url(place, since) if since else "",
    }
    return render(request, "integrations/record_story.html", context)


@require_POST
@role_required(Role.SYNC_ADMIN)
def record_sync(request: HttpRequest, pair: int, side: str) -> HttpResponse:
    """Have the record read afresh now; its story then shows how that goes."""
    place = _place(request, pair, side)
    since = timezone.now()
    try:
        nudge = syncing_now.sync_now(place, ensure_role(request, Role.SYNC_ADMIN))
    except NotSyncedError as error:
        messages.error(request, str(error))
        return redirect(_address(place))
    if nudge.is_lost:
        messages.warning(request, "The broker does not answer, so it begins with the next tick.")
    return redirect(_address(place, since=since.isoformat()))


@require_GET
def record_progress(request: HttpRequest, pair: int, side: str) -> HttpResponse:
    """Show how a wish to sync now goes; once it is over, the page is drawn anew."""
    place, since = _place(request, pair, side), _since(request)
    if since is None:
        msg = "This page needs the moment since which to look."
        raise Http404(msg)
    asked = syncing_now.progress(place, since)
    context = {"asked": asked, "progress_url": _progress_url(place, since)}
    response = render(request, "integrations/record_now.html", context)
    if asked.is_over:
        response.headers["HX-Redirect"] = _address(place, since=since.isoformat())
    return response


def _place(request: HttpRequest, pair_id: int, side: str) -> Place:
    """Return the record that the address names.

    Raises:
        Http404: there is no such pair or side, or no id is given.
    """
    # A body names it when a button was pressed, the address otherwise.
    record_id = (request.POST.get("id") or request.GET.get("id", "")).strip()[:255]
    pair = (
        Pair.objects.select_related(
            "integration", "mapping__left_system", "mapping__right_system", "type_pair"
        )
        .filter(pk=pair_id)
        .first()
    )
    if pair is None or side not in (LEFT, RIGHT) or not record_id or "\x00" in record_id:
        msg = "There is no such pair, or the address names no record."
        raise Http404(msg)
    return Place(pair, side, record_id)


def _address(place: Place, **more: str) -> str:
    url = reverse("integrations:record", args=[place.pair.pk, place.side])
    return f"{url}?{urlencode({'id': place.record_id, **more})}"


def _progress_url(place: Place, since: datetime) -> str:
    url = reverse("integrations:record_progress", args=[place.pair.pk, place.side])
    return f"{url}?{urlencode({'id': place.record_id, 'since': since.isoformat()})}"


def _since(request: HttpRequest) -> datetime | None:
    try:
        moment = parse_datetime(request.GET.get("since", ""))
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


@dataclass(frozen=True, slots=True)
class Day:
    """Events of one day in the reader's zone."""

    day: date
    events: list[RecordEvent]


def _days(events: Sequence[RecordEvent]) -> Iterator[Day]:
    current: Day | None = None
    for event in events:
        day = timezone.localtime(event.at).date()
        if current is None or current.day != day:
            if current is not None:
                yield current
            current = Day(day, [])
        current.events.append(event)
    if current is not None:
        yield current
