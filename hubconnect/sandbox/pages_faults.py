"""The switchboard on the page for people: choose how the API shall fail next."""

from collections.abc import Iterable

from markupsafe import Markup

from hubconnect.sandbox.fault_names import NAMED
from hubconnect.sandbox.switches import Fault

_EMPTY = Markup()


def switchboard(on: Iterable[Fault]) -> Markup:
    """Build the form that switches a fault on, and the list of those that are."""
    options = _EMPTY.join(
        Markup('<option value="{}">{}</option>').format(name, one.label)
        for name, one in NAMED.items()
    )
    items = _EMPTY.join(
        Markup('<li>{} <span class="quiet">{}{}</span></li>').format(
            NAMED[one.name].label if one.name else f"Answer {one.status or 'disturbed'}",
            f"{one.times} more calls" if one.times else "until switched off",
            f", below {one.path}" if one.path else "",
        )
        for one in on
    )
    off = Markup(
        '<form method="post" action="/sandbox/faults/off">'
        '<button class="danger">Switch all off</button></form>'
    )
    return Markup(
        '<section class="card"><h2>Let the API fail</h2>'
        '<form method="post" action="/sandbox/faults" class="fields">'
        '<div><label for="fault">How</label><select id="fault" name="name">{}</select></div>'
        '<div><label for="times">Calls (0: until switched off)</label>'
        '<input id="times" name="times" type="number" min="0" value="1"></div>'
        '<div><label for="path">Only below this path</label>'
        '<input id="path" name="path" placeholder="/crm"></div>'
        '<div class="bottom"><button>Switch on</button></div></form>'
        '<ul class="list on">{}</ul>{}</section>'
    ).format(
        options,
        items or Markup('<li class="quiet">Nothing is switched on.</li>'),
        off if items else "",
    )
