"""Reads what a mapping says about associations, comments and files, for one direction."""

from hubconnect.engine.children import (
    AssociationFlow,
    ChildrenSpec,
    CommentFlow,
    Edited,
    FileFlow,
    RemoteFields,
)
from hubconnect.integrations.models import Flow
from hubconnect.mappings.models import AssociationMapping, Carried, Direction, Mapping

MEGABYTE = 1_000_000


def build_children(flow: Flow) -> ChildrenSpec:
    """Return what this flow carries beside fields."""
    mapping = flow.pair.mapping
    rows = mapping.associations.filter(direction__in=(Direction.BOTH, flow.direction))
    return ChildrenSpec(
        associations=tuple(_association(row, flow) for row in rows),
        comments=_comments(mapping, flow) if _is_carried(mapping.comments, flow) else None,
        files=_files(mapping) if _is_carried(mapping.files, flow) else None,
        remote=_remote(flow),
    )


def _is_carried(chosen: str, flow: Flow) -> bool:
    return chosen in (Carried.BOTH, flow.direction)


def _association(row: AssociationMapping, flow: Flow) -> AssociationFlow:
    left = (row.left_association, row.left_to_type)
    right = (row.right_association, row.right_to_type)
    source, target = (left, right) if flow.is_to_right else (right, left)
    return AssociationFlow(
        source=source[0],
        source_to=source[1],
        target=target[0],
        target_to=target[1],
        must_exist=row.must_exist,
        default=row.default_right if flow.is_to_right else row.default_left,
        carries_removal=row.carries_removal,
        flows_back=row.direction == Direction.BOTH,
    )


def _comments(mapping: Mapping, flow: Flow) -> CommentFlow:
    way = flow.direction
    winners = {"ask": "", "left": "left", "right": "right"}
    winner = winners[mapping.comment_conflict]
    ours = "left" if flow.is_to_right else "right"
    return CommentFlow(
        puts_author=getattr(mapping, f"comment_author_{way}"),
        puts_time=getattr(mapping, f"comment_time_{way}"),
        edited=Edited(mapping.comment_edits),
        winner=("source" if winner == ours else "target") if winner else "",
        carries_mentions=mapping.mentions,
        flows_back=mapping.comments == Carried.BOTH,
    )


def _files(mapping: Mapping) -> FileFlow:
    return FileFlow(
        max_bytes=mapping.file_max_mb * MEGABYTE,
        refused=frozenset(mapping.file_refused_types),
        allowed=frozenset(mapping.file_allowed_types),
        flows_back=mapping.files == Carried.BOTH,
    )


def _remote(flow: Flow) -> RemoteFields:
    pair = flow.pair
    left = (pair.left_id_field, pair.left_link_field)
    right = (pair.right_id_field, pair.right_link_field)
    source, target = (left, right) if flow.is_to_right else (right, left)
    return RemoteFields(
        source_id=source[0], source_link=source[1], target_id=target[0], target_link=target[1]
    )
