"""Fetches files to disk, piece by piece, and learns their size and content on the way."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from hubconnect.connectors.children import Attaching, FileInfo
from hubconnect.connectors.errors import Category, RecordError


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on disk. ``digest`` is the MD5 of its content in hexadecimal."""

    path: Path
    name: str
    media_type: str
    size: int
    digest: str

    def open(self) -> BinaryIO:
        """Open it from the start."""
        return self.path.open("rb")


@dataclass(slots=True)
class Spool:
    """A directory of fetched files, which goes with its block."""

    directory: Path
    count: int = 0
    bytes: int = 0

    def fetch(self, reader: Attaching, object_type: str, file: FileInfo, most: int) -> Fetched:
        """Fetch one file.

        Raises:
            RecordError: it cannot be read, or is longer than ``most`` bytes.
            TemporaryError: the system cannot answer now.
        """
        self.count += 1
        path = self.directory / str(self.count)
        # MD5 only tells files apart here; it is what HubSpot has of each.
        digest, size = hashlib.md5(usedforsecurity=False), 0
        with reader.open_file(object_type, file) as content, path.open("wb") as copy:
            for chunk in content.chunks:
                size += len(chunk)
                if size > most:
                    raise too_large(file.name, most)
                digest.update(chunk)
                copy.write(chunk)
            name, media_type = content.name, content.media_type
        self.bytes += size
        return Fetched(
            path, name or file.name, media_type or file.media_type, size, digest.hexdigest()
        )


@contextmanager
def spool() -> Iterator[Spool]:
    """Open a directory for files."""
    with TemporaryDirectory(prefix="hubconnect-") as directory:
        yield Spool(Path(directory))


def too_large(name: str, most: int) -> RecordError:
    """Return the error of a file that is longer than may be carried."""
    return RecordError(
        f"{name} has more than {most / 1_000_000:,.1f} MB, the most that is carried.",
        hint="Raise the limit in the mapping, or make the file smaller.",
        category=Category.FILE_REFUSED,
    )
