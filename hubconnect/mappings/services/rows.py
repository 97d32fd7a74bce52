"""The rows of a mapping: read as rules, and saved."""

from collections.abc import Sequence

from auditlog.models import LogEntry
from django.db import transaction

from hubconnect.engine.mapping import Conflict, Direction, FieldRule, ValuePair, When
from hubconnect.mappings.models import FieldMapping, Mapping, ValueMapEntry
from hubconnect.mappings.services import usage


class ChangedMeanwhileError(Exception):
    """Somebody else saved the mapping since it was opened."""


def read_rules(mapping: Mapping) -> list[FieldRule]:
    """Return the rows of a mapping in their order."""
    return [_rule(row) for row in mapping.rows.prefetch_related("value_map")]


def lock_version(mapping: Mapping, version: int, advice: str) -> Mapping:
    """Return the stored mapping, locked, if it is still the one that was edited.

    Raises:
        InUseError: an active integration uses it.
        ChangedMeanwhileError: it is not; ``advice`` says what to do.
    """
    locked = Mapping.objects.select_for_update().get(pk=mapping.pk)
    usage.ensure_editable(locked)
    if locked.version != version:
        msg = (
            f"Somebody saved version {locked.version} while you edited version {version}. {advice}"
        )
        raise ChangedMeanwhileError(msg)
    return locked


@transaction.atomic
def save_rules(mapping: Mapping, rules: Sequence[FieldRule], *, name: str, version: int) -> Mapping:
    """Replace the rows of a mapping, as of its next version.

    Raises:
        InUseError: an active integration uses it.
        ChangedMeanwhileError: its version is no longer the one that was edited.
    """
    advice = "Your rows are still here: save again to put them in its place, or reload the page."
    locked = lock_version(mapping, version, advice)
    before = read_rules(locked)
    locked.rows.all().delete()
    _store(locked, rules)
    locked.name = name
    locked.version += 1
    locked.save()
    _note(locked, before, rules)
    return locked


def copy_rules(source: Mapping, target: Mapping) -> None:
    """Give a new mapping the rows of another."""
    _store(target, read_rules(source))


def _store(mapping: Mapping, rules: Sequence[FieldRule]) -> None:
    rows = FieldMapping.objects.bulk_create(
        FieldMapping(
            mapping=mapping,
            position=position,
            left_field=rule.left,
            right_field=rule.right,
            direction=rule.direction.value,
            when=rule.when.value,
            conflict=rule.conflict.value,
            overwrite=rule.overwrite,
            default_left=rule.default_left,
            default_right=rule.default_right,
            cut_text=rule.cut_text,
        )
        for position, rule in enumerate(rules)
    )
    ValueMapEntry.objects.bulk_create(
        ValueMapEntry(
            row=row,
            position=position,
            left_value=pair.left,
            right_value=pair.right,
            direction=pair.direction.value,
        )
        for row, rule in zip(rows, rules, strict=True)
        for position, pair in enumerate(rule.value_map)
    )


def _rule(row: FieldMapping) -> FieldRule:
    return FieldRule(
        left=row.left_field,
        right=row.right_field,
        direction=Direction(row.direction),
        when=When(row.when),
        conflict=Conflict(row.conflict),
        overwrite=row.overwrite,
        default_left=row.default_left,
        default_right=row.default_right,
        cut_text=row.cut_text,
        value_map=tuple(
            ValuePair(one.left_value, one.right_value, Direction(one.direction))
            for one in row.value_map.all()
        ),
    )


def _note(mapping: Mapping, before: Sequence[FieldRule], after: Sequence[FieldRule]) -> None:
    """Leave one entry in the audit trail that names each row that came, changed or went."""
    old = {(rule.left, rule.right): rule for rule in before}
    new = {(rule.left, rule.right): rule for rule in after}
    changes = {
        f"{left or '(none)'} ↔ {right or '(none)'}": [
            _words(old.get((left, right))),
            _words(new.get((left, right))),
        ]
        for left, right in {**old, **new}
        if old.get((left, right)) != new.get((left, right))
    }
    if changes:
        LogEntry.objects.log_create(mapping, action=LogEntry.Action.UPDATE, changes=changes)


def _words(rule: FieldRule | None) -> str:
    """Return the settings of a row in one line, "" for no row."""
    if rule is None:
        return ""
    parts = [rule.direction.value, f"when {rule.when.value}", f"conflict {rule.conflict.value}"]
    parts += ["overwrite"] if rule.overwrite else []
    parts += ["cut"] if rule.cut_text else []
    parts += [f"default left {rule.default_left}"] if rule.default_left else []
    parts += [f"default right {rule.default_right}"] if rule.default_right else []
    parts += [f"{one.left} = {one.right} ({one.direction.value})" for one in rule.value_map]
    return ", ".join(parts)
