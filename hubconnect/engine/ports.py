"""What the engine needs from outside to carry out a plan."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from hubconnect.engine.plan import CreatePlan, UpdatePlan


class Journal(Protocol):
    """Remembers what is about to be sent, so that a crash leaves a trace of it."""

    def announce_creates(self, plans: Sequence[CreatePlan]) -> Mapping[str, CreatePlan]:
        """Store an intent for each plan, durably, and return the plans by idempotency key.

        The lease is renewed in the same step; it raises if another worker holds it now.
        """

    def announce_updates(self, plans: Sequence[UpdatePlan]) -> Mapping[str, UpdatePlan]:
        """Do the same for updates."""

    def withdraw(self, keys: Sequence[str]) -> None:
        """Forget intents whose request surely was not taken."""
