"""Template tags of the pages; every template has them without loading.

What belongs together on the screen is one tag, so that pages hold no markup that could differ:
icons, states, times, numbers, charts, form fields, error summaries, navigation.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django import template
from django.forms import (
    BaseForm,
    BoundField,
    CheckboxInput,
    CheckboxSelectMultiple,
    RadioSelect,
    Select,
    Textarea,
)
from django.forms.formsets import BaseFormSet
from django.template import Context
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hubconnect.core import charts, wording
from hubconnect.core.helping import find_topic
from hubconnect.core.models import Role, User

register = template.Library()

STATES: Final = {
    "ok": ("is-ok", "s-ok"),
    "warn": ("is-warn", "s-warn"),
    "bad": ("is-bad", "s-bad"),
    "run": ("is-run", "s-run"),
    "idle": ("is-idle", "s-idle"),
    "wait": ("is-idle", "s-wait"),
}
MESSAGE_STATES: Final = {"success": "ok", "info": "run", "warning": "warn", "error": "bad"}

register.filter("number", wording.count)


# --- Shapes and words --------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Draw a symbol of icons.svg; it is decoration, a word stands beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {css}" if css else "",
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def state(kind: str, word: object) -> SafeString:
    """Say a state: its shape, its word, its colour. Kinds: ok, warn, bad, run, idle, wait."""
    css, symbol = STATES[kind]
    return format_html(
        '<span class="state {}">{}{}</span>',
        css,
        icon(symbol, "turn" if kind == "run" else ""),
        word,
    )


@register.simple_tag
def chip(kind: str, word: object) -> SafeString:
    """Say a state inside running text, framed."""
    css, symbol = STATES[kind]
    return format_html('<span class="chip {}">{}{}</span>', css, icon(symbol), word)


@register.filter
def state_css(kind: str) -> str:
    """Give the class that colours a row or a notice by its state."""
    return STATES[kind][0]


@register.filter
def state_icon(kind: str) -> str:
    """Give the name of a state's symbol."""
    return STATES[kind][1]


@register.filter
def message_state(level: str) -> str:
    """Give the state that a message's level stands for."""
    return MESSAGE_STATES.get(level, "run")


# --- Numbers and times -------------------------------------------------------------------------


@register.filter
def span(length: timedelta | float | None) -> str:
    """Write how long something took, in words."""
    return wording.span(length)


@register.filter
def counted(number: int, nouns: str) -> str:
    """Write a number with its noun: ``{{ n|counted:"run" }}``; ``"entry,entries"`` names both."""
    return wording.counted(number, *nouns.split(","))


@register.simple_tag
def ago(moment: datetime | None, nothing: str = wording.NOTHING) -> SafeString | str:
    """Write a moment seen from now; the exact time in the reader's zone shows on hover."""
    return _time(moment, wording.relative(moment)) if moment else nothing


@register.simple_tag
def exact(moment: datetime | None, nothing: str = wording.NOTHING) -> SafeString | str:
    """Write a moment to the second in the reader's zone."""
    return _time(moment, wording.exact(moment)) if moment else nothing


@register.simple_tag
def clock(moment: datetime) -> SafeString:
    """Write the time of day of a moment, to the second; the date shows on hover."""
    return _time(moment, f"{timezone.localtime(moment):%H:%M:%S}")


def _time(moment: datetime, words: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        wording.exact(moment),
        words,
    )


# --- Charts ------------------------------------------------------------------------------------


@register.inclusion_tag("partials/spark.html")
def spark(
    numbers: Sequence[float], title: str, failed: Sequence[float] = (), css: str = "spark"
) -> dict[str, Any]:
    """Draw numbers as a row of small bars."""
    bars = charts.spark_bars(numbers, failed)
    return {"bars": bars, "title": title, "css": css, "width": max(len(bars) * 4 - 1, 1)}


@register.inclusion_tag("partials/plot.html")
def plot(figure: charts.Plot, plot_id: str) -> dict[str, Any]:
    """Draw stacked bars with a table of the same numbers; ``plot_id`` is unique on the page."""
    return {"plot": figure, "plot_id": plot_id}


# --- Forms -------------------------------------------------------------------------------------


@register.inclusion_tag("partials/field.html")
def field(bound: BoundField, help_text: str = "", note: str = "") -> dict[str, Any]:
    """Draw a form's field: label, control, errors, and beside it the help.

    A field whose form sets ``mark_optional = False`` on it is not marked optional (stored secrets).
    One with a ``help_topic`` leads to that guide; the form's ``help_query`` chooses the account.
    """
    spoken = str(help_text or bound.help_text)
    described = [f"{bound.auto_id}-help"] if spoken else []
    described += [f"{bound.auto_id}-error"] if bound.errors else []
    described += [f"{bound.auto_id}-note"] if note else []
    widget = bound.field.widget
    many = isinstance(widget, (RadioSelect, CheckboxSelectMultiple))
    single_check = isinstance(widget, CheckboxInput)
    attrs: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors and not many:
        attrs["aria-invalid"] = "true"
    if not (many or single_check):
        attrs["class"] = f"{_control_css(widget)} {widget.attrs.get('class', '')}".strip()
    optional = not bound.field.required and getattr(bound.field, "mark_optional", True)
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attrs) if not many else "",
        "help": help_text or bound.help_text,
        "guide": find_topic(getattr(bound.field, "help_topic", "")),
        "guide_query": getattr(bound.form, "help_query", ""),
        "note": note,
        "many": many,
        "single_check": single_check,
        "optional": optional and not single_check,
        "described": " ".join(described),
    }


def _control_css(widget: object) -> str:
    if isinstance(widget, Select):
        return "select"
    return "textarea" if isinstance(widget, Textarea) else "input"


class Problem(NamedTuple):
    """One line of the error summary."""

    target: str
    label: str
    message: str


@register.inclusion_tag("partials/error_summary.html")
def error_summary(*forms: BaseForm | BaseFormSet[Any] | None) -> dict[str, Any]:
    """List on top of a page what keeps its forms from being saved, each linked to its field."""
    problems = [problem for form in forms if form for problem in _problems(form)]
    return {"problems": problems, "fields": len({p.target for p in problems if p.target})}


def _problems(form: BaseForm | BaseFormSet[Any]) -> Iterator[Problem]:
    if isinstance(form, BaseForm):
        yield from _form_problems(form)
        return
    for message in form.non_form_errors():
        yield Problem("", "", str(message))
    for each in form.forms:
        yield from _form_problems(each)


def _form_problems(form: BaseForm) -> Iterator[Problem]:
    for message in form.non_field_errors():
        yield Problem("", "", str(message))
    for bound in form:
        for message in bound.errors:
            yield Problem(bound.id_for_label or bound.auto_id, str(bound.label), str(message))


# --- The frame ---------------------------------------------------------------------------------


class Place(NamedTuple):
    """One entry of the navigation."""

    name: str
    label: str
    symbol: str
    role: Role = Role.MONITOR


PLACES: Final[Sequence[Place]] = (
    Place("integrations:overview", "Overview", "overview"),
    Place("systems:list", "Systems", "systems"),
    Place("mappings:list", "Mappings", "mappings"),
    Place("integrations:list", "Integrations", "integrations"),
    Place("integrations:run_list", "Sync history", "history"),
    Place("integrations:failure_list", "Failures", "failures"),
    Place("integrations:records", "Records", "records"),
)
MORE_PLACES: Final[Sequence[Place]] = (
    Place("integrations:notification_list", "Notifications", "bell"),
    Place("core:audit_list", "Audit", "audit"),
    Place("core:user_list", "Users", "t-user", Role.ADMIN),
    Place("help:index", "Help", "help"),
)


class Entry(NamedTuple):
    """A place as it is shown to one reader."""

    place: Place
    url: str
    current: bool


@register.inclusion_tag("partials/navigation.html", takes_context=True)
def navigation(context: Context) -> dict[str, Any]:
    """Draw the entries that this reader may open; the longest address that fits is the current."""
    request = context["request"]
    urls = {place: _url(place) for place in (*PLACES, *MORE_PLACES)}
    fitting = [u for u in urls.values() if u and (request.path == u or _is_below(request.path, u))]
    current = max(fitting, key=len, default="")
    return {
        "places": list(_entries(PLACES, urls, request.user, current)),
        "more": list(_entries(MORE_PLACES, urls, request.user, current)),
        "open_failures": context.get("open_failures", 0),
    }


def _entries(
    places: Iterable[Place], urls: dict[Place, str], user: User, current: str
) -> Iterator[Entry]:
    for place in places:
        if urls[place] and user.has_role(place.role):
            yield Entry(place, urls[place], urls[place] == current)


def _url(place: Place) -> str:
    try:
        return reverse(place.name)
    except NoReverseMatch:
        return ""


def _is_below(path: str, url: str) -> bool:
    return url != "/" and path.startswith(url)


@register.simple_tag
def crumbs(*parts: str) -> SafeString | str:
    """Draw the way here: pairs of a word and its address, the last word alone.

    ``{% url "systems:list" as systems %}{% crumbs "Systems" systems "Add" %}``
    """
    items = SafeString("")
    for place in range(0, len(parts), 2):
        word, url = parts[place], parts[place + 1] if place + 1 < len(parts) else ""
        items += (
            format_html('<li><a href="{}">{}</a></li>', url, word)
            if url
            else format_html("<li>{}</li>", word)
        )
    return format_html('<ol class="crumbs" aria-label="You are here">{}</ol>', items)
