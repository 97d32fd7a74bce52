"""The page of a mapping's associations, comments and files."""

from typing import Any

from django.contrib import messages
from django.forms import BooleanField
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from hubconnect.connectors.children import AssociationType
from hubconnect.connectors.errors import ConnectorError
from hubconnect.core.models import Role
from hubconnect.core.numbers import whole_number
from hubconnect.core.permissions import ensure_role, signed_in
from hubconnect.mappings.forms.carried import (
    AssociationFormSet,
    BaseAssociationFormSet,
    CarriedForm,
    initial_of,
    lonely_side,
)
from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import carrying, usage
from hubconnect.mappings.services.rows import ChangedMeanwhileError
from hubconnect.mappings.services.sides import Sides, load_sides
from hubconnect.systems.models import System
from hubconnect.systems.services import schema

PREFIX = "links"
Types = tuple[dict[str, AssociationType], dict[str, AssociationType]]


@require_http_methods(["GET", "POST"])
def mapping_carried(request: HttpRequest, pk: int) -> HttpResponse:
    """Show and change what a mapping carries beside fields."""
    mapping = get_object_or_404(
        Mapping.objects.select_related("left_system", "right_system"), pk=pk
    )
    if request.method == "POST":
        ensure_role(request, Role.SYNC_ADMIN)
        reason = usage.lock_reason(mapping)
        if reason:
            messages.error(request, f"Not saved. {reason}")
            return redirect("mappings:carried", pk=pk)
    try:
        sides = load_sides(mapping)
        types = (
            _types(mapping.left_system, mapping.left_type),
            _types(mapping.right_system, mapping.right_type),
        )
    except ConnectorError as error:
        return render(request, "mappings/away.html", {"mapping": mapping, "error": error})
    if request.method == "POST":
        return _posted(request, mapping, sides, types)
    form = CarriedForm(instance=mapping, sides=sides)
    rows = initial_of(list(mapping.associations.all()))
    return _page(request, mapping, form, _formset(sides, types, rows))


def _types(system: System, object_type: str) -> dict[str, AssociationType]:
    """Return the links that can be carried: none within a type, which would be a hierarchy."""
    found = schema.association_types(system, object_type)
    return {one.name: one for one in found if one.to_type != object_type}


def _formset(
    sides: Sides, types: Types, rows: list[dict[str, Any]], data: QueryDict | None = None
) -> BaseAssociationFormSet:
    return AssociationFormSet(
        data,
        prefix=PREFIX,
        initial=None if data is not None else rows,
        form_kwargs={"sides": sides, "types": types},
    )


def _posted(request: HttpRequest, mapping: Mapping, sides: Sides, types: Types) -> HttpResponse:
    act = request.POST.get("act", "save")
    formset = _formset(sides, types, [], request.POST)
    if act != "save":
        rows = _pressed(act, [_typed(form) for form in formset.forms])
        shown = CarriedForm(instance=mapping, sides=sides, initial=_given(request.POST))
        return _page(request, mapping, shown, _formset(sides, types, rows), is_draft=True)
    form = CarriedForm(request.POST, instance=mapping, sides=sides)
    if not (form.is_valid() and formset.is_valid()):
        return _page(request, mapping, form, formset)
    try:
        saved = carrying.save_carried(
            form.save(commit=False), formset.rows(mapping), version=form.cleaned_data["version"]
        )
    except (ChangedMeanwhileError, usage.InUseError) as error:
        messages.error(request, f"Not saved. {error}")
    else:
        messages.success(request, f"{saved} was saved as version {saved.version}.")
    return redirect("mappings:carried", pk=mapping.pk)


def _pressed(act: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows after a button: one more, or one less."""
    name, _, at = act.partition(":")
    if name == "add":
        return [*rows, {"direction": "both", "carries_removal": True}]
    if name == "remove":
        gone = whole_number(at)
        return [row for place, row in enumerate(rows) if place != gone]
    return rows


def _typed(form: Any) -> dict[str, Any]:  # noqa: ANN401 - any of a form set
    return {name: form[name].value() for name in form.fields}


def _given(data: QueryDict) -> dict[str, Any]:
    """Return what was typed. A box that is not ticked is not sent, nor is what is hidden."""
    boxes = {
        name: name in data
        for name, field in CarriedForm.base_fields.items()
        if isinstance(field, BooleanField)
    }
    names = (*CarriedForm.Meta.fields, "version")
    return boxes | {name: data[name] for name in names if name in data and name not in boxes}


def _page(
    request: HttpRequest,
    mapping: Mapping,
    form: CarriedForm,
    formset: BaseAssociationFormSet,
    *,
    is_draft: bool = False,
) -> HttpResponse:
    lock = usage.lock_reason(mapping)
    rows = list(mapping.associations.all())
    sides = form.sides
    lonely = (
        lonely_side(sides.left, rows, is_left=True),
        lonely_side(sides.right, rows, is_left=False),
    )
    context = {
        "mapping": mapping,
        "sides": sides,
        "form": form,
        "formset": formset,
        "lock": lock,
        "may_edit": signed_in(request).may_change and not lock,
        "is_draft": is_draft,
        "lonely": [sentence for sentence in lonely if sentence],
        "can_link": all(formset.form_kwargs["types"]),
    }
    return render(request, "mappings/carried.html", context)
