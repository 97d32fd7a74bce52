"""Check reports as they are stored with a system and as its page shows them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from hubconnect.connectors.base import (
    Ability,
    CheckReport,
    Grant,
    ObjectTypeReport,
    Preparation,
    Remark,
)
from hubconnect.core.wording import counted

Plain = dict[str, Any]  # JSON

# A clock is read from an answer's header, whose times are whole seconds.
_IN_STEP = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReport:
    """A report as its page shows it."""

    at: datetime
    took: timedelta
    calls: int
    facts: tuple[tuple[str, str], ...]
    grants: tuple[Grant, ...]
    object_types: tuple[ObjectTypeReport, ...]
    remarks: tuple[Remark, ...]
    preparations: tuple[Preparation, ...]

    @property
    def missing(self) -> list[Grant]:
        """Return the scopes that were not granted."""
        return [grant for grant in self.grants if grant.is_missing]

    @property
    def is_whole(self) -> bool:
        """Tell whether there is nothing to remark."""
        return not self.missing and not self.remarks

    @property
    def open_preparations(self) -> list[Preparation]:
        """Return what can still be set up in the account."""
        return [one for one in self.preparations if not one.is_done]

    @property
    def headline(self) -> str:
        """Return the report in a few words."""
        if self.missing:
            return f"Connected, {counted(len(self.missing), 'scope')} missing"
        return "Connected, with remarks" if self.remarks else "Connected"


def to_plain(
    report: CheckReport, *, at: datetime, took: timedelta, calls: int, clock_ahead: timedelta
) -> Plain:
    """Return a report in the form in which it is stored."""
    facts = [list(fact) for fact in report.facts]
    if all(label != "Clock" for label, _ in report.facts):
        facts.append(["Clock", _clock_words(clock_ahead)])
    return {
        "at": at.isoformat(),
        "took_s": took.total_seconds(),
        "calls": calls,
        "facts": facts,
        "grants": [asdict(one) for one in report.grants],
        "object_types": [asdict(one) for one in report.object_types],
        "remarks": [asdict(one) for one in report.remarks],
        "preparations": [asdict(one) for one in report.preparations],
    }


def from_plain(plain: Mapping[str, Any]) -> ShownReport:
    """Return a stored report as its page shows it."""
    return ShownReport(
        at=datetime.fromisoformat(plain["at"]),
        took=timedelta(seconds=plain["took_s"]),
        calls=plain["calls"],
        facts=tuple((label, text) for label, text in plain["facts"]),
        grants=tuple(Grant(**one) for one in plain["grants"]),
        object_types=tuple(_object_type(one) for one in plain["object_types"]),
        remarks=tuple(Remark(**one) for one in plain["remarks"]),
        preparations=tuple(Preparation(**one) for one in plain["preparations"]),
    )


def summary(report: CheckReport) -> str:
    """Return the few words that stand below the state in the list of systems."""
    missing = [grant for grant in report.grants if grant.is_missing]
    if missing:
        return f"{len(missing)} of {counted(len(report.grants), 'scope')} missing"
    if report.remarks:
        return report.remarks[0].message
    if report.grants:
        return f"all {counted(len(report.grants), 'scope')} granted"
    return counted(len(report.object_types), "object type")


def _object_type(plain: Mapping[str, Any]) -> ObjectTypeReport:
    return ObjectTypeReport(
        name=plain["name"],
        label=plain["label"],
        read=Ability(plain["read"]),
        write=Ability(plain["write"]),
        needed=plain["needed"],
    )


def _clock_words(ahead: timedelta) -> str:
    if abs(ahead) < _IN_STEP:
        return "In step with this server"
    way = "ahead of" if ahead > timedelta(0) else "behind"
    return f"{abs(ahead).total_seconds():.0f} s {way} this server"
