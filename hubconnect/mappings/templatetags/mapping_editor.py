"""Controls inside the editor's grid, which have no room for labels of their own."""

from django import template
from django.forms import BoundField, Select
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def cell(bound: BoundField, row: str, column: str) -> SafeString:
    """Draw a select in a row; what is left as it was at the start is grey."""
    choices = list(bound.field.widget.choices)
    is_default = not bound.value() or str(bound.value()) == str(choices[0][0])
    css = "select is-default" if is_default else "select"
    return bound.as_widget(attrs={"class": css, "aria-label": f"{row}: {column}"})


@register.simple_tag
def box(bound: BoundField, label: str = "", number: int | None = None) -> SafeString:
    """Draw a select or a text box; ``label`` and ``number`` name it where no label element does."""
    css = "select" if isinstance(bound.field.widget, Select) else "input"
    attrs: dict[str, str | bool] = {"class": css}
    if label:
        attrs["aria-label"] = f"{label}, pair {number}" if number else label
    return bound.as_widget(attrs=attrs)
