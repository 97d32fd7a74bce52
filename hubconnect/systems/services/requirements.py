"""Fields that a system demands though its description hides it; learned from its refusals."""

from collections.abc import Mapping

from hubconnect.systems.models import LearnedRequirement, System


def learn(system: System, object_type: str, demanded: Mapping[str, str]) -> None:
    """Remember fields with the words of the refusal; what is known already stays as it is."""
    LearnedRequirement.objects.bulk_create(
        [
            LearnedRequirement(system=system, object_type=object_type, field=name, words=words)
            for name, words in demanded.items()
        ],
        ignore_conflicts=True,
    )


def learned(system: System, object_type: str) -> dict[str, str]:
    """Return the fields that are demanded beside the described ones, with the words of old."""
    found = LearnedRequirement.objects.filter(system=system, object_type=object_type)
    return dict(found.values_list("field", "words"))


def forget(system: System, object_type: str, name: str) -> None:
    """Take a requirement back: a person says that the system no longer has it."""
    LearnedRequirement.objects.filter(system=system, object_type=object_type, field=name).delete()
