"""Which parts of the installation are at work: database, broker, worker, beat."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.models.functions import Now
from redis import Redis, RedisError

from hubconnect.core.heartbeats import SILENCE
from hubconnect.core.models import Heartbeat

log = structlog.get_logger(__name__)

BROKER_TIMEOUT_S = 1.0


class Name(StrEnum):
    """The parts, as they are asked for."""

    DATABASE = "database"
    BROKER = "broker"
    WORKER = "worker"
    BEAT = "beat"


class State(StrEnum):
    """What is known about a part."""

    OK = "ok"
    DOWN = "down"  # asked, and it did not answer
    SILENT = "silent"  # it gave no sign of life for too long, or never
    UNKNOWN = "unknown"  # whoever would know is down


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its state, the age of its last sign of life, and who gave signs lately."""

    name: Name
    state: State
    age: timedelta | None = None
    alive: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Tell whether it is at work."""
        return self.state == State.OK


def look(asked: Collection[Name] = tuple(Name)) -> list[Part]:
    """Return the parts asked for; at most one query, and one question to the broker."""
    parts = []
    if Name.BROKER in asked:
        parts.append(_broker())
    living = [name for name in (Name.WORKER, Name.BEAT) if name in asked]
    if living:
        parts += _living()
    elif Name.DATABASE in asked:
        parts.append(_database())
    order = list(Name)
    wanted = [part for part in parts if part.name in asked]
    return sorted(wanted, key=lambda part: order.index(part.name))


def _database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        log.exception("health.database_down")
        return Part(Name.DATABASE, State.DOWN)
    return Part(Name.DATABASE, State.OK)


def _broker() -> Part:
    try:
        # A connection of its own: health must not depend on a pool that others use up.
        with Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=BROKER_TIMEOUT_S,
            socket_timeout=BROKER_TIMEOUT_S,
        ) as redis:
            redis.ping()
    except RedisError as error:
        log.warning("health.broker_down", reason=type(error).__name__)
        return Part(Name.BROKER, State.DOWN)
    return Part(Name.BROKER, State.OK)


def _living() -> list[Part]:
    """Return database, worker and beat: the rows that tell of the latter answer for the first."""
    try:
        rows = list(Heartbeat.objects.annotate(now=Now()).values_list("part", "name", "at", "now"))
    except Error:
        log.exception("health.database_down")
        unknown = [Part(name, State.UNKNOWN) for name in (Name.WORKER, Name.BEAT)]
        return [Part(Name.DATABASE, State.DOWN), *unknown]
    found = [Part(Name.DATABASE, State.OK)]
    for name in (Name.WORKER, Name.BEAT):
        signs = {row[1]: max(row[3] - row[2], timedelta(0)) for row in rows if row[0] == name}
        youngest = min(signs.values(), default=None)
        alive = tuple(sorted(who for who, age in signs.items() if age < SILENCE))
        found.append(Part(name, State.OK if alive else State.SILENT, youngest, alive))
    return found
