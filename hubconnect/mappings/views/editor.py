"""The editor of a mapping's rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from hubconnect.connectors.errors import ConnectorError
from hubconnect.core.models import Role
from hubconnect.core.permissions import ensure_role, signed_in
from hubconnect.engine.checks import Problem
from hubconnect.engine.mapping import Direction, FieldRule
from hubconnect.mappings.forms.naming import NameForm
from hubconnect.mappings.forms.rows import BaseRowFormSet, row_formset
from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import editing, repairs, rows, usage
from hubconnect.mappings.services.repairs import Repair, Repairer, RepairFailedError
from hubconnect.mappings.services.sides import Sides, load_sides
from hubconnect.mappings.views import sheet
from hubconnect.systems.services import requirements


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
    repair: Repair | None = None
    prepared: Sequence[str] = ()


@require_http_methods(["GET", "POST"])
def mapping_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the rows of a mapping; who may change them edits them here.

    ``?fix=`` names a refusal: what would mend it is prepared in the rows, and saved by a button
    that also has the refused records tried again.
    """
    mapping = get_object_or_404(
        Mapping.objects.select_related("left_system", "right_system"), pk=pk
    )
    found = repairs.find(mapping, request.POST.get("fix") or request.GET.get("fix", ""))
    if request.method == "POST":
        ensure_role(request, Role.SYNC_ADMIN)
        reason = _refusal(request, mapping, found)
        if reason:
            messages.error(request, f"Not saved. {reason}")
            return redirect("mappings:edit", pk=pk)
    try:
        sides = _sides(request, mapping)
    except ConnectorError as error:
        return render(request, "mappings/away.html", {"mapping": mapping, "error": error})
    if request.method == "GET":
        return _page(request, _opened(mapping, sides, found[1] if found else None))
    return _posted(request, mapping, sides, found)


def _refusal(request: HttpRequest, mapping: Mapping, found: tuple[Repairer, Repair] | None) -> str:
    """Return why a button may not be pressed: what is in use is only changed by a repair."""
    act = request.POST.get("act", "save")
    if act == "repair" and found is None:
        return "What was to be mended is not open any more. Look at the failures."
    return "" if found is not None and act != "save" else usage.lock_reason(mapping)


def _sides(request: HttpRequest, mapping: Mapping) -> Sides:
    """Return both sides, read anew if that was asked; if they are away, as known until now."""
    act, _, rest = request.POST.get("act", "").partition(":")
    if act == "forget":
        _forget(mapping, *rest.partition(":")[::2])
    if request.POST.get("act") == "refresh":
        try:
            sides = load_sides(mapping, is_fresh=True)
        except ConnectorError as error:
            messages.error(request, " ".join(filter(None, (error.message, error.hint))))
        else:
            messages.success(request, "The fields of both sides were read again.")
            return sides
    return load_sides(mapping)


def _forget(mapping: Mapping, way: str, name: str) -> None:
    """Believe a person that a side no longer demands a field."""
    to_right = way == Direction.TO_RIGHT
    system = mapping.right_system if to_right else mapping.left_system
    requirements.forget(system, mapping.right_type if to_right else mapping.left_type, name)


def _opened(mapping: Mapping, sides: Sides, repair: Repair | None) -> Editor:
    sheet, prepared = editing.Sheet(rows.read_rules(mapping)), list[str]()
    if repair is not None:
        sheet, prepared = repairs.prepare(repair, sheet.rules, sides)
    rules = sheet.rules
    return Editor(
        mapping,
        sides,
        NameForm(mapping=mapping),
        row_formset(sides, rules=rules, open_rows=sheet.open_rows),
        rules,
        editing.check(rules, sides),
        repair=repair,
        prepared=prepared,
    )


def _posted(
    request: HttpRequest,
    mapping: Mapping,
    sides: Sides,
    found: tuple[Repairer, Repair] | None,
) -> HttpResponse:
    name = NameForm(request.POST, mapping=mapping)
    formset = row_formset(sides, data=request.POST)
    repair = found[1] if found else None
    if not formset.is_valid():
        trouble = "The page sent rows that do not fit together. Reload it and try again."
        broken = Editor(mapping, sides, name, formset, (), trouble=trouble, repair=repair)
        return _page(request, broken)
    act = request.POST.get("act", "save")
    editor = Editor(mapping, sides, name, formset, formset.rules(), repair=repair)
    if act == "save":
        return _save(request, editor)
    if act == "repair" and found is not None:
        return _save(request, editor, found[0])
    return _pressed(request, act, editor)


def _save(request: HttpRequest, editor: Editor, repairer: Repairer | None = None) -> HttpResponse:
    """Save the rows; with a repairer also all that goes with a repair."""
    mapping, name = editor.mapping, editor.name
    problems = editing.check(editor.rules, editor.sides)
    if problems or not name.is_valid():
        return _page(request, replace(editor, problems=problems))
    save = partial(
        rows.save_rules,
        mapping,
        editor.rules,
        name=name.cleaned_data["name"],
        version=name.cleaned_data["version"],
    )
    try:
        return _repair(request, editor, repairer, save) if repairer else _keep(request, save)
    except rows.ChangedMeanwhileError as error:
        mapping.refresh_from_db()
        typed = {"name": name.cleaned_data["name"], "version": mapping.version}
        again = NameForm(mapping=mapping, initial=typed)
        return _page(request, replace(editor, name=again, trouble=str(error)))
    except RepairFailedError as error:
        return _page(request, replace(editor, trouble=str(error)))
    except usage.InUseError as error:
        messages.error(request, f"Not saved. {error}")
    return redirect("mappings:edit", pk=mapping.pk)


def _keep(request: HttpRequest, save: Callable[[], Mapping]) -> HttpResponse:
    saved = save()
    messages.success(request, f"{saved} was saved as version {saved.version}.")
    return redirect("mappings:edit", pk=saved.pk)


def _repair(
    request: HttpRequest, editor: Editor, repairer: Repairer, save: Callable[[], Mapping]
) -> HttpResponse:
    assert editor.repair is not None  # noqa: S101  for the type checker
    by = ensure_role(request, Role.SYNC_ADMIN)
    done = repairer.carry_out(editor.mapping, editor.repair.key, save, by)
    say = messages.success if done.is_complete else messages.warning
    say(request, done.message)
    return redirect(done.url)


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
    shown = replace(editor, name=name, formset=formset, rules=draft.rules, trouble=trouble)
    return _page(request, shown, is_draft=True)


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
        "repair": editor.repair,
        "prepared": editor.prepared,
        "may_save": not lock,
        "may_edit": signed_in(request).may_change and (not lock or editor.repair is not None),
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
