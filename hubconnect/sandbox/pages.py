"""The page on which a person looks at records and edits them like a HubSpot user."""

import json
import sqlite3
from collections.abc import Callable, Mapping

from markupsafe import Markup
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from hubconnect.sandbox import calculations, links, page_actions, pages_html as html, pages_record
from hubconnect.sandbox.account import Account
from hubconnect.sandbox.catalog.kinds import KINDS, Kind, find_kind
from hubconnect.sandbox.errors import ApiError
from hubconnect.sandbox.moments import to_text
from hubconnect.sandbox.oauth_apps import list_apps
from hubconnect.sandbox.pages_faults import switchboard
from hubconnect.sandbox.records import Record, Records, id_of
from hubconnect.sandbox.writing import create_record, update_record

PAGE_SIZE = 50
_POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_Answer = Callable[[Account, Request, list[str]], Response]
_SAVED = "Saved."


class Pages:
    """Answers what a browser asks below /sandbox."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._others: dict[str, _Answer] = {
            "style.css": _style,
            "files": page_actions.send_content,
            "faults": page_actions.switch,
        }

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        parts = [part for part in request.path.split("/") if part][1:]
        calculations.catch_up(self.account)
        if parts and parts[0] in self._others:
            return self._others[parts[0]](self.account, request, parts[1:])
        kind = find_kind(parts[1]) if parts[:1] == ["records"] and len(parts) > 1 else None
        if not parts:
            return self._overview()
        if kind is None:
            return Response("Not found.", 404)
        if request.method == "POST":
            return self._post(request, kind, parts[2:])
        if parts[2:]:
            saved = _SAVED if "saved" in request.args else ""
            return self._record(kind, parts[2], {}, {}, saved)
        return self._table(request, kind)

    def _page(self, title: str, content: Markup, current: str = "", status: int = 200) -> Response:
        with self.account.store.reading() as db:
            counts = dict(
                db.execute(
                    "SELECT kind, count(*) FROM record WHERE archived IS NULL GROUP BY kind"
                ).fetchall()
            )
        options = self.account.options
        text = html.PAGE.substitute(
            title=Markup.escape(title),
            portal_id=options.portal_id,
            user=Markup.escape(options.user_email),
            navigation=html.navigation(KINDS.values(), counts, current),
            content=content,
        )
        response = Response(text, status, content_type="text/html;charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    def _overview(self) -> Response:
        options = self.account.options
        low, high = self.account.index_delay_ms
        delay = f"{low / 1000:g} s" if low == high else f"{low / 1000:g} to {high / 1000:g} s"
        facts = html.definitions(
            [
                ("Account", options.portal_id),
                ("Application Id", options.app_id),
                ("User", options.user_email),
                ("Time zone", options.time_zone),
                ("Search sees changes after", delay),
                ("API calls since start", sum(self.account.calls.values())),
            ]
        )
        content = Markup(
            '<div class="head"><h1>Overview</h1></div><section class="card">{}</section>'
            '<p class="quiet">A stand-in for a HubSpot account. Choose an object type to look at'
            " its records; what you change here counts as an edit made in HubSpot.</p>{}"
        ).format(facts, switchboard(self.account.switches.list()))
        return self._page("Overview", content + self._apps())

    def _apps(self) -> Markup:
        """Show the public apps, as HubSpot does on the Auth tab of each."""
        with self.account.store.reading() as db:
            apps = list_apps(db)
        return Markup().join(
            Markup('<section class="card"><h2>Public app {}</h2>{}</section>').format(
                app.name,
                html.definitions(
                    [
                        ("Application Id", app.app_id),
                        ("Client ID", app.client_id),
                        ("Client Secret", app.client_secret),
                        ("Redirect URLs", ", ".join(app.redirect_uris)),
                    ]
                ),
            )
            for app in apps
        )

    def _table(self, request: Request, kind: Kind) -> Response:
        query = request.args.get("q", "").strip()
        page = max(id_of(request.args.get("page", "1")) or 1, 1)
        with self.account.store.reading() as db:
            records = Records(db, self.account, kind.name)
            ids, total = _search(db, kind, query, page)
            found = records.find_many(ids)
            names = list(kind.default_properties or kind.label_properties)
            heads = [records.schema.properties[name].definition["label"] for name in names]
            rows = [
                [
                    html.link(kind, one, str(one)),
                    *_cells(records, found[one], names),
                    html.moment(to_text(found[one].modified)),
                ]
                for one in ids
            ]
        content = Markup(
            '<div class="head"><h1>{}</h1><span class="quiet">{} records</span>'
            '<form class="search end" role="search"><input type="search" name="q" value="{}"'
            ' aria-label="Search"><button class="plain">Search</button>'
            '<a class="button" href="/sandbox/records/{}/new">New</a></form></div>{}{}'
        ).format(
            kind.name.title(),
            total,
            query,
            kind.name,
            html.table(["ID", *heads, "Modified"], rows),
            _pager(kind, query, page, total),
        )
        return self._page(kind.name.title(), content, kind.name)

    def _record(
        self,
        kind: Kind,
        given: str,
        typed: Mapping[str, str],
        faults: Mapping[str, str],
        message: str = "",
    ) -> Response:
        with self.account.store.reading() as db:
            records = Records(db, self.account, kind.name)
            record = None if given == "new" else records.find(id_of(given) or 0)
            if record is not None:
                title = pages_record.label(kind, record)
                content = _editor(records, record, typed, faults)
            else:
                title = f"New {kind.singular}"
                content = html.record_form(records.schema, typed, faults, "Create")
        if record is None and given != "new":
            return self._page("Not found", Markup("<h1>Not found</h1>"), kind.name, 404)
        return self._form(kind, title, message, faults, content)

    def _form(
        self, kind: Kind, title: str, message: str, faults: Mapping[str, str], form: Markup
    ) -> Response:
        told = message or ("Some values are not valid." if faults else "")
        is_refused = bool(told) and told != _SAVED
        content = Markup('<div class="head"><h1>{}</h1></div>{}{}').format(
            title, html.note(told, "bad" if is_refused else "good"), form
        )
        return self._page(title, content, kind.name, 400 if is_refused else 200)

    def _post(self, request: Request, kind: Kind, rest: list[str]) -> Response:
        typed = {name: value.replace("\r\n", "\n") for name, value in request.form.items()}
        user = self.account.user()
        try:
            with self.account.store.writing() as db:
                records = Records(db, self.account, kind.name)
                if rest == ["new"]:
                    filled = {name: value for name, value in typed.items() if value}
                    record = create_record(records, filled, user)
                    return redirect(f"/sandbox/records/{kind.name}/{record.id}?saved=1", 303)
                found = records.find(id_of(rest[0]) or 0) if rest else None
                if found is None:
                    return Response("Not found.", 404)
                if rest[1:] == ["archive"]:
                    links.archive(self.account, db, records, [found.id])
                    return redirect(f"/sandbox/records/{kind.name}", 303)
                if rest[1:]:
                    where = page_actions.act(self.account, request, db, (kind, found), rest[1])
                    return redirect(f"/sandbox/records/{where}?saved=1", 303)
                before = found.properties(records.schema)
                changed = {
                    name: value for name, value in typed.items() if value != before.get(name, "")
                }
                update_record(records, found, changed, user)
        except ApiError as error:
            return self._record(kind, rest[0], typed, _faults(error), _message(error))
        return redirect(f"/sandbox/records/{kind.name}/{rest[0]}?saved=1", 303)


def _style(_account: Account, _request: Request, _rest: list[str]) -> Response:
    return Response(html.STYLE, content_type="text/css;charset=utf-8")


def _search(db: sqlite3.Connection, kind: Kind, query: str, page: int) -> tuple[list[int], int]:
    """Return one page of ids, newest first, and the number of matches; sees every change."""
    where, parameters = "kind = ? AND archived IS NULL", [kind.name]
    if query:
        where += " AND properties LIKE ? ESCAPE '\\'"
        escaped = json.dumps(query)[1:-1].replace("\\", "\\\\")
        escaped = escaped.replace("%", "\\%").replace("_", "\\_")
        parameters.append(f"%{escaped}%")
    total = db.execute(f"SELECT count(*) FROM record WHERE {where}", parameters)  # noqa: S608
    rows = db.execute(
        f"SELECT id FROM record WHERE {where} ORDER BY id DESC LIMIT ? OFFSET ?",  # noqa: S608
        [*parameters, PAGE_SIZE, (page - 1) * PAGE_SIZE],
    )
    return [row[0] for row in rows], total.fetchone()[0]


def _cells(records: Records, record: Record, names: list[str]) -> list[object]:
    """Build the cells of a record; the first leads to it."""
    values = record.stored
    cells = [html.shown(records.schema, name, values.get(name, "")) for name in names]
    return [html.link(records.kind, record.id, cells[0]), *cells[1:]]


def _pager(kind: Kind, query: str, page: int, total: int) -> Markup:
    last = max((total + PAGE_SIZE - 1) // PAGE_SIZE, 1)
    anchor = Markup('<a href="/sandbox/records/{}?q={}&amp;page={}">{}</a>')
    before = anchor.format(kind.name, query, page - 1, "Previous") if page > 1 else ""
    after = anchor.format(kind.name, query, page + 1, "Next") if page < last else ""
    return Markup(
        '<div class="pages"><span>{}</span><span>Page {} of {}</span><span>{}</span></div>'
    ).format(before, page, last, after)


def _editor(
    records: Records, record: Record, typed: Mapping[str, str], faults: Mapping[str, str]
) -> Markup:
    values = {**record.properties(records.schema), **typed}
    delete = Markup(
        '<form method="post" action="/sandbox/records/{}/{}/archive">'
        '<button class="danger">Delete this {}</button></form>'
    ).format(records.kind.name, record.id, records.kind.singular)
    is_activity = records.kind.name in links.ACTIVITIES
    return Markup('<div class="columns"><div>{}{}{}{}</div><div>{}</div></div>').format(
        pages_record.body(records, record) if is_activity else "",
        html.record_form(records.schema, values, faults, "Save"),
        "" if is_activity else pages_record.notes(records, record),
        delete,
        pages_record.side(records, record),
    )


def _faults(error: ApiError) -> dict[str, str]:
    return {
        one["context"]["propertyName"][0]: one["message"]
        for one in error.body.get("errors", [])
        if "propertyName" in one.get("context", {})
    }


def _message(error: ApiError) -> str:
    return "" if _faults(error) else str(error)
