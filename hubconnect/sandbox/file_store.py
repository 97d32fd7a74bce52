"""Files and folders inside one transaction; the contents lie on disk, named by their MD5."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hubconnect.sandbox.account import Account
from hubconnect.sandbox.errors import ApiError
from hubconnect.sandbox.file_content import Content

FIRST_FILE_ID = 900_100
FIRST_FOLDER_ID = 500
_FILE_COLUMNS = (
    "id, name, extension, folder_id, access, size, md5, width, height, created, modified,"
    " expires_at, archived"
)


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder; those at the top have no parent."""

    id: int
    name: str
    parent_id: int | None
    created: int
    modified: int


@dataclass(frozen=True, slots=True)
class File:
    """One file.

    Attributes:
        name: without the extension.
        expires_at: when HubSpot deletes it by itself, in milliseconds; None for never.
    """

    id: int
    name: str
    extension: str
    folder_id: int | None
    access: str
    size: int
    md5: str
    width: int | None
    height: int | None
    created: int
    modified: int
    expires_at: int | None = None
    archived: int | None = None

    @property
    def full_name(self) -> str:
        """Return its name with the extension."""
        return f"{self.name}.{self.extension}" if self.extension else self.name

    @property
    def is_public(self) -> bool:
        """Return whether its address works without a signature."""
        return self.access.startswith("PUBLIC")

    @property
    def is_hidden(self) -> bool:
        """Return whether only tokens with a scope of its own may see it."""
        return self.access.startswith("HIDDEN")


class Files:
    """The files of the account."""

    def __init__(self, db: sqlite3.Connection, account: Account) -> None:
        self.db = db
        self.account = account

    # Reading

    def find(self, file_id: int) -> File | None:
        """Find a file that is neither deleted nor expired."""
        return next(self._select("id = ?", [file_id]), None)

    def find_named(self, folder_id: int | None, full_name: str) -> File | None:
        """Find a file by folder and name."""
        where = "folder_id IS ? AND name = ? AND extension = ?"
        return next(self._select(where, [folder_id, *split_name(full_name)], 1), None)

    def find_at(self, path: str) -> File | None:
        """Find a file by its path."""
        folders, _, name = path.strip("/").rpartition("/")
        try:
            folder = self.find_folder_at(folders)
        except LookupError:
            return None
        return self.find_named(None if folder is None else folder.id, name)

    def find_same(self, md5: str, folder_id: int | None, *, everywhere: bool) -> File | None:
        """Find a file with the same content, in one folder or in the whole account."""
        found = self._select("md5 = ?", [md5])
        here = (one for one in found if everywhere or one.folder_id == folder_id)
        return next(here, None)

    def search(self, where: str, values: list[object], after: int, limit: int) -> list[File]:
        """Return files that fulfil an SQL condition, in the order of their ids."""
        condition = f"{where} AND id > ?"
        return list(self._select(condition, [*values, after], limit))

    def path_of(self, file: File) -> str:
        """Return where a file stands, such as ``/library/contract.pdf``."""
        return f"{self.folder_path(file.folder_id)}/{file.full_name}"

    def _select(self, where: str, values: list[object], limit: int = -1) -> Iterator[File]:
        rows = self.db.execute(
            f"SELECT {_FILE_COLUMNS} FROM file WHERE archived IS NULL"  # noqa: S608
            f" AND ifnull(expires_at, ?) >= ? AND {where} ORDER BY id LIMIT ?",
            [now := self.account.clock.now(), now, *values, limit],
        )
        return (File(*row) for row in rows.fetchall())

    # Writing

    def create(
        self,
        full_name: str,
        folder_id: int | None,
        access: str,
        content: Content,
        *,
        expires_at: int | None = None,
    ) -> File:
        """Store a file; one whose name is taken gets a number behind it."""
        now = self.account.clock.now()
        row = self.db.execute("SELECT max(id) FROM file").fetchone()
        file_id = FIRST_FILE_ID if row[0] is None else row[0] + 1
        name, extension = split_name(self._free_name(full_name, folder_id))
        file = File(
            file_id,
            name,
            extension,
            folder_id,
            access,
            content.size,
            content.md5,
            content.width,
            content.height,
            now,
            now,
            expires_at,
        )
        self._save(file)
        return file

    def replace_content(self, file: File, content: Content, access: str) -> File:
        """Give a file another content under its name and id."""
        return self.change(
            file,
            size=content.size,
            md5=content.md5,
            width=content.width,
            height=content.height,
            access=access,
        )

    def change(self, file: File, **members: object) -> File:
        """Change members of a file."""
        now = max(self.account.clock.now(), file.modified + 1)
        changed = replace(file, **{"modified": now, **members})  # type: ignore[arg-type]  # named by callers
        self._save(changed)
        return changed

    def archive(self, file: File) -> None:
        """Delete a file; its id stays known and answers 404."""
        self._save(replace(file, archived=self.account.clock.now()))

    def _save(self, file: File) -> None:
        self.db.execute(
            f"INSERT OR REPLACE INTO file ({_FILE_COLUMNS})"  # noqa: S608
            f" VALUES ({','.join('?' * len(File.__slots__))})",
            [getattr(file, name) for name in File.__slots__],
        )

    def _free_name(self, full_name: str, folder_id: int | None) -> str:
        name, extension = split_name(full_name)
        candidate, number = full_name, 0
        while self.find_named(folder_id, candidate) is not None:
            number += 1
            candidate = f"{name}-{number}.{extension}" if extension else f"{name}-{number}"
        return candidate

    # Folders

    def find_folder(self, folder_id: int) -> Folder | None:
        """Find a folder by id."""
        row = self.db.execute("SELECT * FROM folder WHERE id = ?", (folder_id,)).fetchone()
        return None if row is None else Folder(*row)

    def find_folder_at(self, path: str) -> Folder | None:
        """Find a folder by path; None is the top.

        Raises:
            LookupError: there is none.
        """
        folder: Folder | None = None
        for name in _names(path):
            folder = self._child(folder, name)
            if folder is None:
                raise LookupError(path)
        return folder

    def make_folders(self, path: str) -> Folder | None:
        """Return the folder of a path, making what is missing; None is the top."""
        folder: Folder | None = None
        for name in _names(path):
            folder = self._child(folder, name) or self.create_folder(name, folder)
        return folder

    def create_folder(self, name: str, parent: Folder | None) -> Folder:
        """Make a folder.

        Raises:
            ApiError: there is one of that name (409).
        """
        if self._child(parent, name) is not None:
            message = f"Folder with name {name} already exists."
            raise ApiError(409, message, "CONFLICT")
        now = self.account.clock.now()
        row = self.db.execute("SELECT max(id) FROM folder").fetchone()
        folder_id = FIRST_FOLDER_ID if row[0] is None else row[0] + 1
        folder = Folder(folder_id, name, None if parent is None else parent.id, now, now)
        self.save_folder(folder)
        return folder

    def save_folder(self, folder: Folder) -> None:
        """Store a folder."""
        self.db.execute(
            "INSERT OR REPLACE INTO folder VALUES (?, ?, ?, ?, ?)",
            (folder.id, folder.name, folder.parent_id, folder.created, folder.modified),
        )

    def delete_folder(self, folder: Folder) -> None:
        """Delete an empty folder.

        Raises:
            ApiError: something is in it (400).
        """
        children = self.db.execute(
            "SELECT 1 FROM folder WHERE parent_id = ? LIMIT 1", (folder.id,)
        ).fetchone()
        if children is not None or next(self._select("folder_id = ?", [folder.id], 1), None):
            message = f"Folder {folder.id} is not empty."
            raise ApiError(400, message, "VALIDATION_ERROR")
        self.db.execute("DELETE FROM folder WHERE id = ?", (folder.id,))

    def folders(self, name: str, after: int, limit: int) -> list[Folder]:
        """Return folders in the order of their ids, all or those of one name."""
        rows = self.db.execute(
            "SELECT * FROM folder WHERE id > ? AND (? = '' OR name = ?) ORDER BY id LIMIT ?",
            (after, name, name, limit),
        )
        return [Folder(*row) for row in rows]

    def folder_path(self, folder_id: int | None) -> str:
        """Return the path of a folder; the top is the empty text."""
        names: list[str] = []
        while folder_id is not None:
            folder = self.find_folder(folder_id)
            if folder is None:
                break
            names.append(folder.name)
            folder_id = folder.parent_id
        return "".join(f"/{name}" for name in reversed(names))

    def _child(self, parent: Folder | None, name: str) -> Folder | None:
        row = self.db.execute(
            "SELECT * FROM folder WHERE ifnull(parent_id, 0) = ? AND name = ?",
            (0 if parent is None else parent.id, name),
        ).fetchone()
        return None if row is None else Folder(*row)


def split_name(full_name: str) -> tuple[str, str]:
    """Split a file name into name and extension; a leading dot belongs to the name."""
    name, dot, extension = full_name.rpartition(".")
    return (name, extension.lower()) if dot and name else (full_name, "")


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name]
