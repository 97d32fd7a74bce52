"""What a comparison found and what may be done, with the names of the two systems."""

from dataclasses import dataclass
from typing import Any

from hubconnect.integrations.models import Pair, ReconcileFinding, Reconciliation
from hubconnect.integrations.services.remedying import REMEDIES
from hubconnect.systems.services import schema

Kind = ReconcileFinding.Kind
Remedy = ReconcileFinding.Remedy
State = ReconcileFinding.State


@dataclass(frozen=True, slots=True)
class Line:
    """One finding as a page shows it.

    Attributes:
        word: what is not the same.
        fields: label, left and right of each field that differs.
        remedies: value and words of what may be done now.
        side: the mapping's side under which the record's story is told, and its id.
    """

    finding: ReconcileFinding
    word: str
    mood: str
    reason: str
    fields: list[dict[str, Any]]
    remedies: list[tuple[str, str]]
    side: str
    record_id: str


class Words:
    """Words for one pair."""

    def __init__(self, pair: Pair) -> None:
        mapping = pair.mapping
        self.left, self.right = mapping.left_system, mapping.right_system
        self._types = {
            "left": schema.type_label(self.left, mapping.left_type),
            "right": schema.type_label(self.right, mapping.right_type),
        }

    def kind(self, kind: str) -> str:
        """Return what is not the same."""
        words = {
            Kind.DIFFERENT: "Different values",
            Kind.ONLY_LEFT: f"Missing in {self.right}",
            Kind.ONLY_RIGHT: f"Missing in {self.left}",
            Kind.UNLINKED: "There on both sides, not linked",
            Kind.UNCLEAR: "Cannot be carried",
            Kind.LEFT_GONE: f"Deleted in {self.left}",
            Kind.RIGHT_GONE: f"Deleted in {self.right}",
            Kind.BOTH_GONE: "Link without records",
        }
        return words[Kind(kind)]

    def remedy(self, remedy: Remedy) -> str:
        """Return what is done."""
        words = {
            Remedy.SYNC: "Sync now",
            Remedy.LINK: "Link them",
            Remedy.TAKE_LEFT: f"Take the values of {self.left}",
            Remedy.TAKE_RIGHT: f"Take the values of {self.right}",
            Remedy.RECREATE: "Create it again",
            Remedy.UNLINK: "Give the link up",
        }
        return words[remedy]

    def step(self, step: str) -> str:
        """Return what is gone through."""
        words = {
            Reconciliation.Step.LINKS: "Linked records",
            Reconciliation.Step.LEFT: f"{self._types['left']} of {self.left} without link",
            Reconciliation.Step.RIGHT: f"{self._types['right']} of {self.right} without link",
        }
        return words[Reconciliation.Step(step)]

    def line(self, finding: ReconcileFinding) -> Line:
        """Return a finding as a page shows it."""
        kind, state = Kind(finding.kind), State(finding.state)
        is_open = state in (State.OPEN, State.REFUSED)
        remedies = REMEDIES.get(kind, ()) if is_open else ()
        moods = {State.ASKED: "run", State.DONE: "ok", State.SOLVED: "ok"}
        side = "left" if finding.left_id and kind != Kind.LEFT_GONE else "right"
        return Line(
            finding=finding,
            word=self.kind(kind),
            mood=moods.get(state, "warn"),
            reason=finding.detail.get("reason", ""),
            fields=finding.detail.get("fields", []),
            remedies=[(one.value, self.remedy(one)) for one in remedies],
            side=side,
            record_id=finding.left_id if side == "left" else finding.right_id,
        )
