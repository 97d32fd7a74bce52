"""The list of mappings, and what one does to a whole mapping: add, clone, delete."""

from typing import NamedTuple

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hubconnect.core.models import Role
from hubconnect.core.permissions import role_required
from hubconnect.mappings.forms.creation import MappingForm
from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import saving
from hubconnect.mappings.services.usage import InUseError, Use, uses_of
from hubconnect.systems.models import System

read_and_write = require_http_methods(["GET", "POST"])

# One can map a system to another object type of itself, yet most need two systems.
FEWEST_SYSTEMS = 1


class Line(NamedTuple):
    """One row of the list."""

    mapping: Mapping
    row_count: int
    uses: list[Use]


@require_GET
def mapping_list(request: HttpRequest) -> HttpResponse:
    """List the mappings, found by name."""
    query = request.GET.get("q", "").replace("\0", "").strip()
    mappings = Mapping.objects.select_related("left_system", "right_system").defer(
        "left_system__secrets", "right_system__secrets"
    )
    if query:
        mappings = mappings.filter(
            Q(name__icontains=query)
            | Q(left_type__icontains=query)
            | Q(right_type__icontains=query)
        )
    counted = mappings.annotate(row_count=Count("rows"))
    lines = [Line(one, one.row_count, uses_of(one)) for one in counted]
    has_systems = System.objects.count() >= FEWEST_SYSTEMS
    context = {"lines": lines, "query": query, "has_systems": has_systems}
    return render(request, "mappings/list.html", context)


@read_and_write
@role_required(Role.SYNC_ADMIN)
def mapping_add(request: HttpRequest) -> HttpResponse:
    """Choose both sides of a new mapping; its rows follow on the next page."""
    is_shown_again = request.method == "GET" or request.POST.get("action") == "show"
    if is_shown_again:
        given = request.POST if request.method == "POST" else request.GET
        form = MappingForm(initial=given.dict())
    else:
        form = MappingForm(request.POST)
        left, right = form.chosen("left"), form.chosen("right")
        if form.is_valid() and left is not None and right is not None:
            mapping = saving.create_mapping(
                name=form.cleaned_data["name"],
                left=(left.system, left.type.name),
                right=(right.system, right.type.name),
            )
            messages.success(request, f"{mapping} was created. Now say which field is which.")
            return redirect("mappings:edit", pk=mapping.pk)
    has_systems = System.objects.count() >= FEWEST_SYSTEMS
    return render(request, "mappings/add.html", {"form": form, "has_systems": has_systems})


@require_POST
@role_required(Role.SYNC_ADMIN)
def mapping_clone(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a copy and open it."""
    copy = saving.clone_mapping(get_object_or_404(Mapping, pk=pk))
    messages.success(request, f"This is {copy}.")
    return redirect("mappings:edit", pk=copy.pk)


@read_and_write
@role_required(Role.SYNC_ADMIN)
def mapping_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then delete a mapping that no integration uses."""
    mapping = get_object_or_404(Mapping, pk=pk)
    if request.method == "POST":
        try:
            saving.delete_mapping(mapping)
        except InUseError as error:
            messages.error(request, str(error))
            return redirect("mappings:edit", pk=pk)
        messages.success(request, f"{mapping.name} was deleted.")
        return redirect("mappings:list")
    context = {"mapping": mapping, "uses": uses_of(mapping), "row_count": mapping.rows.count()}
    return render(request, "mappings/delete.html", context)
