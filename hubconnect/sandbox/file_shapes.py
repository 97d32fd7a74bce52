"""The JSON shape of a file, and the addresses under which its content is found."""

import mimetypes
from urllib.parse import quote, urlencode

from hubconnect.sandbox.errors import Json
from hubconnect.sandbox.file_content import type_of
from hubconnect.sandbox.file_store import File, Files
from hubconnect.sandbox.moments import to_text


def shape_file(files: Files, file: File) -> Json:
    """Build one file; the name comes without its extension."""
    options = files.account.options
    region = "eu1" if "-eu1" in options.ui_domain else "na1"
    path = files.path_of(file)
    host = f"https://{options.portal_id}.fs1.hubspotusercontent-{region}.net"
    address = f"{host}/hubfs/{options.portal_id}{quote(path)}"
    members: Json = {
        "id": str(file.id),
        "name": file.name,
        "path": path,
        "extension": file.extension,
        "type": type_of(file.extension),
        "size": file.size,
        "encoding": None,
        "access": file.access,
        "url": address,
        "defaultHostingUrl": address,
        "parentFolderId": None if file.folder_id is None else str(file.folder_id),
        "isUsableInContent": not file.is_hidden,
        "fileMd5": file.md5,
        "sourceGroup": "CONTENT",
        "createdAt": to_text(file.created),
        "updatedAt": to_text(file.modified),
        "archived": file.archived is not None,
    }
    if file.width is not None:
        members |= {"width": file.width, "height": file.height}
    if file.expires_at is not None:
        members["expiresAt"] = file.expires_at
    return members


def signed_address(files: Files, file: File, host_url: str, expires_s: int) -> str:
    """Build the address that opens a file until a moment in seconds."""
    account = files.account
    signature = account.contents.sign(file.id, expires_s)
    query = urlencode({"Expires": expires_s, "Signature": signature})
    portal_id = account.options.portal_id
    return f"{host_url}hubfs/{portal_id}{quote(files.path_of(file))}?{query}"


def mime_type(extension: str) -> str:
    """Return the content type that goes with an extension."""
    return mimetypes.guess_type(f"x.{extension}")[0] or "application/octet-stream"
