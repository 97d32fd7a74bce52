"""Mends the cause of failures in the mapping: pause, save, go on, retry, as one act."""

from collections.abc import Callable, Iterable

from django.db import transaction
from django.urls import reverse

from hubconnect.connectors.base import Value
from hubconnect.core.models import User
from hubconnect.core.wording import counted
from hubconnect.engine.mapping import Direction
from hubconnect.engine.values import as_text, from_stored
from hubconnect.integrations.models import Failure, FailureAct, Flow, Integration
from hubconnect.integrations.services import activation, acts, causes
from hubconnect.integrations.services.activation import ActivationRefusedError
from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import repairs
from hubconnect.mappings.services.repairs import Done, Refused, Repair, RepairFailedError


class FailureRepairer:
    """Tells the mapping editor about failures, and does what follows its saving."""

    def find(self, mapping: Mapping, key: int) -> Repair | None:
        """Return an open failure of this mapping as a refusal."""
        failure = causes.open_failures().filter(pk=key, flow__pair__mapping=mapping).first()
        if failure is None or not causes.is_mendable(failure):
            return None
        return Repair(
            key=failure.pk,
            message=failure.message,
            url=reverse("integrations:failure_detail", args=[failure.pk]),
            refused=tuple(_refused(failure)),
            pauses=tuple(str(one) for one in _active(mapping)),
            count=causes.others_like(failure) + 1,
        )

    def carry_out(self, mapping: Mapping, key: int, save: Callable[[], Mapping], by: User) -> Done:
        """Pause what uses the mapping, save, activate it again, retry all with this cause.

        Raises:
            RepairFailedError: before anything was changed.
        """
        failure = causes.open_failures().filter(pk=key, flow__pair__mapping=mapping).first()
        paused = list(_active(mapping))
        _ensure_can_go_on(paused)
        with transaction.atomic():
            for one in paused:
                activation.deactivate(one, by)
            saved = save()
        stuck = {one: reason for one in paused if (reason := _go_on(one, by))}
        retried = _retry(failure, by) if failure is not None else 0
        words = f"{saved} was saved as version {saved.version}."
        if stuck:
            url = reverse("integrations:activate", args=[next(iter(stuck)).pk])
            return Done(" ".join([words, *stuck.values()]), url, is_complete=False)
        words += f" {counted(retried, 'failure')} will be tried again with the next run."
        return Done(words, reverse("integrations:failure_list"))


def _refused(failure: Failure) -> Iterable[Refused]:
    flow = failure.flow
    way = Direction(flow.direction)
    for name, fault in _faults(failure).items():
        source = source_of(flow, name)
        value = from_stored(failure.source_values.get(source)) if source else None
        yield Refused(
            way=way,
            field=name,
            values=_texts(value),
            accepted=tuple(fault.get("accepted", ())),
            category=failure.category,
        )


def _texts(value: Value) -> tuple[str, ...]:
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    return tuple(filter(None, [as_text(value)]))


def _faults(failure: Failure) -> dict[str, dict[str, list[str]]]:
    """Return the first fault of each field, in their order."""
    found: dict[str, dict[str, list[str]]] = {}
    for fault in failure.faults:
        found.setdefault(fault["field"], fault)
    return found


def source_of(flow: Flow, target_field: str) -> str:
    """Return the source field whose row writes a target field, or ""."""
    names = ("left_field", "right_field") if flow.is_to_right else ("right_field", "left_field")
    rows = flow.pair.mapping.rows.filter(direction__in=(Direction.BOTH.value, flow.direction))
    found = rows.filter(**{names[1]: target_field}).values_list(names[0], flat=True)
    return str(found.first() or "")


def _active(mapping: Mapping) -> Iterable[Integration]:
    found = Integration.objects.filter(pairs__mapping=mapping, is_active=True)
    return found.select_related("left_system", "right_system").distinct()


def _ensure_can_go_on(paused: Iterable[Integration]) -> None:
    """Refuse to pause what could not be activated again as things stand.

    Raises:
        RepairFailedError: naming the reasons.
    """
    for one in paused:
        seen = activation.preview(one)
        reasons = [*seen.problems, *(text for flow in seen.flows for text in flow.sentences)]
        reasons += [f"{flow.flow} asks for a number to be confirmed." for flow in seen.to_confirm]
        if reasons:
            msg = (
                f"Nothing was saved, and {one} goes on as it is: once paused, it could not be "
                f"activated again now. {' '.join(reasons)}"
            )
            raise RepairFailedError(msg)


def _go_on(integration: Integration, by: User) -> str:
    """Activate again with what was confirmed before; return why it could not be done, or ""."""
    try:
        activation.activate(integration, by, confirmed={})
    except ActivationRefusedError as error:
        return (
            f"{integration} is paused, because it could not be activated again: {error} "
            "Correct this, then activate it here; the failures are tried with its first run."
        )
    return ""


def _retry(failure: Failure, by: User) -> int:
    return acts.all_that_fit(FailureAct.Kind.RETRY, {"cause": failure.cause}, by).total


def register() -> None:
    """Have the mapping editor ask."""
    repairs.register(FailureRepairer())
