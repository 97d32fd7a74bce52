"""The host of file contents, which knows no tokens: public addresses and signed ones."""

from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from hubconnect.sandbox.account import Account
from hubconnect.sandbox.file_shapes import mime_type
from hubconnect.sandbox.file_store import Files

_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>"
)


def serve_file(account: Account, request: Request, path: str) -> Response:
    """Send a content; a private one without a signature is not there, a wrong one is refused."""
    with account.store.reading() as db:
        file = Files(db, account).find_at(path)
    if file is None:
        return Response("Not found", 404)
    signature = request.args.get("Signature", "")
    if not signature and not file.is_public:
        return Response("Not found", 404)
    expires, now = request.args.get("Expires", ""), account.clock.now()
    if signature and not account.contents.is_signed(file.id, expires, signature, now):
        return Response(_DENIED, 403, content_type="application/xml")
    response = send_file(
        account.contents.path(file.md5),
        request.environ,
        mimetype=mime_type(file.extension),
        conditional=True,
        etag=file.md5,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    if file.access == "PUBLIC_NOT_INDEXABLE":
        response.headers["X-Robots-Tag"] = "noindex"
    return response
