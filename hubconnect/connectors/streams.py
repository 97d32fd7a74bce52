"""Files on their way, piece by piece: downloads from a foreign host, forms with a file."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from hubconnect.connectors.base import Context
from hubconnect.connectors.connections import Gate, UnreachableError
from hubconnect.connectors.errors import AttentionError, Category, RecordError, TemporaryError
from hubconnect.connectors.http import (
    BROKEN,
    CHUNK_BYTES,
    CONNECT_TIMEOUT_S,
    MAX_REDIRECTS,
    SERVER_ERROR,
    TOO_MANY,
    CheckedAdapter,
    is_no_address,
)

# Drawn anew by each process: who writes a file must not know it, or the file could end its part
# and go on with fields of its own.
BOUNDARY = f"HubConnect-{secrets.token_hex(16)}"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
LINE = "\r\n"
PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Download:
    """An answer whose content is still to come. Reading it raises TemporaryError if it breaks."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


@contextmanager
def download(url: str, context: Context) -> Iterator[Download]:
    """Open an address that needs no token, and is given none.

    Args:
        url: where the content is; addresses are checked as for every other connection, also
            those that it redirects to.
        context: address policy and time-out.

    Raises:
        TemporaryError: not now.
        AttentionError: the address may not be reached.
    """
    with requests.Session() as session:
        session.trust_env = False  # no password of a .netrc, no proxy round the gate
        adapter = CheckedAdapter(Gate(context.addresses))
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        for _ in range(MAX_REDIRECTS + 1):
            with _opened(session, url, context) as response:
                if not response.is_redirect:
                    yield Download(response.status_code, response.headers, _chunks(response))
                    return
                url = urljoin(url, response.headers["Location"])
    msg = f"{urlsplit(url).hostname} redirects without end."
    raise TemporaryError(msg)


@contextmanager
def _opened(session: requests.Session, url: str, context: Context) -> Iterator[requests.Response]:
    read_s, host = context.request_timeout.total_seconds(), ""
    try:
        host = urlsplit(url).hostname or ""
        response = session.get(
            url,
            # Compressed content would make the length a lie.
            headers={"Accept-Encoding": "identity", "User-Agent": "HubConnect"},
            timeout=(min(CONNECT_TIMEOUT_S, read_s), read_s),
            allow_redirects=False,
            stream=True,
        )
    except requests.exceptions.SSLError as error:
        msg = f"{host} showed no certificate that can be trusted."
        raise AttentionError(msg, category=Category.UNREACHABLE) from error
    except BROKEN as error:
        if is_no_address(error):
            msg = "The file's address is none."
            raise AttentionError(msg, category=Category.UNREACHABLE) from error
        msg = f"{host} does not answer."
        raise UnreachableError(msg) from error
    with response:
        if response.status_code >= SERVER_ERROR or response.status_code == TOO_MANY:
            msg = f"{host} cannot send the file now (status {response.status_code})."
            raise TemporaryError(msg)
        yield response


def _chunks(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.raw.stream(CHUNK_BYTES, decode_content=True)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        msg = f"The connection to {urlsplit(response.url).hostname} broke within the file."
        raise TemporaryError(msg, hint="It is tried again by itself.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file to send. ``open`` gives its content from the start."""

    name: str
    media_type: str
    size: int
    open: Callable[[], BinaryIO]


class Form:
    """A multipart form with one file in the end, read piece by piece."""

    def __init__(self, fields: Mapping[str, str], upload: Upload) -> None:
        """Open the file."""
        texts = [_part(f'name="{name}"', "", text) for name, text in fields.items()]
        name = f'name="file"; filename="{_quoted(upload.name)}"'
        media_type = upload.media_type if upload.media_type.isprintable() else ""
        start = _part(name, media_type or "application/octet-stream", "")
        head = "".join([*texts, start.removesuffix(LINE)]).encode(errors="replace")
        tail = f"{LINE}--{BOUNDARY}--{LINE}".encode()
        self._upload = upload
        self._size = len(head) + upload.size + len(tail)
        self._left = upload.size
        self._head, self._tail = BytesIO(head), BytesIO(tail)
        self._file = upload.open()

    def __len__(self) -> int:
        """Return the number of bytes to send."""
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        """Return the pieces."""
        return iter(lambda: self.read(PIECE_BYTES), b"")

    def read(self, size: int = -1) -> bytes:
        """Return the next piece, b"" at the end.

        Raises:
            RecordError: the file is shorter or longer than was said.
        """
        most = PIECE_BYTES if size < 0 else size
        return self._head.read(most) or self._content(most) or self._tail.read(most)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _content(self, most: int) -> bytes:
        piece = self._file.read(min(most, self._left) or 1) if not self._tail.tell() else b""
        if len(piece) > self._left or (not piece and self._left):
            msg = f"{self._upload.name} is not as long as was said: it changed meanwhile."
            raise RecordError(msg, hint="It is read anew on the next try.")
        self._left -= len(piece)
        return piece


def _part(disposition: str, media_type: str, text: str) -> str:
    content_type = f"Content-Type: {media_type}{LINE}" if media_type else ""
    head = f"--{BOUNDARY}{LINE}Content-Disposition: form-data; {disposition}{LINE}{content_type}"
    return f"{head}{LINE}{text}{LINE}"


def _quoted(name: str) -> str:
    """Return a file's name as it stands between quotes (WHATWG, "multipart/form-data")."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
