"""The conditions of a file search, read from its query."""

import re

from hubconnect.sandbox.call import Call
from hubconnect.sandbox.errors import refuse
from hubconnect.sandbox.file_content import type_of
from hubconnect.sandbox.file_store import Files
from hubconnect.sandbox.moments import from_text
from hubconnect.sandbox.records import id_of

_COMPARISONS = {"": "=", "Gte": ">=", "Gt": ">", "Lte": "<=", "Lt": "<"}
_MOMENTS = {"createdAt": "created", "updatedAt": "modified"}
_NUMBERS = {"size": "size", "height": "height", "width": "width"}


def read_conditions(call: Call, files: Files) -> tuple[str, list[object]]:
    """Return the conditions of a search as SQL with its values.

    Raises:
        ApiError: a value is wrong (400).
    """
    found: list[tuple[str, list[object]]] = [("1", [])]
    found += _texts(call)
    found += _lists(call, files)
    found += _comparisons(call)
    return " AND ".join(one[0] for one in found), [value for one in found for value in one[1]]


def _texts(call: Call) -> list[tuple[str, list[object]]]:
    arguments = call.request.args
    found: list[tuple[str, list[object]]] = []
    if arguments.get("name"):
        escaped = re.sub(r"([\\%_])", r"\\\1", arguments["name"])
        found.append(("name LIKE ? ESCAPE '\\'", [f"%{escaped}%"]))
    for parameter, column in (("extension", "extension"), ("fileMd5", "md5")):
        if arguments.get(parameter):
            found.append((f"{column} = ?", [arguments[parameter]]))
    return found


def _lists(call: Call, files: Files) -> list[tuple[str, list[object]]]:
    wanted: list[tuple[str, list[object]]] = [
        (column, [id_of(one) for one in call.names(parameter)])
        for parameter, column in (("ids", "id"), ("id", "id"), ("parentFolderIds", "folder_id"))
        if call.names(parameter)
    ]
    if call.request.args.get("path"):
        at_path = files.find_at(call.request.args["path"])
        wanted.append(("id", [None if at_path is None else at_path.id]))
    if call.request.args.get("type"):
        rows = call.db.execute("SELECT DISTINCT extension FROM file").fetchall()
        fitting = [row[0] for row in rows if type_of(row[0]) == call.request.args["type"]]
        wanted.append(("extension", fitting))
    return [(f"{column} IN ({','.join('?' * len(values))})", values) for column, values in wanted]


def _comparisons(call: Call) -> list[tuple[str, list[object]]]:
    found: list[tuple[str, list[object]]] = []
    for suffix, sign in _COMPARISONS.items():
        for name, column in {**_MOMENTS, **_NUMBERS}.items():
            text = call.request.args.get(f"{name}{suffix}")
            if not text:
                continue
            try:
                value = from_text(text) if name in _MOMENTS else int(text)
            except ValueError:
                refuse(f"Invalid {name}{suffix}: {text}.")
            found.append((f"{column} {sign} ?", [value]))
    return found
