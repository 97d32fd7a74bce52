"""Remembers writes before they are sent: the engine's journal, in the database."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from hubconnect.engine.plan import CreatePlan, UpdatePlan, title_of
from hubconnect.engine.values import store_all
from hubconnect.integrations.models import Intent, PastCreate
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session

# Longer ids, such as those of keys made of texts, are hashed: systems keep short keys.
LONGEST_ID = 64


class IntentJournal:
    """Stores intents in one transaction with the renewal of the lease."""

    def __init__(self, session: Session, lookup_keys: Mapping[str, str]) -> None:
        """Keep what the records to create were looked up by, by source id."""
        self.session, self._lookup_keys = session, lookup_keys

    def announce_creates(self, plans: Sequence[CreatePlan]) -> Mapping[str, CreatePlan]:
        """Store an intent for each create; its key is the same each time it is tried."""
        generations = self._generations([plan.source.id for plan in plans])
        keyed = {
            self._key(plan.source.id, generations.get(plan.source.id, 1)): plan for plan in plans
        }
        self._store(Intent.Kind.CREATE, keyed)
        return keyed

    def announce_updates(self, plans: Sequence[UpdatePlan]) -> Mapping[str, UpdatePlan]:
        """Store an intent for each update, with what the target held before."""
        fence = self.session.lease.fence
        keyed = {f"{self._key(plan.source.id)}.u{fence}": plan for plan in plans}
        self._store(Intent.Kind.UPDATE, keyed)
        return keyed

    def withdraw(self, keys: Sequence[str]) -> None:
        """Forget intents whose request surely was not taken."""
        Intent.objects.filter(key__in=keys, fence=self.session.lease.fence).delete()

    def _generations(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Return which create of its counterpart is due, for records that had one before."""
        flow = self.session.flow
        found = PastCreate.objects.filter(
            type_pair_id=flow.pair.type_pair_id, side=flow.source_side, record_id__in=source_ids
        )
        return dict(found.values_list("record_id", "generation"))

    def _key(self, source_id: str, generation: int = 1) -> str:
        flow = self.session.flow
        if len(source_id) > LONGEST_ID:
            source_id = hashlib.sha256(source_id.encode(errors="surrogatepass")).hexdigest()
        return f"hc{flow.pair.type_pair_id}.{flow.source_side}.{source_id}.{generation}"

    def _store(self, kind: Intent.Kind, plans: Mapping[str, CreatePlan | UpdatePlan]) -> None:
        self.session.begin_writing(is_noted=True)
        sent_at = self.session.target.now()  # may be a call: once, and in no transaction
        intents = [self._intent(key, kind, plan, sent_at) for key, plan in plans.items()]
        with transaction.atomic():
            renew(self.session.lease)
            Intent.objects.bulk_create(intents)

    def _intent(
        self, key: str, kind: Intent.Kind, plan: CreatePlan | UpdatePlan, sent_at: datetime
    ) -> Intent:
        session, record = self.session, plan.source
        intent = Intent(
            type_pair_id=session.lease.type_pair_id,
            flow=session.flow,
            kind=kind,
            key=key,
            source_side=session.flow.source_side,
            source_id=record.id,
            source_version=record.version,
            source_values=store_all(record.values),
            title=title_of(record, session.spec.plan),
            sent_at=sent_at,
            fence=session.lease.fence,
            slice=session.slice,
        )
        if isinstance(plan, CreatePlan):
            intent.sent_values = store_all(plan.values)
            intent.lookup_key = self._lookup_keys.get(record.id, "")
        else:
            intent.target_id = plan.target.id
            intent.target_values = store_all(plan.target.values)
            intent.sent_values = store_all(plan.writes)
            intent.pairs = [["" if s in plan.stays else s, t] for s, t in plan.sent]
        return intent
