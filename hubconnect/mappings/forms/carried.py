"""What a mapping carries beside fields: associations, comments, files, mentions."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import BaseFormSet

from hubconnect.connectors.base import Capability
from hubconnect.connectors.children import AssociationType
from hubconnect.engine.checks import Side
from hubconnect.engine.mapping import Direction
from hubconnect.mappings.forms.rows import ARROWS
from hubconnect.mappings.models import AssociationMapping, Carried, Mapping
from hubconnect.mappings.services.sides import Sides

MOST_ASSOCIATIONS: Final = 50
ENDING_LENGTH: Final = 12
# What a choice of ways needs to know; the page neither shows nor sends it where nothing is carried.
SETTINGS: Final = {
    "comments": ("comment_edits", "comment_conflict"),
    "files": ("file_max_mb", "file_refused_types", "file_allowed_types"),
}


def carried_choices(sides: Sides) -> list[tuple[str, str]]:
    """Return whether and which way, with the systems' names."""
    left, right = sides.left.system, sides.right.system
    return [
        (Carried.NO.value, "Not carried"),
        (Carried.BOTH.value, f"Both ways: {left} ↔ {right}"),
        (Carried.TO_RIGHT.value, f"{left} → {right}"),
        (Carried.TO_LEFT.value, f"{right} → {left}"),
    ]


def why_not(sides: Sides, capability: Capability) -> str:
    """Return why this cannot be carried between the two object types, or ""."""
    for side in (sides.left, sides.right):
        if capability not in side.type.capabilities:
            told = side.type.why_not.get(capability, "")
            return told or f"{side.type.label} in {side.system} have no {capability}."
    return ""


class EndingsField(forms.CharField):
    """Endings of file names, parted by commas or spaces."""

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - as Django has it
        """Show a stored list as text."""
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:  # noqa: ANN401
        """Return the endings in lower case, without dots."""
        text = super().clean(value) or ""
        endings = [part.strip(". ").lower() for part in text.replace(",", " ").split()]
        for one in endings:
            if not one.isalnum() or len(one) > ENDING_LENGTH:
                msg = f"“{one}” is not the ending of a file name. Write them like: exe, bat, js."
                raise ValidationError(msg)
        return list(dict.fromkeys(endings))


class CarriedForm(forms.ModelForm[Mapping]):
    """Comments, files and mentions of a mapping."""

    use_required_attribute = False

    file_refused_types = EndingsField(required=False, label="Refused types")
    file_allowed_types = EndingsField(required=False, label="Allowed types")
    version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Mapping
        fields = (
            "comments",
            "comment_author_to_right",
            "comment_author_to_left",
            "comment_time_to_right",
            "comment_time_to_left",
            "comment_edits",
            "comment_conflict",
            "files",
            "file_max_mb",
            "file_refused_types",
            "file_allowed_types",
            "mentions",
        )

    def __init__(self, *args: Any, sides: Sides, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sides = sides
        self.initial["version"] = self.instance.version
        self.no_comments = why_not(sides, Capability.COMMENTS)
        self.no_files = why_not(sides, Capability.ATTACHMENTS)
        left, right = sides.left.system, sides.right.system
        labels = {
            "comments": "Comments",
            "comment_author_to_right": f"{left} → {right}",
            "comment_author_to_left": f"{right} → {left}",
            "comment_time_to_right": f"{left} → {right}",
            "comment_time_to_left": f"{right} → {left}",
            "comment_edits": "When a comment is edited",
            "comment_conflict": "When it was edited on both sides",
            "files": "Attachments",
            "file_max_mb": "Largest file (MB)",
            "mentions": "Carry mentions of users",
        }
        for name, label in labels.items():
            self.fields[name].label = label
        for name, reason in (("comments", self.no_comments), ("files", self.no_files)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the type checker
            choices = carried_choices(sides)
            field.choices = choices[:1] if reason else choices
            field.required = False
            field.mark_optional = False  # type: ignore[attr-defined]  # {% field %}'s
        conflict = self.fields["comment_conflict"]
        assert isinstance(conflict, forms.ChoiceField)  # noqa: S101  for the type checker
        conflict.choices = [
            ("ask", "Ask a person: a failure shows both"),
            ("left", f"{left} wins"),
            ("right", f"{right} wins"),
        ]
        for name in self._unused:
            self.fields[name].required = False

    @property
    def _unused(self) -> list[str]:
        """Return the settings of what was chosen not to be carried."""
        if not self.is_bound:
            return []
        return [one for name, needs in SETTINGS.items() if not self[name].value() for one in needs]

    @property
    def comment_ways(self) -> list[str]:
        """Return the directions in which comments are carried, as chosen."""
        return _ways(str(self["comments"].value() or ""))

    @property
    def file_ways(self) -> list[str]:
        """Return the directions in which files are carried, as chosen."""
        return _ways(str(self["files"].value() or ""))

    def clean(self) -> dict[str, Any]:
        """Refuse an ending that is both refused and allowed; keep or drop what does not apply."""
        data = super().clean() or self.cleaned_data
        data |= {name: self.initial[name] for name in self._unused}
        unused = {Direction.TO_RIGHT.value, Direction.TO_LEFT.value} - set(self.comment_ways)
        data |= {f"comment_{what}_{way}": False for what in ("author", "time") for way in unused}
        both = set(data.get("file_refused_types") or ()) & set(data.get("file_allowed_types") or ())
        if both:
            self.add_error("file_allowed_types", f"{min(both)} is refused above.")
        return data


def _ways(chosen: str) -> list[str]:
    both = [Direction.TO_RIGHT.value, Direction.TO_LEFT.value]
    return both if chosen == Carried.BOTH else [one for one in both if one == chosen]


class AssociationForm(forms.Form):
    """One kind of link on the left = one on the right."""

    use_required_attribute = False

    left = forms.ChoiceField(error_messages={"required": "Choose a link on the left."})
    direction = forms.ChoiceField(choices=ARROWS)
    right = forms.ChoiceField(error_messages={"required": "Choose a link on the right."})
    must_exist = forms.BooleanField(
        required=False, label="Fail if the linked record does not exist on the other side"
    )
    carries_removal = forms.BooleanField(
        required=False,
        initial=True,
        label="A link taken away on one side is taken away on the other too",
    )
    default_left = forms.CharField(required=False, max_length=255)
    default_right = forms.CharField(required=False, max_length=255)

    def __init__(
        self,
        *args: Any,
        sides: Sides,
        types: tuple[dict[str, AssociationType], dict[str, AssociationType]],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.sides, self.types = sides, types
        for name, known, side in zip(
            ("left", "right"), types, (sides.left, sides.right), strict=True
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the type checker
            field.choices = _grouped(known, str(self[name].value() or ""))
            field.error_messages["invalid_choice"] = (
                f"{side.system} has no such link (any more). Choose another, or remove the row."
            )
        self.fields["default_left"].label = f"Default record in {sides.left.system}"
        self.fields["default_right"].label = f"Default record in {sides.right.system}"

    @property
    def far(self) -> tuple[str, str]:
        """Return the object types of the chosen far ends, "" where none is chosen."""
        return _far(self.types[0], self["left"].value()), _far(self.types[1], self["right"].value())

    @property
    def writes_left(self) -> bool:
        """Tell whether links are made on the left."""
        return str(self["direction"].value()) != Direction.TO_RIGHT.value

    @property
    def writes_right(self) -> bool:
        """Tell whether links are made on the right."""
        return str(self["direction"].value()) != Direction.TO_LEFT.value

    def clean(self) -> dict[str, Any]:
        """Refuse to write where a link can only be read; drop defaults that do not apply."""
        data = super().clean() or self.cleaned_data
        direction = data.get("direction", "")
        for name, known, side, unused in (
            ("left", self.types[0], self.sides.left, Direction.TO_RIGHT),
            ("right", self.types[1], self.sides.right, Direction.TO_LEFT),
        ):
            chosen = known.get(data.get(name, ""))
            if direction == unused:
                data[f"default_{name}"] = ""
            elif chosen is not None and not chosen.can_write:
                self.add_error(name, f"{side.system} only lets this link be read.")
            if chosen is None and data.get(name):
                self.add_error(name, self.fields[name].error_messages["invalid_choice"])
        return data

    def row(self, mapping: Mapping, position: int) -> AssociationMapping:
        """Return the row, unsaved."""
        data = self.cleaned_data
        left, right = self.types[0][data["left"]], self.types[1][data["right"]]
        return AssociationMapping(
            mapping=mapping,
            position=position,
            left_association=left.name,
            left_to_type=left.to_type,
            right_association=right.name,
            right_to_type=right.to_type,
            direction=data["direction"],
            must_exist=data["must_exist"],
            carries_removal=data["carries_removal"],
            default_left=data["default_left"],
            default_right=data["default_right"],
        )


def _far(types: dict[str, AssociationType], name: object) -> str:
    found = types.get(str(name or ""))
    return found.to_type if found is not None else ""


def _grouped(types: dict[str, AssociationType], now: str) -> list[tuple[str, Any]]:
    """Return the options below the object types they lead to; one that is gone stays choosable."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in types.values():
        groups.setdefault(one.to_type, []).append((one.name, one.label))
    choices: list[tuple[str, Any]] = [("", "Choose a link"), *sorted(groups.items())]
    return choices if not now or now in types else [*choices, (now, f"{now} (gone)")]


class BaseAssociationFormSet(BaseFormSet[AssociationForm]):
    """The associations of a mapping."""

    def clean(self) -> None:
        """Refuse the same pair twice, and one record's link written by two rows."""
        if any(self.errors):
            return
        seen: set[tuple[str, str]] = set()
        for form in self.forms:
            pair = (form.cleaned_data["left"], form.cleaned_data["right"])
            if pair in seen:
                form.add_error("left", "Another row pairs the same two links.")
            seen.add(pair)

    def rows(self, mapping: Mapping) -> list[AssociationMapping]:
        """Return the rows, unsaved."""
        return [form.row(mapping, position) for position, form in enumerate(self.forms)]


AssociationFormSet: type[BaseAssociationFormSet] = forms.formset_factory(  # type: ignore[assignment]  # the stubs forget the base
    AssociationForm,
    formset=BaseAssociationFormSet,
    extra=0,
    max_num=MOST_ASSOCIATIONS,
    absolute_max=MOST_ASSOCIATIONS,
)


def initial_of(rows: Sequence[AssociationMapping]) -> list[dict[str, Any]]:
    """Return stored rows in the shape of their forms."""
    return [
        {
            "left": row.left_association,
            "right": row.right_association,
            "direction": row.direction,
            "must_exist": row.must_exist,
            "carries_removal": row.carries_removal,
            "default_left": row.default_left,
            "default_right": row.default_right,
        }
        for row in rows
    ]


def lonely_side(side: Side, rows: Sequence[AssociationMapping], *, is_left: bool) -> str:
    """Return why records cannot be created on a side for want of a link, as a sentence, or ""."""
    needed = side.type.needs_association
    writing = Direction.TO_LEFT if is_left else Direction.TO_RIGHT
    ends = {
        row.left_to_type if is_left else row.right_to_type
        for row in rows
        if row.direction in (Direction.BOTH, writing)
    }
    if not needed or ends & set(needed):
        return ""
    return (
        f"{side.type.label} can only be created in {side.system} with a link to one of "
        f"{', '.join(needed)}: without it nobody would see them there. Add such an association, "
        "or a record that has none becomes a failure."
    )
