"""Files of records: attached to notes and other activities, kept in HubSpot's file manager."""

import hashlib
import json
import mimetypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial

from hubconnect.connectors.answers import whole_number
from hubconnect.connectors.base import Outcome, Settled, Value, ValueType, Window
from hubconnect.connectors.children import FileContent, FileDraft, FileInfo, SentFile
from hubconnect.connectors.errors import AttentionError, Category, RecordError
from hubconnect.connectors.hubspot.api import FILES_PAGE, HubSpotApi, Json, results
from hubconnect.connectors.hubspot.errors import (
    BAD_REQUEST,
    NOT_FOUND,
    TOO_LARGE,
    question_error,
    read_envelope,
)
from hubconnect.connectors.hubspot.links import Links
from hubconnect.connectors.hubspot.notebook import (
    FILES,
    NOTES,
    TIME,
    NewNote,
    Note,
    Notebook,
    SentNote,
    split_ids,
)
from hubconnect.connectors.hubspot.records import RecordReader
from hubconnect.connectors.streams import Form, Upload, download

ACTIVITIES = (NOTES, "emails", "calls", "meetings", "tasks")
BATCH = 100
# The largest file of a paid subscription ("Files"); smaller ones refuse what is too large.
MAX_FILE_BYTES = 2_000_000_000
FOLDER = "/hubconnect"
# A file sent again is answered with the one that is there, if it lies in the same folder. It keeps
# its first name; so files of other names lie in other folders, as far as a few thousand go.
FOLDER_DIGITS = 3
UNKNOWN_TYPE = "application/octet-stream"


class Files:
    """Fulfils ``children.Attaching`` for one account."""

    def __init__(
        self,
        api: HubSpotApi,
        notebook: Notebook,
        links: Links,
        reader_of: Callable[[str], RecordReader],
        now: Callable[[], datetime],
    ) -> None:
        """Keep all.

        Args:
            api: the calls.
            notebook: reads and writes notes.
            links: of the account.
            reader_of: gives what reads records of an object type.
            now: HubSpot's clock.
        """
        self._api = api
        self._notebook = notebook
        self._links = links
        self._reader_of = reader_of
        self._now = now

    def holder_ids(self, object_type: str, record_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the activities of each record, as ``<activity>/<id>``."""
        found: dict[str, list[str]] = {each: [] for each in record_ids}
        for activity in ACTIVITIES:
            for record_id, ids in self._activity_ids(object_type, activity, record_ids).items():
                found[record_id] += [f"{activity}/{one}" for one in ids]
        return {record_id: tuple(holders) for record_id, holders in found.items()}

    def read_holders(
        self,
        object_type: str,  # noqa: ARG002 - an activity is the same on every record
        holders: Sequence[str],
    ) -> dict[str, tuple[FileInfo, ...]]:
        """Return files by holder; a file that was deleted is on none."""
        ids = self._attached(holders)
        files = self._details([one for each in ids.values() for one in each])
        return {
            holder: tuple(replace(files[one], holder=holder) for one in each if one in files)
            for holder, each in ids.items()
        }

    def changed_holders(
        self, object_type: str, window: Window
    ) -> Iterator[Mapping[str, tuple[str, ...]]]:
        """Yield activities other than notes that carry files and were modified in the window."""
        for activity in ACTIVITIES[1:]:
            for ids in self._changed(activity, window):
                found = self._activity_ids(activity, object_type, ids)
                yield {f"{activity}/{one}": tuple(ends) for one, ends in found.items() if ends}

    @contextmanager
    def open_file(
        self,
        object_type: str,  # noqa: ARG002 - a file is the same on every record
        file: FileInfo,
    ) -> Iterator[FileContent]:
        """Open a file by a signed address, on another host and without our token."""
        answer = self._api.sign_file(file.id)
        url = answer.data.get("url") if isinstance(answer.data, dict) else None
        if answer.status == NOT_FOUND:
            raise _gone(file)
        if answer.status >= BAD_REQUEST or not isinstance(url, str):
            raise question_error(answer)
        with download(url, self._api.http.context) as opened:
            if opened.status >= BAD_REQUEST:
                raise _gone(file)
            size = whole_number(opened.headers.get("Content-Length", ""))
            yield FileContent(
                chunks=opened.chunks,
                name=file.name,
                media_type=file.media_type,
                size=file.size if size is None else size,
            )

    def max_file_bytes(self, object_type: str) -> int | None:  # noqa: ARG002 - all alike
        """Return the most that any subscription takes."""
        return MAX_FILE_BYTES

    def add_files(self, object_type: str, drafts: Sequence[FileDraft]) -> list[Outcome]:
        """Upload each file, then make a note for each, a hundred to a call."""
        outcomes: list[Outcome] = []
        notes: list[NewNote] = []
        for draft in drafts:
            try:
                file_id = self._upload(draft)
            except RecordError as error:
                outcomes.append(Outcome(key=draft.key, error=error))
            else:
                notes.append(NewNote(draft.key, draft.record_id, self._values(file_id)))
        made = self._notebook.add(object_type, notes)
        return outcomes + [_held(one) for one in made]

    def settle_files(self, object_type: str, sent: Sequence[SentFile]) -> dict[str, Settled]:
        """Look for the notes by key, else among those of the record by what they carry."""
        if not sent:
            return {}
        known: dict[str, FileInfo] = {}
        notes = [
            SentNote(one.key, one.record_id, one.sent_at, partial(self._carries, known, one))
            for one in sent
        ]
        settled = self._notebook.settle(object_type, notes, self._now())
        return {
            key: replace(one, id=f"{NOTES}/{one.id}") if one.id else one
            for key, one in settled.items()
        }

    # What the methods above are made of

    def _activity_ids(
        self, from_type: str, to_type: str, ids: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        try:
            found = self._links.read(from_type, to_type, ids)
        except AttentionError as error:
            # E-mails have a scope of their own, which a credential may lack.
            if NOTES in (from_type, to_type) or error.category is not Category.PERMISSION:
                raise
            return {}
        return {record_id: sorted(ends, key=int) for record_id, ends in found.items()}

    def _changed(self, activity: str, window: Window) -> Iterator[list[str]]:
        """Yield ids as the search index has them; none where the credential may not read them."""
        reader = self._reader_of(activity)
        group = [reader.modified_in(window), {"propertyName": FILES, "operator": "HAS_PROPERTY"}]
        try:
            for items in reader.search([group], ()):
                yield [str(item["id"]) for item in items]
        except AttentionError as error:
            if error.category is not Category.PERMISSION:
                raise

    def _attached(self, holders: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return ids of the files that each holder names; a deleted holder is missing."""
        by_activity: dict[str, list[str]] = {}
        for holder in dict.fromkeys(holders):
            activity, _, record_id = holder.partition("/")
            if activity in ACTIVITIES:
                by_activity.setdefault(activity, []).append(record_id)
        return {
            f"{activity}/{item['id']}": split_ids((item.get("properties") or {}).get(FILES) or "")
            for activity, ids in by_activity.items()
            for start in range(0, len(ids), BATCH)
            for item in results(self._api.batch_read(activity, ids[start : start + BATCH], [FILES]))
        }

    def _details(self, ids: Sequence[str]) -> dict[str, FileInfo]:
        """Return files by id: a hundred to a call, one call for each that is hidden or gone."""
        asked = list(dict.fromkeys(ids))
        found: dict[str, FileInfo] = {}
        for start in range(0, len(asked), FILES_PAGE):
            part = asked[start : start + FILES_PAGE]
            answer = self._api.search_files(part)
            found |= {str(each["id"]): _info(each) for each in results(answer)}
        for file_id in asked:
            if file_id not in found and (info := self._hidden(file_id)) is not None:
                found[file_id] = info
        return found

    def _hidden(self, file_id: str) -> FileInfo | None:
        answer = self._api.get_file(file_id)
        if answer.status == NOT_FOUND:
            return None
        if answer.status >= BAD_REQUEST or not isinstance(answer.data, dict):
            raise question_error(answer)
        return _info(answer.data)

    def _upload(self, draft: FileDraft) -> str:
        """Upload a file and return its id.

        Raises:
            RecordError: HubSpot refuses this file.
        """
        name = draft.name.replace("/", "_").replace("\\", "_") or "file"
        mark = hashlib.sha256(f"{name}\n{draft.digest}".encode()).hexdigest()[:FOLDER_DIGITS]
        options = {
            "access": "PRIVATE",
            "duplicateValidationStrategy": "RETURN_EXISTING",
            "duplicateValidationScope": "EXACT_FOLDER",
        }
        fields = {
            "options": json.dumps(options),
            "folderPath": f"{FOLDER}/{mark}",
            "fileName": name,
        }
        upload = Upload(name=name, media_type=draft.media_type, size=draft.size, open=draft.open)
        answer = self._api.upload_file(lambda: Form(fields, upload))
        data = answer.data if isinstance(answer.data, dict) else {}
        if answer.status >= BAD_REQUEST or not data.get("id"):
            raise _refused(draft, answer.status, read_envelope(data).message)
        return str(data["id"])

    def _values(self, file_id: str) -> Mapping[str, Value]:
        field = self._notebook.reader.schema.get_field(FILES)
        is_set = field.type is ValueType.OPTIONS
        return {FILES: frozenset({file_id}) if is_set else file_id, TIME: self._now()}

    def _carries(self, known: dict[str, FileInfo], sent: SentFile, note: Note) -> bool:
        missing = [one for one in note.file_ids if one not in known]
        if missing:
            known |= self._details(missing)
        return any(_is_same(known[one], sent) for one in note.file_ids if one in known)


def _info(data: Json) -> FileInfo:
    extension = str(data.get("extension") or "")
    name = str(data.get("name") or data["id"])
    name = f"{name}.{extension}" if extension else name
    size = data.get("size")
    return FileInfo(
        id=str(data["id"]),
        holder="",
        name=name,
        media_type=mimetypes.guess_type(name)[0] or UNKNOWN_TYPE,
        size=size if isinstance(size, int) else None,
        digest=str(data.get("fileMd5") or "").lower(),
    )


def _is_same(file: FileInfo, sent: SentFile) -> bool:
    if file.digest and sent.digest:
        return file.digest == sent.digest.lower()
    return (file.name, file.size) == (sent.name, sent.size)


def _held(outcome: Outcome) -> Outcome:
    """Return the outcome with the holder's id."""
    if not outcome.id:
        return outcome
    return replace(outcome, id=f"{NOTES}/{outcome.id}", values={})


def _gone(file: FileInfo) -> RecordError:
    return RecordError(
        f"HubSpot does not give the file {file.name} ({file.id}): it was deleted, or this app may "
        "not see it.",
        hint="Attach it anew in HubSpot, or dismiss this failure.",
        category=Category.VALIDATION_ERROR,
    )


def _refused(draft: FileDraft, status: int, message: str) -> RecordError:
    is_large = status == TOO_LARGE
    what = "is too large for HubSpot" if is_large else "was refused by HubSpot"
    limit = "The account's subscription sets how large a file may be. " if is_large else ""
    return RecordError(
        f"{draft.name} ({draft.size:,} bytes) {what}: {message or f'status {status}'}",
        hint=f"{limit}Limit sizes and types of files in the mapping, or dismiss this failure.",
        category=Category.VALIDATION_ERROR,
        answer=message,
    )
