"""Fetches files to disk, piece by piece, and learns their size and content on the way."""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from typing_extensions import override

from hubconnect.connectors.children import Attaching, FileInfo
from hubconnect.connectors.errors import Category, RecordError

# Called before each piece, so that a long file does not outlast the right to work on it.
Keep = Callable[[], None]


class KeptFile(io.BufferedReader):
    """A file on disk that keeps something alive while it is read."""

    def __init__(self, path: Path, keep: Keep) -> None:
        super().__init__(io.FileIO(path))
        self._keep = keep

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        self._keep()
        return super().read(size)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on disk. ``digest`` is the MD5 of its content in hexadecimal."""

    path: Path
    keep: Keep
    name: str
    media_type: str
    size: int
    digest: str

    def open(self) -> BinaryIO:
        """Open it from the start."""
        return KeptFile(self.path, self.keep)


@dataclass(slots=True)
class Spool:
    """A directory of fetched files, which goes with its block."""

    directory: Path
    keep: Keep
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
                self.keep()
                size += len(chunk)
                if size > most:
                    raise too_large(file.name, most)
                digest.update(chunk)
                copy.write(chunk)
            name, media_type = content.name, content.media_type
        self.bytes += size
        return Fetched(
            path=path,
            keep=self.keep,
            name=name or file.name,
            media_type=media_type or file.media_type,
            size=size,
            digest=digest.hexdigest(),
        )


@contextmanager
def spool(keep: Keep) -> Iterator[Spool]:
    """Open a directory for files; ``keep`` is called for each piece of one."""
    with TemporaryDirectory(prefix="hubconnect-") as directory:
        yield Spool(Path(directory), keep)


def too_large(name: str, most: int) -> RecordError:
    """Return the error of a file that is longer than may be carried."""
    return RecordError(
        f"{name} has more than {most / 1_000_000:,.1f} MB, the most that is carried.",
        hint="Raise the limit in the mapping, or make the file smaller.",
        category=Category.FILE_REFUSED,
    )
