"""Stores what the integration forms say. An active integration is never changed."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max

from hubconnect.integrations.models import ChildIntent, Flow, Integration, Intent, Pair
from hubconnect.mappings.models import Direction, Mapping

FLOW_DIRECTIONS = (Direction.TO_RIGHT, Direction.TO_LEFT)


class ChangeRefusedError(Exception):
    """What a form asks for would do harm now; the text says why, and what to do."""


class WritesUnsettledError(ChangeRefusedError):
    """What is to go has written something of which nobody knows yet whether it was stored."""

    def __init__(self, other: Integration) -> None:
        super().__init__(
            "Replies to its writes were lost, and what became of them is not known yet. If it went "
            f"now, {other} could take what they made for new records. A run over the same object "
            "types finds it out: wait for one, or activate one of both; then try again."
        )


class IntegrationActiveError(ChangeRefusedError):
    """What is to be changed is at work."""

    def __init__(self, integration: Integration) -> None:
        super().__init__(f"{integration} is active. Deactivate it first, then change it.")


def _lock_inactive(integration_id: int) -> Integration:
    """Return the integration, locked, so that nobody activates it meanwhile.

    Raises:
        IntegrationActiveError: it is active.
    """
    integration = Integration.objects.select_for_update().get(pk=integration_id)
    if integration.is_active:
        raise IntegrationActiveError(integration)
    return integration


@transaction.atomic
def save_integration(integration: Integration) -> Integration:
    """Store a checked integration.

    Raises:
        IntegrationActiveError: it is active.
    """
    if integration.pk is not None:
        _lock_inactive(integration.pk)
    integration.save()
    return integration


@transaction.atomic
def delete_integration(integration: Integration) -> None:
    """Delete an inactive integration with its history; links stay with the two accounts.

    Raises:
        IntegrationActiveError: it is active.
        WritesUnsettledError: it has open writes, and another integration has the same records.
    """
    row = _lock_inactive(integration.pk)
    _refuse_unsettled(row.pairs.all())
    row.delete()


def mappings_for(integration: Integration) -> list[Mapping]:
    """Return the mappings between the integration's two systems, whichever way they were drawn."""
    systems = {integration.left_system_id, integration.right_system_id}
    return list(
        Mapping.objects.filter(left_system__in=systems, right_system__in=systems)
        .exclude(left_system=integration.left_system_id, right_system=integration.left_system_id)
        .exclude(left_system=integration.right_system_id, right_system=integration.right_system_id)
        .select_related("left_system", "right_system")
    )


@transaction.atomic
def add_pair(integration: Integration, mapping: Mapping, directions: Iterable[str]) -> Pair:
    """Put a mapping to work, with a flow for each direction.

    Raises:
        IntegrationActiveError: the integration is active.
    """
    _lock_inactive(integration.pk)
    last = integration.pairs.aggregate(last=Max("position"))["last"]
    pair = Pair.objects.create(
        integration=integration, mapping=mapping, position=0 if last is None else last + 1
    )
    chosen = set(directions)
    for direction in FLOW_DIRECTIONS:
        Flow.objects.create(pair=pair, direction=direction, is_enabled=direction in chosen)
    return pair


@transaction.atomic
def remove_pair(pair: Pair) -> None:
    """Take a pair out of its integration, with the history of its flows; links stay.

    Raises:
        IntegrationActiveError: the integration is active.
        WritesUnsettledError: it has open writes, and another pair has the same records.
    """
    _lock_inactive(pair.integration_id)
    _refuse_unsettled([pair])
    pair.delete()


def _refuse_unsettled(pairs: Iterable[Pair]) -> None:
    """Keep pairs whose lost replies hold records back from another pair over the same types.

    Raises:
        WritesUnsettledError: naming an integration of the other pair.
    """
    going = [pair.pk for pair in pairs]
    for model in (Intent, ChildIntent):
        unsettled = model.objects.filter(flow__pair__in=going).values_list("type_pair", flat=True)
        others = Pair.objects.filter(type_pair__in=unsettled).exclude(pk__in=going)
        other = others.select_related("integration").order_by("-integration__is_active").first()
        if other is not None:
            raise WritesUnsettledError(other.integration)


@transaction.atomic
def move_pair_up(pair: Pair) -> None:
    """Have a pair run before the one above it.

    Raises:
        IntegrationActiveError: the integration is active.
    """
    integration = _lock_inactive(pair.integration_id)
    ordered = list(integration.pairs.all())
    place = ordered.index(pair)
    if place:
        ordered[place - 1 : place + 1] = [ordered[place], ordered[place - 1]]
    for position, one in enumerate(ordered):
        if one.position != position:
            one.position = position
            one.save(update_fields=["position"])


@transaction.atomic
def save_pair(pair: Pair) -> None:
    """Store a pair's own settings.

    Raises:
        IntegrationActiveError: the integration is active.
    """
    _lock_inactive(pair.integration_id)
    pair.save()


@transaction.atomic
def save_flows(pair: Pair, flows: Iterable[Flow]) -> None:
    """Store the settings of a pair's flows. One whose start changed begins anew.

    What was carried already is recognised by its links, so beginning anew doubles nothing.

    Raises:
        IntegrationActiveError: the integration is active.
    """
    _lock_inactive(pair.integration_id)
    for flow in flows:
        stored = Flow.objects.get(pk=flow.pk)
        if (stored.start, stored.start_at) != (flow.start, flow.start_at):
            begin_anew(flow)
        flow.save()


def begin_anew(flow: Flow) -> None:
    """Forget how far a flow has read; not stored yet."""
    flow.phase = Flow.Phase.NEW
    flow.window_lower = flow.window_upper = None
    flow.after_id = flow.spec_hash = ""
    flow.is_window_open = flow.is_second_pass = False
    flow.creates_confirmed = flow.widened_from = None
