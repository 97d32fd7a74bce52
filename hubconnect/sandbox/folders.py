"""The folders of the files API (page "Files")."""

from dataclasses import replace

from werkzeug.wrappers import Response

from hubconnect.sandbox.call import Call, answer, nothing
from hubconnect.sandbox.errors import Json, folder_not_found, refuse
from hubconnect.sandbox.file_store import Files, Folder
from hubconnect.sandbox.moments import to_text
from hubconnect.sandbox.objects import page_size
from hubconnect.sandbox.records import id_of
from hubconnect.sandbox.shapes import paging

MAX_PAGE = 100
_READ = ("files", "files.read")
_WRITE = ("files", "files.write")
_DELETE = ("files", "files.delete")


def post_folder(call: Call) -> Response:
    """Make a folder."""
    call.require_one(*_WRITE)
    files, body = Files(call.db, call.account), call.body()
    name = str(body.get("name") or "").strip("/")
    if not name or "/" in name:
        refuse("Invalid input JSON on line 1, column 2. Some required fields were not set: [name]")
    parent = _parent(files, body)
    return answer(shape_folder(files, files.create_folder(name, parent)), 201)


def get_folder(call: Call, folder: str) -> Response:
    """Tell what is known of a folder, by id or path."""
    call.require_one(*_READ)
    files = Files(call.db, call.account)
    return answer(shape_folder(files, _present(files, folder)))


def search_folders(call: Call) -> Response:
    """Search folders; the only way to list them."""
    call.require_one(*_READ)
    limit = page_size(call, 10, MAX_PAGE)
    after = id_of(call.request.args.get("after", "0")) or 0
    files = Files(call.db, call.account)
    found = files.folders(call.request.args.get("name", ""), after, limit + 1)
    members: Json = {"results": [shape_folder(files, one) for one in found[:limit]]}
    if len(found) > limit:
        members["paging"] = paging(call.link(), str(found[limit - 1].id))
    return answer(members)


def patch_folder(call: Call, folder: str) -> Response:
    """Rename or move a folder."""
    call.require_one(*_WRITE)
    files, body = Files(call.db, call.account), call.body()
    changed = replace(_present(files, folder), modified=call.account.clock.now())
    if body.get("name"):
        changed = replace(changed, name=str(body["name"]))
    if body.get("parentFolderId"):
        changed = replace(changed, parent_id=_by_id(files, body["parentFolderId"]).id)
    files.save_folder(changed)
    return answer(shape_folder(files, changed))


def delete_folder(call: Call, folder: str) -> Response:
    """Delete an empty folder."""
    call.require_one(*_DELETE)
    files = Files(call.db, call.account)
    files.delete_folder(_present(files, folder))
    return nothing()


def shape_folder(files: Files, folder: Folder) -> Json:
    """Build one folder."""
    return {
        "id": str(folder.id),
        "name": folder.name,
        "path": files.folder_path(folder.id),
        "parentFolderId": None if folder.parent_id is None else str(folder.parent_id),
        "createdAt": to_text(folder.created),
        "updatedAt": to_text(folder.modified),
        "archived": False,
    }


def _parent(files: Files, body: Json) -> Folder | None:
    if body.get("parentFolderId"):
        return _by_id(files, body["parentFolderId"])
    return files.make_folders(str(body.get("parentPath") or ""))


def _by_id(files: Files, given: object) -> Folder:
    folder = files.find_folder(id_of(str(given)) or 0)
    if folder is None:
        raise folder_not_found(given)
    return folder


def _present(files: Files, given: str) -> Folder:
    if id_of(given) is not None:
        return _by_id(files, given)
    try:
        folder = files.find_folder_at(given)
    except LookupError:
        folder = None
    if folder is None:
        raise folder_not_found(given)
    return folder
