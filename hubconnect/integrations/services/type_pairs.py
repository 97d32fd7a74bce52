"""Finds the two object types of two accounts that own the links of a pair."""

from hubconnect.integrations.models import Pair, TypePair

Ends = tuple[tuple[str, str], tuple[str, str]]


def join(pair: Pair) -> None:
    """Give a pair its type pair, found or made, and store that."""
    recall(pair)
    if pair.type_pair is None:
        (left_identity, left_type), (right_identity, right_type) = _ends(pair)
        pair.type_pair, _ = TypePair.objects.get_or_create(
            left_identity=left_identity,
            left_type=left_type,
            right_identity=right_identity,
            right_type=right_type,
        )
    pair.save(update_fields=["type_pair", "is_swapped"])


def recall(pair: Pair) -> None:
    """Set a pair's type pair as activation would, in memory; None where there is none yet.

    Another integration may have met the two object types, the same or the other way round.
    """
    left, right = _ends(pair)
    swapped = _find(right, left)
    pair.type_pair = swapped if swapped is not None else _find(left, right)
    pair.is_swapped = swapped is not None


def _ends(pair: Pair) -> Ends:
    mapping = pair.mapping
    left = (mapping.left_system.identity, mapping.left_type)
    return left, (mapping.right_system.identity, mapping.right_type)


def _find(left: tuple[str, str], right: tuple[str, str]) -> TypePair | None:
    return TypePair.objects.filter(
        left_identity=left[0], left_type=left[1], right_identity=right[0], right_type=right[1]
    ).first()
