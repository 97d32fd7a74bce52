"""What stands around the form of a record: its notes with their files, its links, its changes."""

from collections.abc import Iterable

import nh3
from markupsafe import Markup

from hubconnect.sandbox import links, pages_html as html
from hubconnect.sandbox.catalog.associations import AssociationType
from hubconnect.sandbox.catalog.kinds import KINDS, Kind
from hubconnect.sandbox.file_store import File, Files
from hubconnect.sandbox.moments import to_text
from hubconnect.sandbox.records import Record, Records, id_of

_HISTORY_SHOWN = 12
_LINKS_SHOWN = 20
_NOTES_SHOWN = 30
_LONGEST_LABEL = 60
_BODIES = (
    "hs_note_body",
    "hs_email_html",
    "hs_call_body",
    "hs_meeting_body",
    "hs_task_body",
)
_NONE = Markup('<li class="quiet">None.</li>')
_EMPTY = Markup()


def label(kind: Kind, record: Record) -> str:
    """Return how a person would call a record."""
    words = [record.stored[name] for name in kind.label_properties if name in record.stored]
    text = html.plain(" ".join(words), _LONGEST_LABEL)
    return text or f"{kind.singular.title()} {record.id}"


def side(records: Records, record: Record) -> Markup:
    """Build what stands beside the form: system properties, associations, latest changes."""
    system = html.definitions(
        [
            ("Record ID", record.id),
            ("Created", html.moment(to_text(record.created))),
            ("Modified", html.moment(to_text(record.modified))),
            ("Source", record.stored.get("hs_object_source", "")),
            *_merged(record),
        ]
    )
    return Markup(
        '<section class="card">{}</section>'
        '<section class="card"><h2>Associations</h2>{}</section>'
        '<section class="card"><h2>Latest changes</h2><ul class="list">{}</ul></section>{}'
    ).format(
        system,
        _associations(records, record),
        _changes(records, record),
        _more_actions(records.kind, record),
    )


def notes(records: Records, record: Record) -> Markup:
    """Build the notes of a record, newest first, and the form for a new one."""
    kind = KINDS["notes"]
    found = links.targets(records.db, records.kind, record.id, kind, 0, _NOTES_SHOWN)
    texts = Records(records.db, records.account, kind.name)
    written = sorted(texts.find_many(found).values(), key=lambda note: note.created, reverse=True)
    told = _EMPTY.join(_note(texts, one, (records.kind.name, record.id)) for one in written)
    return Markup(
        '<section class="card"><h2>Notes</h2>'
        '<form method="post" enctype="multipart/form-data"'
        ' action="/sandbox/records/{0}/{1}/notes" class="compose">'
        '<label for="note-body">New note</label>'
        '<textarea id="note-body" name="body" required></textarea>'
        '<div class="bar-of-form"><label class="file" for="note-file">File'
        '<input id="note-file" type="file" name="file"></label>'
        "<button>Add note</button></div></form>{2}</section>"
    ).format(
        records.kind.name,
        record.id,
        told or Markup('<p class="quiet">No notes yet.</p>'),
    )


def body(records: Records, record: Record) -> Markup:
    """Build the card that shows an activity as it reads, with its files."""
    kind = records.kind
    texts = [name for name in _BODIES if name in record.stored]
    if not texts:
        return _EMPTY
    return Markup(
        '<section class="card"><header class="written"><strong>{}</strong>'
        ' <span class="quiet">{}</span></header><div class="rich">{}</div>{}</section>'
    ).format(
        author(records, record),
        f"{kind.singular}, {html.moment(to_text(record.created))}",
        _clean(record.stored[texts[0]]),
        _files(records, record),
    )


def _clean(text: str) -> Markup:
    """Keep the harmless tags of other people's HTML, and nothing else."""
    return Markup(nh3.clean(text))  # noqa: S704 - just cleaned


def _note(notes_of: Records, note: Record, shown_on: tuple[str, int]) -> Markup:
    """Build one note: who, when, what, with which files, and where else it is shown."""
    also = _EMPTY.join(
        Markup('<span class="chip">{}</span>').format(anchor)
        for end, anchor in _linked(notes_of, note)
        if end != shown_on
    )
    return Markup(
        '<article class="activity"><header><strong>{}</strong> '
        '<span class="quiet">{}</span><a class="end" href="/sandbox/records/notes/{}">Open</a>'
        '</header><div class="rich">{}</div>{}{}</article>'
    ).format(
        author(notes_of, note),
        html.moment(to_text(note.created)),
        note.id,
        _clean(note.stored.get("hs_note_body", "")),
        _files(notes_of, note),
        Markup('<p class="quiet chips">Also on {}</p>').format(also) if also else "",
    )


def author(records: Records, record: Record) -> str:
    """Return who wrote a record: a person by name, or an app by its number."""
    user = record.stored.get("hs_created_by_user_id")
    if user is None:
        return f"App {record.stored.get('hs_object_source_id', '')}"
    names = [one.name for one in records.schema.owners.values() if str(one.user_id) == user]
    return names[0] if names else f"User {user}"


def _attachments(records: Records, record: Record) -> list[tuple[str, File | None]]:
    files = Files(records.db, records.account)
    given = record.stored.get("hs_attachment_ids", "")
    return [(one, files.find(id_of(one) or 0)) for one in given.split(";") if one]


def _files(records: Records, record: Record) -> Markup:
    item = Markup('<li><a href="/sandbox/files/{}">{}</a> <span class="quiet">{}, {}</span></li>')
    gone = Markup('<li class="quiet">File {} does not exist.</li>')
    items = [
        gone.format(given)
        if file is None
        else item.format(file.id, file.full_name, _size(file.size), file.access)
        for given, file in _attachments(records, record)
    ]
    if not items:
        return _EMPTY
    return Markup('<ul class="list files">{}</ul>').format(_EMPTY.join(items))


def _size(size: int) -> str:
    for unit, factor in (("MB", 1024**2), ("kB", 1024)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def _linked(records: Records, record: Record) -> Iterable[tuple[tuple[str, int], Markup]]:
    """Yield what a record is linked with: the end, and a link to its page."""
    for target in list(KINDS.values()):
        found = links.targets(records.db, records.kind, record.id, target, 0, _LINKS_SHOWN)
        others = Records(records.db, records.account, target.name).find_many(found)
        for one, other in others.items():
            yield (target.name, one), html.link(target, one, label(target, other))


def _associations(records: Records, record: Record) -> Markup:
    rows = []
    for (to_kind, to_id), anchor in _linked(records, record):
        types = links.targets(
            records.db, records.kind, record.id, KINDS[to_kind], to_id - 1, 1
        ).get(to_id, [])
        rows.append(_association(records.kind, record, (to_kind, to_id), anchor, types))
    options = _EMPTY.join(
        Markup('<option value="{}">{}</option>').format(kind.name, kind.singular.title())
        for kind in KINDS.values()
        if links.has_default_type(records.db, records.kind, kind)
    )
    return Markup(
        '<ul class="list linked">{}</ul>'
        '<form method="post" action="/sandbox/records/{}/{}/associate" class="inline-form">'
        '<label for="to-kind">Object type</label><select id="to-kind" name="to_kind">{}</select>'
        '<label for="to-id">Record ID</label>'
        '<input id="to-id" name="to_id" inputmode="numeric" required>'
        '<button class="plain">Associate</button></form>'
    ).format(_EMPTY.join(rows) or _NONE, records.kind.name, record.id, options)


def _association(
    kind: Kind,
    record: Record,
    end: tuple[str, int],
    anchor: Markup,
    types: Iterable[AssociationType],
) -> Markup:
    labels = ", ".join(one.label for one in types if one.label)
    return Markup(
        '<li><span>{0} <span class="quiet">{1}{2}</span></span>'
        '<form method="post" action="/sandbox/records/{3}/{4}/dissociate">'
        '<input type="hidden" name="to_kind" value="{5}">'
        '<input type="hidden" name="to_id" value="{6}">'
        '<button class="link" aria-label="Remove the association with {7}">Remove</button>'
        "</form></li>"
    ).format(
        anchor,
        KINDS[end[0]].singular,
        f", {labels}" if labels else "",
        kind.name,
        record.id,
        *end,
        anchor.striptags(),
    )


def _changes(records: Records, record: Record) -> Markup:
    rows = records.db.execute(
        "SELECT property, value, source_type, at FROM history WHERE kind = ? AND id = ?"
        " ORDER BY at DESC, rowid DESC LIMIT ?",
        (records.kind.name, record.id, _HISTORY_SHOWN),
    )
    item = Markup('<li>{} → {} <span class="quiet">{}, {}</span></li>')
    schema = records.schema
    changes = [
        item.format(
            schema.properties[name].definition["label"],
            html.shown(schema, name, value) or "(empty)",
            source,
            html.moment(to_text(at)),
        )
        for name, value, source, at in rows
        if name in schema.properties
    ]
    return _EMPTY.join(changes) or Markup('<li class="quiet">None since it was created.</li>')


def _merged(record: Record) -> list[tuple[str, object]]:
    before = record.stored.get("hs_merged_object_ids", "")
    return [("Merged from", before.replace(";", ", "))] if before else []


def _more_actions(kind: Kind, record: Record) -> Markup:
    if kind.name in links.ACTIVITIES:
        return _EMPTY
    return Markup(
        '<section class="card"><h2>Merge</h2>'
        '<form method="post" action="/sandbox/records/{}/{}/merge" class="inline-form">'
        '<label for="other">ID of the {} to merge into this one</label>'
        '<input id="other" name="other" inputmode="numeric" required>'
        '<button class="plain">Merge</button></form></section>'
    ).format(kind.name, record.id, kind.singular)
