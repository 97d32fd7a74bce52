"""Has one side's values win over another's, field by field, for two linked records.

It is done by what counts as agreed on: the other side's value. The chosen side then holds an edit
of its own, and the flow that reads from it carries that edit like any other.
"""

from collections.abc import Sequence

from hubconnect.engine.comparing import Compared
from hubconnect.engine.values import Stored, as_text, to_stored
from hubconnect.integrations.models import Link, Pair, Side

LEFT = "left"


def take(link: Link, pair: Pair, side: str, rows: Sequence[Compared]) -> int:
    """Let the mapping's ``side`` win where both differ; return how many fields that is.

    Called with the lease of the type pair; ``rows`` are read just now. Only rows that flow from
    the chosen side to the other can be carried.
    """
    is_left = side == LEFT
    mine = Side.LEFT if is_left != pair.is_swapped else Side.RIGHT
    my_base: dict[str, list[Stored]] = getattr(link, f"{mine}_base")
    other_base: dict[str, list[Stored]] = getattr(link, f"{mine.other}_base")
    taken = 0
    for one in rows:
        carried = one.flows_right if is_left else one.flows_left
        if one.is_same or not carried:
            continue
        my_field, other_field = (one.left, one.right) if is_left else (one.right, one.left)
        my_value, other_value = (
            (one.left_value, one.right_value) if is_left else (one.right_value, one.left_value)
        )
        agreed = as_text(other_value) or None
        if agreed == to_stored(my_value):  # another type, and the same text: it must differ
            agreed = None if agreed is not None else "-"
        my_base[my_field.name] = [agreed, ""]
        other_base[other_field.name] = [to_stored(other_value), ""]
        taken += 1
    link.save(update_fields=["left_base", "right_base", "updated_at"])
    return taken
