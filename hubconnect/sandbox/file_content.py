"""What is in files: kept on disk beside the database, streamed in and out, never whole in memory.

A content is stored under its MD5, so that the same bytes take space once and a transaction that
fails leaves nothing wrong behind: at most a content nobody points to.
"""

import hashlib
import hmac
import secrets
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hubconnect.sandbox.errors import ApiError

CHUNK = 1 << 16
_PNG = b"\x89PNG\r\n\x1a\n"
_GIFS = (b"GIF87a", b"GIF89a")
_TYPES = {
    "IMG": "png jpg jpeg gif bmp webp svg tif tiff ico heic",
    "DOCUMENT": "pdf doc docx xls xlsx ppt pptx txt csv rtf odt ods odp md json xml html log",
    "AUDIO": "mp3 wav ogg m4a aac flac",
    "MOVIE": "mp4 mov avi webm mkv mpg mpeg m4v",
}
_TYPE_OF = {extension: kind for kind, text in _TYPES.items() for extension in text.split()}


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that were received: how many, their MD5, and for images how large."""

    size: int
    md5: str
    width: int | None
    height: int | None


class Contents:
    """The folder of contents, and the signatures of addresses that lead to them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = secrets.token_bytes(32)

    def save(self, stream: IO[bytes], limit: int) -> Content:
        """Store a stream.

        Raises:
            ApiError: it is longer than the limit (413).
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as target:
            partial = Path(target.name)
            try:
                content = _copy(stream, target, limit)
            except BaseException:
                partial.unlink()
                raise
        partial.replace(self.path(content.md5))
        return content

    def path(self, md5: str) -> Path:
        """Return where a content lies."""
        return self._folder / md5

    def sign(self, file_id: int, expires_s: int) -> str:
        """Return the signature that opens a file until a moment in seconds."""
        text = f"{file_id}:{expires_s}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def is_signed(self, file_id: int, expires: str, signature: str, now_ms: int) -> bool:
        """Return whether a signature opens a file now."""
        if not (expires.isascii() and expires.isdigit()) or int(expires) * 1000 < now_ms:
            return False
        wanted = self.sign(file_id, int(expires)).encode()
        return hmac.compare_digest(wanted, signature.encode())


def _copy(stream: IO[bytes], target: IO[bytes], limit: int) -> Content:
    digest, size, head = hashlib.md5(usedforsecurity=False), 0, b""
    while chunk := stream.read(CHUNK):
        head = head or chunk
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        digest.update(chunk)
        target.write(chunk)
    return Content(size, digest.hexdigest(), *_measure(head))


def type_of(extension: str) -> str:
    """Return HubSpot's kind of file for an extension."""
    return _TYPE_OF.get(extension, "OTHER")


def too_large(limit: int) -> ApiError:
    """Build the 413 of a file that is too large."""
    return ApiError(413, f"File is too large. The maximum is {limit} bytes.", "VALIDATION_ERROR")


def _measure(head: bytes) -> tuple[int | None, int | None]:
    """Read width and height of a PNG or GIF from its first bytes."""
    if head.startswith(_PNG) and len(head) >= 24:  # noqa: PLR2004 - where IHDR holds them
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if head.startswith(_GIFS) and len(head) >= 10:  # noqa: PLR2004 - the logical screen
        width, height = struct.unpack("<HH", head[6:10])
        return width, height
    return None, None
