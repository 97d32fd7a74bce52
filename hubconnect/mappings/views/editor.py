"""The editor of a mapping's rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from hubconnect.connectors.errors import ConnectorError
from hubconnect.core.models import Role
from hubconnect.core.permissions import ensure_role, signed_in
from hubconnect.engine.checks import Problem
from hubconnect.engine.mapping import FieldRule
from hubconnect.mappings.forms.naming import NameForm
from hubconnect.mappings.forms.rows import BaseRowFormSet, row_formset
from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import editing, rows, usage
from hubconnect.mappings.services.sides import Sides, load_sides
from hubconnect.mappings.views import sheet


@dataclass(frozen=True, slots=True)
class Editor:
    """Everything on the page: the name, the rows as forms and as rules, what is wrong."""

    mapping: Mapping
    sides: Sides
    name: NameForm
    formset: BaseRowFormSet
    rules: Sequence[FieldRule]
    problems: Sequence[Problem] = ()
    trouble: str = ""


@require_http_methods(["GET", "POST"])
def mapping_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the rows of a mapping; who may change them edits them here."""
    mapping = get_object_or_404(
        Mapping.objects.select_related("left_system", "right_system"), pk=pk
    )
    if request.method == "POST":
        ensure_role(request, Role.SYNC_ADMIN)
        reason = usage.lock_reason(mapping)
        if reason:
            messages.error(request, f"Not saved. {reason}")
            return redirect("mappings:edit", pk=pk)
    try:
        sides = _sides(request, mapping)
    except ConnectorError as error:
        return render(request, "mappings/away.html", {"mapping": mapping, "error": error})
    if request.method == "GET":
        return _page(request, _opened(mapping, sides))
    return _posted(request, mapping, sides)


def _sides(request: HttpRequest, mapping: Mapping) -> Sides:
    """Return both sides, read anew if that was asked; if they are away, as known until now."""
    if request.POST.get("act") == "refresh":
        try:
            sides = load_sides(mapping, is_fresh=True)
        except ConnectorError as error:
            messages.error(request, " ".join(filter(None, (error.message, error.hint))))
        else:
            messages.success(request, "The fields of both sides were read again.")
            return sides
    return load_sides(mapping)


def _opened(mapping: Mapping, sides: Sides) -> Editor:
    rules = rows.read_rules(mapping)
    problems = editing.check(rules, sides)
    formset = row_formset(sides, rules=rules)
    return Editor(mapping, sides, NameForm(mapping=mapping), formset, rules, problems)


def _posted(request: HttpRequest, mapping: Mapping, sides: Sides) -> HttpResponse:
    name = NameForm(request.POST, mapping=mapping)
    formset = row_formset(sides, data=request.POST)
    if not formset.is_valid():
        trouble = "The page sent rows that do not fit together. Reload it and try again."
        return _page(request, Editor(mapping, sides, name, formset, (), trouble=trouble))
    act = request.POST.get("act", "save")
    if act == "save":
        return _save(request, Editor(mapping, sides, name, formset, formset.rules()))
    return _pressed(request, act, Editor(mapping, sides, name, formset, formset.rules()))


def _save(request: HttpRequest, editor: Editor) -> HttpResponse:
    mapping, sides, name = editor.mapping, editor.sides, editor.name
    problems = editing.check(editor.rules, sides)
    if problems or not name.is_valid():
        found = Editor(mapping, sides, name, editor.formset, editor.rules, problems)
        return _page(request, found)
    try:
        saved = rows.save_rules(
            mapping,
            editor.rules,
            name=name.cleaned_data["name"],
            version=name.cleaned_data["version"],
        )
    except rows.ChangedMeanwhileError as error:
        mapping.refresh_from_db()
        typed = {"name": name.cleaned_data["name"], "version": mapping.version}
        again = NameForm(mapping=mapping, initial=typed)
        return _page(
            request,
            Editor(mapping, sides, again, editor.formset, editor.rules, trouble=str(error)),
        )
    except usage.InUseError as error:
        messages.error(request, f"Not saved. {error}")
    else:
        messages.success(request, f"{saved} was saved as version {saved.version}.")
    return redirect("mappings:edit", pk=mapping.pk)


def _pressed(request: HttpRequest, act: str, editor: Editor) -> HttpResponse:
    """Do what a button says and show the rows again, unsaved."""
    draft = editing.Sheet(list(editor.rules), editor.formset.open_rows())
    trouble = ""
    try:
        editing.press(act, draft, editor.sides, _chosen(request.POST))
    except editing.ActRefusedError as error:
        trouble = str(error)
    formset = row_formset(editor.sides, rules=draft.rules, open_rows=draft.open_rows)
    name = NameForm(mapping=editor.mapping, initial=_typed(request.POST))
    return _page(
        request,
        Editor(editor.mapping, editor.sides, name, formset, draft.rules, trouble=trouble),
        is_draft=True,
    )


def _chosen(data: QueryDict) -> tuple[str, str]:
    return data.get("new_left", ""), data.get("new_right", "")


def _typed(data: QueryDict) -> dict[str, str]:
    return {"name": data.get("name", ""), "version": data.get("version", "")}


def _page(request: HttpRequest, editor: Editor, *, is_draft: bool = False) -> HttpResponse:
    mapping, sides = editor.mapping, editor.sides
    lock = usage.lock_reason(mapping)
    suggested = editing.suggestions(editor.rules, sides)
    given = request.POST
    context = {
        "mapping": mapping,
        "sides": sides,
        "name": editor.name,
        "formset": editor.formset,
        "rows": sheet.show_rows(editor.formset, sides, editor.problems),
        "problems": sheet.show_problems(editor.formset, editor.problems),
        "trouble": editor.trouble,
        "is_draft": is_draft,
        "is_refused": request.method == "POST" and bool(editor.problems),
        "lock": lock,
        "may_edit": signed_in(request).may_change and not lock,
        "uses": usage.uses_of(mapping),
        "suggested": suggested,
        "suggested_words": sheet.say_suggestions(suggested, sides),
        "panes": [
            sheet.show_pane(side, at, editor.rules, suggested, given.get(f"find_{side}", ""))
            for side, at in (("left", sides.left), ("right", sides.right))
        ],
        "new_left": given.get("new_left", "") if given.get("act") != "add" else "",
        "new_right": given.get("new_right", "") if given.get("act") != "add" else "",
    }
    return render(request, "mappings/editor.html", context)
