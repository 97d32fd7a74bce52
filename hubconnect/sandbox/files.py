"""The files API (page "Files"): upload, read, search, change, delete, signed addresses."""

import json
import re
from datetime import timedelta
from typing import Any

from werkzeug.datastructures import FileStorage
from werkzeug.utils import send_file
from werkzeug.wrappers import Response

from hubconnect.sandbox.call import Call, answer, nothing
from hubconnect.sandbox.errors import ApiError, Json, file_not_found, folder_not_found, refuse
from hubconnect.sandbox.file_content import Content, too_large, type_of
from hubconnect.sandbox.file_search import read_conditions
from hubconnect.sandbox.file_shapes import mime_type, shape_file, signed_address
from hubconnect.sandbox.file_store import File, Files, Folder, split_name
from hubconnect.sandbox.folders import shape_folder
from hubconnect.sandbox.moments import DAY_MS, to_text
from hubconnect.sandbox.objects import page_size
from hubconnect.sandbox.records import id_of
from hubconnect.sandbox.shapes import paging

MAX_PAGE = 100
DEFAULT_EXPIRATION_S = 4 * 3600
_LONGEST_EXPIRATION_S = 365 * 24 * 3600
_ACCESSES = frozenset(
    [
        "PRIVATE",
        "PUBLIC_INDEXABLE",
        "PUBLIC_NOT_INDEXABLE",
        "HIDDEN_PRIVATE",
        "HIDDEN_INDEXABLE",
        "HIDDEN_NOT_INDEXABLE",
        "HIDDEN_SENSITIVE",
        "SENSITIVE",
    ]
)
_STRATEGIES = frozenset(["NONE", "REJECT", "RETURN_EXISTING"])
_SCOPES = frozenset(["ENTIRE_PORTAL", "EXACT_FOLDER"])
_SIZES = frozenset(["", "thumb", "icon", "medium", "preview"])
_PERIOD = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")
_DAYS = (365, 30, 7, 1)
_READ = ("files", "files.read")
_WRITE = ("files", "files.write")
_DELETE = ("files", "files.delete")


def post_file(call: Call) -> Response:
    """Upload a file into a folder."""
    call.require_one(*_WRITE)
    files = Files(call.db, call.account)
    options = _options(call)
    folder = _folder(files, call)
    folder_id = None if folder is None else folder.id
    upload = _upload(call)
    name = _name(call, upload)
    content = _content(call, upload)
    same = _duplicate(files, options, content, folder_id)
    if same is not None:
        return answer(shape_file(files, same), 201)
    present = files.find_named(folder_id, name) if options.get("overwrite") else None
    if present is not None:
        file = files.replace_content(present, content, options["access"])
    else:
        expires_at = _expiry(call, options.get("ttl"))
        file = files.create(name, folder_id, options["access"], content, expires_at=expires_at)
    return answer(shape_file(files, file), 201)


def put_file(call: Call, file_id: str) -> Response:
    """Replace the content of a file; name and id stay."""
    call.require_one(*_WRITE)
    files = Files(call.db, call.account)
    file = _present(call, files, file_id)
    options = _options(call)
    content = _content(call, _upload(call))
    return answer(shape_file(files, files.replace_content(file, content, options["access"])))


def get_file(call: Call, file_id: str) -> Response:
    """Tell what is known of a file."""
    call.require_one(*_READ, "files.ui_hidden.read")
    files = Files(call.db, call.account)
    return answer(shape_file(files, _present(call, files, file_id)))


def get_signed_url(call: Call, file_id: str) -> Response:
    """Make an address that opens a file for a while, to anyone."""
    call.require_one(*_READ, "files.ui_hidden.read")
    given = call.request.args.get("expirationSeconds", str(DEFAULT_EXPIRATION_S))
    if not given.isdigit() or not 0 < int(given) <= _LONGEST_EXPIRATION_S:
        refuse(f"Invalid expirationSeconds: {given}.")
    if call.request.args.get("size", "") not in _SIZES:
        refuse(f"Invalid size: {call.request.args['size']}.")
    files = Files(call.db, call.account)
    file = _present(call, files, file_id)
    expires_s = call.account.clock.now() // 1000 + int(given)
    members: Json = {
        "url": signed_address(files, file, call.request.host_url, expires_s),
        "name": file.name,
        "extension": file.extension,
        "type": type_of(file.extension),
        "size": file.size,
        "expiresAt": to_text(expires_s * 1000),
    }
    if file.width is not None:
        members |= {"width": file.width, "height": file.height}
    return answer(members)


def download_file(call: Call, file_id: str) -> Response:
    """Send the content as an attachment."""
    call.require_one(*_READ, "files.ui_hidden.read")
    file = _present(call, Files(call.db, call.account), file_id)
    return send_file(
        call.account.contents.path(file.md5),
        call.request.environ,
        mimetype=mime_type(file.extension),
        as_attachment=True,
        download_name=file.full_name,
    )


def search_files(call: Call) -> Response:
    """Search files by what their metadata says; the only way to list them."""
    call.require_one(*_READ)
    limit = page_size(call, 10, MAX_PAGE)
    after = id_of(call.request.args.get("after", "0"))
    if after is None:
        refuse(f"Invalid cursor: {call.request.args['after']}")
    files = Files(call.db, call.account)
    where, values = read_conditions(call, files)
    if "files.ui_hidden.read" not in call.token.scopes:
        where += " AND access NOT LIKE 'HIDDEN%'"
    found = files.search(where, values, after, limit + 1)
    members: Json = {"results": [shape_file(files, one) for one in found[:limit]]}
    if len(found) > limit:
        members["paging"] = paging(call.link(), str(found[limit - 1].id))
    return answer(members)


def stat(call: Call, path: str) -> Response:
    """Tell what stands at a path: a file or a folder."""
    call.require_one(*_READ)
    files = Files(call.db, call.account)
    file = files.find_at(path)
    if file is not None:
        return answer({"file": shape_file(files, file)})
    try:
        folder = files.find_folder_at(path)
    except LookupError:
        folder = None
    if folder is None:
        raise file_not_found(path)
    return answer({"folder": shape_folder(files, folder)})


def patch_file(call: Call, file_id: str) -> Response:
    """Change name, folder, access or expiry of a file."""
    call.require_one(*_WRITE)
    files = Files(call.db, call.account)
    file, body = _present(call, files, file_id), call.body()
    changes: dict[str, object] = {}
    if body.get("name"):
        changes["name"] = str(body["name"]).removesuffix(f".{file.extension}")
    if body.get("access"):
        changes["access"] = _access(body["access"])
    if body.get("parentFolderId") or body.get("parentFolderPath"):
        folder = _chosen(files, body.get("parentFolderId"), body.get("parentFolderPath"))
        changes["folder_id"] = None if folder is None else folder.id
    if body.get("clearExpires"):
        changes["expires_at"] = None
    elif body.get("expiresAt") is not None:
        changes["expires_at"] = int(body["expiresAt"])
    return answer(shape_file(files, files.change(file, **changes)))


def delete_file(call: Call, file_id: str) -> Response:
    """Delete a file; a second time changes nothing."""
    call.require_one(*_DELETE)
    files = Files(call.db, call.account)
    file = files.find(id_of(file_id) or 0)
    if file is not None:
        files.archive(file)
    return nothing()


def _present(call: Call, files: Files, file_id: str) -> File:
    """Return a file the token may see; a hidden one is not there for the others (404)."""
    file = files.find(id_of(file_id) or 0)
    if file is None or (file.is_hidden and "files.ui_hidden.read" not in call.token.scopes):
        raise file_not_found(file_id)
    return file


def _options(call: Call) -> dict[str, Any]:
    """Read the options of an upload (400 when they are missing or wrong)."""
    given = call.request.form.get("options")
    if given is None:
        refuse("options is required.", errors=[{"message": "options is required.", "in": "form"}])
    try:
        options = json.loads(given)
    except ValueError as error:
        refuse(f"Invalid input JSON in options: {error}")
    if not isinstance(options, dict) or not options.get("access"):
        refuse("Invalid options. Some required fields were not set: [access]")
    _access(options["access"])
    if options.get("duplicateValidationStrategy", "NONE") not in _STRATEGIES:
        refuse(f"Invalid duplicateValidationStrategy: {options['duplicateValidationStrategy']}")
    if options.get("duplicateValidationScope", "ENTIRE_PORTAL") not in _SCOPES:
        refuse(f"Invalid duplicateValidationScope: {options['duplicateValidationScope']}")
    return options


def _access(given: object) -> str:
    if given not in _ACCESSES:
        refuse(f"Invalid access: {given}. It must be one of: {', '.join(sorted(_ACCESSES))}.")
    return str(given)


def _folder(files: Files, call: Call) -> Folder | None:
    folder_id, path = call.request.form.get("folderId"), call.request.form.get("folderPath")
    if bool(folder_id) == bool(path):
        refuse("Exactly one of folderId and folderPath must be set.")
    return _chosen(files, folder_id, path)


def _chosen(files: Files, folder_id: object, path: object) -> Folder | None:
    if not folder_id:
        return files.make_folders(str(path))
    folder = files.find_folder(id_of(str(folder_id)) or 0)
    if folder is None:
        raise folder_not_found(folder_id)
    return folder


def _upload(call: Call) -> FileStorage:
    upload = call.request.files.get("file")
    if upload is None:
        refuse("file is required.", errors=[{"message": "file is required.", "in": "form"}])
    return upload


def _name(call: Call, upload: FileStorage) -> str:
    """Return the full name of the new file; its extension may come from the uploaded one."""
    sent = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
    wanted = (call.request.form.get("fileName") or sent).strip()
    if not wanted or "/" in wanted:
        refuse("fileName is required and may not contain a slash.")
    extension = split_name(wanted)[1] or split_name(sent)[1]
    if extension in call.account.refused_extensions:
        refuse(f"Files of type {extension} may not be uploaded.", subCategory="FILE_TYPE_INVALID")
    return wanted if split_name(wanted)[1] or not extension else f"{wanted}.{extension}"


def _content(call: Call, upload: FileStorage) -> Content:
    limit = call.account.file_limit_bytes
    if upload.content_length and upload.content_length > limit:
        raise too_large(limit)
    return call.account.contents.save(upload.stream, limit)


def _duplicate(
    files: Files, options: dict[str, Any], content: Content, folder_id: int | None
) -> File | None:
    """Return the file to answer with in place of a new one.

    Raises:
        ApiError: duplicates are to be refused, and this is one (409).
    """
    strategy = options.get("duplicateValidationStrategy", "NONE")
    if strategy == "NONE":
        return None
    everywhere = options.get("duplicateValidationScope", "ENTIRE_PORTAL") == "ENTIRE_PORTAL"
    same = files.find_same(content.md5, folder_id, everywhere=everywhere)
    if same is not None and strategy == "REJECT":
        message = f"A file with the same content already exists. Existing ID: {same.id}"
        raise ApiError(409, message, "CONFLICT", context={"id": [str(same.id)]})
    return same


def _expiry(call: Call, ttl: object) -> int | None:
    """Return when a file with a time to live goes away: from one day to one year."""
    if not ttl:
        return None
    found = _PERIOD.fullmatch(str(ttl))
    parts = zip(_DAYS, found.groups(), strict=True) if found else []
    days = sum(length * int(number) for length, number in parts if number)
    if not timedelta(days=1) <= timedelta(days=days) <= timedelta(days=366):
        refuse(f"Invalid ttl: {ttl}. It must lie between one day and one year.")
    return call.account.clock.now() + days * DAY_MS
