"""The editor's rows: a form set whose forms hold a form set of value pairs each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.forms.formsets import BaseFormSet

from hubconnect.connectors.base import Field, ValueType
from hubconnect.engine.checks import OPTION_TYPES
from hubconnect.engine.mapping import Conflict, Direction, FieldRule, ValuePair, When
from hubconnect.mappings.services.editing import UNCHOSEN
from hubconnect.mappings.services.sides import Sides

ARROWS: Final = (
    (Direction.BOTH.value, "↔"),
    (Direction.TO_RIGHT.value, "→"),
    (Direction.TO_LEFT.value, "←"),
)
TIMES: Final = (
    (When.BOTH.value, "Both"),
    (When.CREATE.value, "Create"),
    (When.UPDATE.value, "Update"),
)
MOST_ROWS: Final = 1000
EMPTY: Final = "(empty)"


class PairForm(forms.Form):
    """One pair of a value map."""

    use_required_attribute = False

    left = forms.CharField(required=False, max_length=255)
    direction = forms.ChoiceField(choices=ARROWS, required=False)
    right = forms.CharField(required=False, max_length=255)

    def __init__(self, *args: Any, ends: tuple[Field | None, Field | None], **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in zip(("left", "right"), ends, strict=True):
            if field is not None and field.options:
                self.fields[name].widget = forms.Select(
                    choices=_options(field, EMPTY, str(self[name].value() or ""))
                )

    def pair_now(self) -> ValuePair:
        """Return the pair as it stands in the boxes, also before it was checked."""
        left, right = (str(self[name].value() or "") for name in ("left", "right"))
        way = str(self["direction"].value())
        return ValuePair(left, right, Direction(way) if way in set(Direction) else Direction.BOTH)

    def pair(self) -> ValuePair | None:
        """Return the pair, or None when both ends are empty."""
        data = self.cleaned_data
        left, right = data.get("left", ""), data.get("right", "")
        if not left and not right:
            return None
        return ValuePair(left, right, Direction(data.get("direction") or Direction.BOTH))


PairFormSet: type[BaseFormSet[PairForm]] = forms.formset_factory(
    PairForm, extra=0, max_num=MOST_ROWS, absolute_max=MOST_ROWS
)


class RowForm(forms.Form):
    """One row of a mapping."""

    use_required_attribute = False

    left = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)
    right = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)
    direction = forms.ChoiceField(choices=ARROWS)
    when = forms.ChoiceField(choices=TIMES, required=False)
    conflict = forms.ChoiceField(required=False)
    overwrite = forms.ChoiceField(choices=(("", "No"), ("on", "Yes")), required=False)
    default_left = forms.CharField(required=False)
    default_right = forms.CharField(required=False)
    cut_text = forms.BooleanField(required=False)
    is_open = forms.BooleanField(required=False)

    def __init__(self, *args: Any, sides: Sides, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sides = sides
        left_name, right_name = (str(self[name].value() or "") for name in ("left", "right"))
        self.left_field = sides.left.fields.get(left_name)
        self.right_field = sides.right.fields.get(right_name)
        self.left_name, self.right_name = left_name, right_name
        self._set_choices()
        self._set_default_boxes()
        self._offer_replacements()
        self.pairs = self._build_pairs()

    # --- Building --------------------------------------------------------------------------------

    def _set_choices(self) -> None:
        conflict = self.fields["conflict"]
        assert isinstance(conflict, forms.ChoiceField)  # noqa: S101  for the type checker
        conflict.choices = [
            (Conflict.NONE.value, "No detection"),
            (Conflict.LEFT.value, f"{self.sides.left.system} wins"),
            (Conflict.RIGHT.value, f"{self.sides.right.system} wins"),
            (Conflict.ASK.value, "Ask a person"),
        ]

    def _set_default_boxes(self) -> None:
        for name, field in (("default_left", self.left_field), ("default_right", self.right_field)):
            now = str(self[name].value() or "")
            if field is None:
                continue
            if field.type is ValueType.BOOLEAN:
                choices = [("", "none"), ("true", "Yes"), ("false", "No")]
                self.fields[name].widget = forms.Select(choices=choices)
            elif field.type is ValueType.OPTION and field.options:
                self.fields[name].widget = forms.Select(choices=_options(field, "none", now))
            else:
                self.fields[name].widget = forms.TextInput(attrs={"placeholder": "none"})

    def _offer_replacements(self) -> None:
        """Let a field that is gone be replaced where it stands."""
        for name, field, side in (
            ("left", self.left_field, self.sides.left),
            ("right", self.right_field, self.sides.right),
        ):
            gone = self.left_name if name == "left" else self.right_name
            if gone and field is None:
                choices = [(gone, f"{gone} (gone)")]
                choices += [
                    (one.name, f"{one.label} ({one.name})") for one in _by_label(side.fields)
                ]
                self.fields[name].widget = forms.Select(choices=choices)

    def _build_pairs(self) -> BaseFormSet[PairForm]:
        return PairFormSet(
            self.data if self.is_bound else None,
            prefix=f"{self.prefix}-pairs",
            initial=self.initial.get("pairs", []),
            form_kwargs={"ends": (self.left_field, self.right_field)},
        )

    # --- What the page asks ----------------------------------------------------------------------

    @property
    def direction_now(self) -> Direction:
        """Return the direction as chosen, also before it was checked."""
        try:
            return Direction(str(self["direction"].value()))
        except ValueError:
            return Direction.BOTH

    @property
    def flows_one_way(self) -> bool:
        """Tell whether overwrite applies."""
        return self.direction_now is not Direction.BOTH

    @property
    def writes_left(self) -> bool:
        """Tell whether the row writes to the left side, so that it may have a default there."""
        return bool(self.left_name) and self.direction_now is not Direction.TO_RIGHT

    @property
    def writes_right(self) -> bool:
        """Tell whether the row writes to the right side."""
        return bool(self.right_name) and self.direction_now is not Direction.TO_LEFT

    @property
    def has_options(self) -> bool:
        """Tell whether the row can have a value map."""
        fields = (self.left_field, self.right_field)
        both = all(field is not None for field in fields)
        return both and any(f is not None and f.type in OPTION_TYPES and f.options for f in fields)

    @property
    def may_cut(self) -> bool:
        """Tell whether a target of the row holds text of limited length."""
        left = self.writes_left and self.left_field is not None and self.left_field.max_length
        right = self.writes_right and self.right_field is not None and self.right_field.max_length
        return bool(left or right)

    @property
    def label(self) -> str:
        """Return what the row is called in sentences."""
        field = self.left_field or self.right_field
        return field.label if field is not None else self.left_name or self.right_name

    # --- Cleaning --------------------------------------------------------------------------------

    def is_valid(self) -> bool:
        """Check the value pairs with the row."""
        return super().is_valid() and self.pairs.is_valid()

    def rule(self) -> FieldRule:
        """Return the row as the engine reads it. What its direction does not use is dropped."""
        data = self.cleaned_data
        direction = Direction(data["direction"])
        pairs = [form.pair() for form in self.pairs.forms]
        return FieldRule(
            left=data["left"],
            right=data["right"],
            direction=direction,
            when=When(data["when"] or When.BOTH),
            conflict=Conflict(data["conflict"] or Conflict.NONE),
            overwrite=bool(data["overwrite"]),
            default_left=data["default_left"] if direction is not Direction.TO_RIGHT else "",
            default_right=data["default_right"] if direction is not Direction.TO_LEFT else "",
            cut_text=data["cut_text"],
            value_map=tuple(dict.fromkeys(pair for pair in pairs if pair is not None)),
        )


class BaseRowFormSet(BaseFormSet[RowForm]):
    """The rows of the editor."""

    def is_valid(self) -> bool:
        """Check every row with its value pairs."""
        return super().is_valid() and all([form.is_valid() for form in self.forms])  # noqa: C419  all are to be checked

    def rules(self) -> list[FieldRule]:
        """Return the rows as the engine reads them, once they are valid."""
        return [form.rule() for form in self.forms]

    def open_rows(self) -> set[int]:
        """Return the positions of the rows whose further settings are unfolded."""
        return {at for at, form in enumerate(self.forms) if form["is_open"].value()}


RowFormSet: type[BaseRowFormSet] = forms.formset_factory(  # type: ignore[assignment]  # the stubs forget the base
    RowForm, formset=BaseRowFormSet, extra=0, max_num=MOST_ROWS, absolute_max=MOST_ROWS
)


def row_formset(
    sides: Sides,
    *,
    data: Mapping[str, Any] | None = None,
    rules: Sequence[FieldRule] = (),
    open_rows: frozenset[int] | set[int] = frozenset(),
) -> BaseRowFormSet:
    """Return the rows as they were sent, or of these rules."""
    initial = [initial_of(rule, is_open=at in open_rows) for at, rule in enumerate(rules)]
    return RowFormSet(
        data,
        prefix="rows",
        initial=None if data is not None else initial,
        form_kwargs={"sides": sides},
    )


def initial_of(rule: FieldRule, *, is_open: bool) -> dict[str, Any]:
    """Return a rule in the shape of its form."""
    return {
        "left": rule.left,
        "right": rule.right,
        "direction": rule.direction.value,
        "when": rule.when.value,
        "conflict": rule.conflict.value,
        "overwrite": "on" if rule.overwrite else "",
        "default_left": rule.default_left,
        "default_right": rule.default_right,
        "cut_text": rule.cut_text,
        "is_open": is_open,
        "pairs": [
            {"left": one.left, "right": one.right, "direction": one.direction.value}
            for one in rule.value_map
        ],
    }


def _options(field: Field, empty: str, now: str) -> list[tuple[str, str]]:
    """Return the options of a select, with the present value also when it is gone."""
    choices = [("", empty), *((one.value, one.label) for one in field.options)]
    if now == UNCHOSEN:
        choices.insert(0, (UNCHOSEN, "Choose"))
    elif now and all(now != value for value, _ in choices):
        choices.append((now, f"{now} (gone)"))
    return choices


def _by_label(fields: Mapping[str, Field]) -> list[Field]:
    return sorted(fields.values(), key=lambda one: one.label.lower())
