"""The HTML of the sandbox's own page: small pieces, each escaped by Markup.format."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

from markupsafe import Markup

from hubconnect.sandbox.catalog.kinds import Kind
from hubconnect.sandbox.schema import Property, Schema

_FOLDER = Path(__file__).parent / "templates"
PAGE = Template((_FOLDER / "page.html").read_text(encoding="utf-8"))
STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")

_EMPTY = Markup()
_LONGEST = 120


def navigation(kinds: Iterable[Kind], counts: Mapping[str, int], current: str) -> Markup:
    """Build the list of object types."""
    item = Markup(
        '<li><a href="/sandbox/records/{0}"{1}>{2} <span class="count">{3}</span></a></li>'
    )
    here = Markup(' aria-current="page"')
    return _EMPTY.join(
        item.format(
            kind.name,
            here if kind.name == current else "",
            kind.name.title(),
            counts.get(kind.name, 0),
        )
        for kind in kinds
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """Build a table in a card."""
    head = _EMPTY.join(Markup('<th scope="col">{}</th>').format(text) for text in heads)
    body = _EMPTY.join(
        Markup("<tr>{}</tr>").format(
            _EMPTY.join(Markup("<td>{}</td>").format(cell) for cell in row)
        )
        for row in rows
    )
    return Markup(
        '<div class="card flush"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(head, body)


def link(kind: Kind, record_id: int, text: str) -> Markup:
    """Build a link to a record."""
    return Markup('<a href="/sandbox/records/{}/{}">{}</a>').format(
        kind.name, record_id, text or f"{kind.singular.title()} {record_id}"
    )


def note(text: str, tone: str) -> Markup:
    """Build a message above the content; tone is ``good`` or ``bad``."""
    return Markup('<p class="note {}" role="status">{}</p>').format(tone, text) if text else _EMPTY


def definitions(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Build a list of names and what they stand for."""
    return Markup("<dl>{}</dl>").format(
        _EMPTY.join(Markup("<dt>{}</dt><dd>{}</dd>").format(*pair) for pair in pairs)
    )


def field(schema: Schema, one: Property, value: str, fault: str) -> Markup:
    """Build the input of one property with its label and what is wrong with it."""
    choices = _choices(schema, one)
    if choices and not one.is_multiple:
        control = _select(one.name, choices, value)
    elif one.field_type in {"textarea", "html"}:
        control = Markup('<textarea id="p-{0}" name="{0}">{1}</textarea>').format(one.name, value)
    else:
        kind = "date" if one.type == "date" else "text"
        control = Markup('<input id="p-{0}" name="{0}" type="{1}" value="{2}">').format(
            one.name, kind, value
        )
    told = Markup('<p class="fault">{}</p>').format(fault) if fault else _EMPTY
    shape = " wide" if one.field_type in {"textarea", "html"} else ""
    return Markup('<div class="{}{}"><label for="p-{}">{}</label>{}{}</div>').format(
        "wrong" if fault else "right", shape, one.name, one.definition["label"], control, told
    )


def shown(schema: Schema, name: str, value: str) -> str:
    """Write a stored value as a person reads it: the label of an option, a moment to the minute."""
    one = schema.properties[name]
    if one.type == "datetime":
        return moment(value)
    if one.field_type == "html":
        return plain(value, _LONGEST)
    return dict(_choices(schema, one)).get(value, value)


def plain(text: str, longest: int) -> str:
    """Return the text of rich text on one line, cut where it gets too long."""
    spaced = text.replace("<", " <")
    line = Markup(spaced).striptags()  # noqa: S704 - only the text of it is kept
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def moment(text: str) -> str:
    """Shorten a moment to the minute, in UTC."""
    return text[:16].replace("T", " ")


def _choices(schema: Schema, one: Property) -> list[tuple[str, str]]:
    if one.is_owner:
        return [(owner_id, owner.name) for owner_id, owner in schema.owners.items()]
    if one.name == schema.kind.pipeline_property:
        return list(schema.pipeline_labels.items())
    if one.name == schema.kind.stage_property:
        stages = [stage for stages in schema.pipelines.values() for stage in stages.values()]
        return [(stage.id, stage.label) for stage in stages]
    options = one.definition["options"]
    return [(option["value"], option["label"]) for option in options]


def _select(name: str, choices: Iterable[tuple[str, str]], value: str) -> Markup:
    option = Markup('<option value="{}"{}>{}</option>')
    chosen = Markup(" selected")
    options = _EMPTY.join(
        option.format(key, chosen if key == value else "", label)
        for key, label in [("", "(none)"), *choices]
    )
    return Markup('<select id="p-{0}" name="{0}">{1}</select>').format(name, options)


def record_form(
    schema: Schema, values: Mapping[str, str], faults: Mapping[str, str], button: str
) -> Markup:
    """Build the form of a record: the properties in use first, the others folded away."""
    writable = [
        one
        for one in schema.properties.values()
        if not (one.is_archived or one.is_read_only or one.is_calculated)
    ]
    first = {*schema.kind.default_properties, *schema.kind.required, *values, *faults}
    groups = [[], []]  # type: list[list[Markup]]
    for one in writable:
        shown = field(schema, one, values.get(one.name, ""), faults.get(one.name, ""))
        groups[one.name not in first].append(shown)
    return Markup(
        '<form method="post" class="card"><div class="fields">{}</div>'
        '<details><summary>All properties</summary><div class="fields">{}</div></details>'
        '<div class="actions"><button>{}</button></div></form>'
    ).format(_EMPTY.join(groups[0]), _EMPTY.join(groups[1]), button)
