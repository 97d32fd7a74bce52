"""What the buttons of the page for people do beyond saving a form."""

import sqlite3

from werkzeug.utils import redirect, send_file
from werkzeug.wrappers import Request, Response

from hubconnect.sandbox import user_actions
from hubconnect.sandbox.account import Account
from hubconnect.sandbox.catalog.kinds import Kind
from hubconnect.sandbox.errors import refuse
from hubconnect.sandbox.fault_names import NAMED
from hubconnect.sandbox.file_store import Files
from hubconnect.sandbox.records import Record, id_of


def act(
    account: Account,
    request: Request,
    db: sqlite3.Connection,
    shown: tuple[Kind, Record],
    action: str,
) -> str:
    """Do what a button of a record's page says; returns the record to show then.

    Raises:
        ApiError: it cannot be done.
    """
    kind, record = shown
    form, one = request.form, user_actions.End(kind, record.id)
    to_kind, to_id = form.get("to_kind", ""), form.get("to_id", "").strip()
    if action == "notes":
        _write_note(account, request, db, one)
    elif action == "merge":
        survivor = user_actions.merge(account, db, one, form.get("other", "").strip())
        return f"{kind.name}/{survivor.id}"
    elif action == "associate":
        other = user_actions.find_end(account, db, to_kind, to_id)
        user_actions.associate(account, db, one, other)
    elif action == "dissociate":
        other = user_actions.find_end(account, db, to_kind, to_id)
        user_actions.dissociate(account, db, one, other)
    else:
        refuse(f"There is no action {action}.")
    return f"{kind.name}/{record.id}"


def _write_note(
    account: Account, request: Request, db: sqlite3.Connection, one: user_actions.End
) -> None:
    upload = request.files.get("file")
    attached = ""
    if upload is not None and upload.filename:
        file = user_actions.add_file(account, db, upload.stream, upload.filename)
        attached = str(file.id)
    body = request.form.get("body", "").strip()
    if not body:
        refuse("A note needs a text.")
    user_actions.add_note(account, db, body, [one], hs_attachment_ids=attached)


def send_content(account: Account, request: Request, rest: list[str]) -> Response:
    """Send a file to the person; always as a download, for it may hold anything."""
    with account.store.reading() as db:
        file = Files(db, account).find(id_of(rest[0]) or 0) if rest else None
    if file is None:
        return Response("Not found.", 404)
    response = send_file(
        account.contents.path(file.md5),
        request.environ,
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=file.full_name,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def switch(account: Account, request: Request, rest: list[str]) -> Response:
    """Switch a fault on by its name, or all of them off."""
    form = request.form
    if request.method != "POST":
        return Response("Not found.", 404)
    if rest == ["off"]:
        account.switches.clear()
    elif form.get("name") in NAMED and id_of(form.get("times", "")) is not None:
        path = form.get("path", "").strip()
        account.switches.add({"name": form["name"], "times": int(form["times"]), "path": path})
    else:
        return Response("Not a fault of this sandbox.", 400)
    return redirect("/sandbox/", 303)
