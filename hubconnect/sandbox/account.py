"""The account: its options, database, clock, limits and switches, shared by all requests."""

import random
import sqlite3
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hubconnect.sandbox.file_content import Contents
from hubconnect.sandbox.limits import Limits
from hubconnect.sandbox.moments import Clock
from hubconnect.sandbox.oauth_apps import OAuthState
from hubconnect.sandbox.options import Options
from hubconnect.sandbox.schema import Schema, load_schema
from hubconnect.sandbox.store import Store
from hubconnect.sandbox.switches import Switchboard


@dataclass(frozen=True, slots=True)
class Source:
    """Who writes: the entry history keeps beside each value."""

    type: str
    id: str | None = None
    user_id: int | None = None


CALCULATED = Source("CALCULATED")
REFUSED_EXTENSIONS = frozenset(["exe", "bat", "cmd", "com", "msi", "scr", "dll"])


class Account:
    """One HubSpot account.

    Attributes:
        index_delay_ms: shortest and longest time until search sees a change; may be changed.
        calculation_delay_ms: time until properties that tell of links change; None for never.
        is_index_frozen: whether search goes on showing what it shows now.
        more_currencies: currencies besides the company's own; may be changed.
        hidden_required: properties a create must set though no metadata says so, by object type.
        contents: what is in files, on disk beside the database.
        file_limit_bytes: largest file an upload may bring; may be changed.
        refused_extensions: types of files an upload may not bring; may be changed.
        calls: requests since the last reset, by kind of call.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = Clock()
        self.store = Store(options.database)
        self.limits = Limits(options.burst_limit, options.search_limit, options.daily_limit)
        self.contents = Contents(Path(f"{options.database}-files"))
        self.file_limit_bytes = options.file_limit
        self.refused_extensions = REFUSED_EXTENSIONS
        self.switches = Switchboard()
        self.oauth = OAuthState()
        low, high = options.index_delay_s
        self.index_delay_ms = (round(low * 1000), round(high * 1000))
        # Delays and the order of batch answers; nothing here guards a secret.
        self.random = random.Random(options.seed)  # noqa: S311
        self.calls: Counter[str] = Counter()
        self.calculation_delay_ms: int | None = round(options.calculation_delay_s * 1000)
        self.is_index_frozen = False
        self.hidden_required = dict(options.hidden_required)
        self.more_currencies: tuple[str, ...] = ()
        self._schemas: dict[str, Schema] = {}
        self._guard = threading.Lock()

    def schema(self, db: sqlite3.Connection, kind_name: str) -> Schema:
        """Return the schema of an object type, from memory when nothing changed it."""
        with self._guard:
            if kind_name not in self._schemas:
                self._schemas[kind_name] = load_schema(db, kind_name)
            return self._schemas[kind_name]

    def forget_schemas(self) -> None:
        """Read schemas anew; called once a change of properties or pipelines is committed."""
        with self._guard:
            self._schemas.clear()

    def user(self) -> Source:
        """Return how history names the person who works in HubSpot."""
        return Source("CRM_UI", f"userId:{self.options.user_id}", self.options.user_id)

    def visible_at(self, now: int) -> int:
        """Return when search will see what is written now."""
        return now + self.random.randint(*self.index_delay_ms)

    def count(self, call: str) -> None:
        """Count one request."""
        with self._guard:
            self.calls[call] += 1
