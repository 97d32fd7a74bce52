"""A worker that is killed while it carries comments and files loses and doubles none."""

import os
import time
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from hubconnect.connectors import rich_text
from hubconnect.integrations.models import ChildIntent, Failure, FollowUp, Run
from hubconnect.mappings.models import Direction
from tests.children import ChattyDesk, furnish_pair, make_chatty_desk
from tests.faults.test_worker_killed import load_with_kills, wait_until, worker
from tests.house import make_hubspot
from tests.sandbox_process import sandbox

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

CUSTOMERS = 300
COMMENTS = 1500
FILES = 60
KILLS = 5
FILL = f"""
with recursive n(i) as (select 1 union all select i + 1 from n where i < {CUSTOMERS})
insert into customers (email, first_name) select 'c' || i || '@x.example', 'Row' from n;
with recursive n(i) as (select 1 union all select i + 1 from n where i < {COMMENTS})
insert into customer_comments (customer_id, body)
select i % {CUSTOMERS} + 1, 'Comment ' || i from n;
with recursive n(i) as (select 1 union all select i + 1 from n where i < {FILES})
insert into customer_files (customer_id, name, content)
select i % {CUSTOMERS} + 1, 'f' || i || '.txt', cast('File ' || i as blob) from n;
"""


def test_every_comment_and_file_reaches_hubspot_exactly_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("FAULT_SEED") or time.time())
    print(f"FAULT_SEED={seed}")  # noqa: T201 - to repeat a failure
    django_settings.SQLITE_DIR = tmp_path
    with sandbox() as hub:
        desk = ChattyDesk(tmp_path / "desk.sqlite3").build()
        desk.script("pragma journal_mode = wal;" + FILL)
        house = furnish_pair(
            (make_hubspot(hub), "contacts"),
            (make_chatty_desk(desk.file), "customers"),
            (("email", "email"), ("firstname", "first_name")),
            comments="both",
            files="both",
            directions=(Direction.TO_RIGHT, Direction.TO_LEFT),
        )
        house.activate()
        total = COMMENTS + FILES
        load_with_kills(
            tmp_path,
            lambda: hub.statistics()["records"].get("notes", 0),
            seed,
            total=total,
            kills=KILLS,
        )
        with worker(tmp_path):
            wait_until(is_at_rest, "nothing is left to do")
        notes = [one["properties"] for one in hub.list("notes", "hs_note_body,hs_attachment_ids")]
        texts = Counter(rich_text.to_plain(one["hs_note_body"] or "") for one in notes)
        assert texts.pop("") == FILES
        assert texts == Counter(f"Comment {number}" for number in range(1, COMMENTS + 1))
        files = Counter(one["hs_attachment_ids"] for one in notes if one["hs_attachment_ids"])
        assert {hub.content(one) for one in files} == {
            f"File {number}".encode() for number in range(1, FILES + 1)
        }
        assert desk.run("select count(*) from customer_comments") == [(COMMENTS,)]
        assert desk.run("select count(*) from customer_files") == [(FILES,)]
    assert not Failure.objects.exclude(state=Failure.State.HEALED).exists()
    assert Run.objects.filter(state=Run.State.CRASHED).exists(), "no run was cut off"


def is_at_rest() -> bool:
    is_open = ChildIntent.objects.exists() or FollowUp.objects.exists()
    return not is_open and not Run.objects.filter(state=Run.State.RUNNING).exists()
