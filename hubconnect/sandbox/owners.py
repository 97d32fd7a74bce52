"""The owners API (page "Owners"); read only."""

import json

from werkzeug.wrappers import Response

from hubconnect.sandbox.call import Call, answer
from hubconnect.sandbox.errors import Json, not_found
from hubconnect.sandbox.objects import page_size
from hubconnect.sandbox.records import id_of
from hubconnect.sandbox.shapes import paging

MAX_PAGE = 500


def list_owners(call: Call) -> Response:
    """List owners, active or archived, all or the one with an e-mail address."""
    call.require("crm.objects.owners.read")
    limit = page_size(call, 100, MAX_PAGE)
    rows = call.db.execute(
        "SELECT definition FROM owner WHERE archived = ? AND id > ? AND ifnull(?, email) = email"
        " ORDER BY id LIMIT ?",
        (
            call.flag("archived"),
            id_of(call.request.args.get("after", "")) or 0,
            call.request.args.get("email"),
            limit + 1,
        ),
    ).fetchall()
    owners = [json.loads(row[0]) for row in rows]
    members: Json = {"results": owners[:limit]}
    if len(owners) > limit:
        members["paging"] = paging(call.link(), owners[limit - 1]["id"])
    return answer(members)


def get_owner(call: Call, owner_id: str) -> Response:
    """Get one owner by owner id or, on demand, by user id."""
    call.require("crm.objects.owners.read")
    rows = call.db.execute(
        "SELECT definition FROM owner WHERE archived = ?", (call.flag("archived"),)
    )
    by_user = call.request.args.get("idProperty") == "userId"
    key = "userIdIncludingInactive" if by_user else "id"
    for (definition,) in rows:
        owner = json.loads(definition)
        if str(owner[key]) == owner_id:
            return answer(owner)
    raise not_found()
