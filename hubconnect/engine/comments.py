"""Comments of a linked record: what each asks for, and the text its copy gets.

A copy may begin with a line that names who wrote the original, and when. That line is remembered
with the copy, so that it is taken off again when the copy itself is edited and goes back.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from html import escape

from hubconnect.connectors import rich_text
from hubconnect.connectors.children import Comment, CommentAbilities
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.children import CommentFlow, Edited

# An editor may wrap a line in tags that change how it looks.
_OPEN, _CLOSE = r"(?:<(?:span|em|i|strong|b)\b[^>]*>)*", r"(?:</(?:span|em|i|strong|b)>)*"
_LONGEST_LINE = 255
_LONGEST_NAME = 200
_EXCERPT = 80
_SHOWN = 500


class Why(StrEnum):
    """Why a comment has no counterpart, in words for a person."""

    OLD = "It was written before the flow started."
    FILES = "It only carries files."
    REPLACED = "It was edited at its source, and posted again as a new comment."
    GONE = "Its counterpart was deleted."
    DISMISSED = "It could not be carried, and a person let it go."


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownComment:
    """A comment that was looked at before, as one flow sees it; see ``CommentLink``."""

    pk: int
    source_id: str
    target_id: str
    source_base: str
    target_base: str
    source_version: str
    source_line: str
    target_line: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How comments are carried in one direction, and what the target can hold.

    Attributes:
        since: comments written earlier are only known; None carries all.
        source_name, target_name: of the systems, for sentences.
    """

    flow: CommentFlow
    abilities: CommentAbilities
    since: datetime | None = None
    source_name: str = "the source"
    target_name: str = "the target"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment:
    """A comment to add at the target, with this line in front, in place of an older copy or not."""

    comment: Comment
    body: str
    line: str
    replaces: KnownComment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditComment:
    """A copy to change; ``before`` is the hash of what it says until now."""

    comment: Comment
    known: KnownComment
    body: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeComment:
    """Both sides hold the same, or only the source's state is to be remembered."""

    comment: Comment
    known: KnownComment
    target: Comment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberComment:
    """A comment that stays without counterpart, and why."""

    comment: Comment
    reason: Why
    known: KnownComment | None = None


Decision = AddComment | EditComment | AgreeComment | RememberComment


def text_hash(body: str) -> str:
    """Return what two texts have in common that only differ in how a system wrote them down."""
    return hashlib.sha256(rich_text.normalise(body).encode()).hexdigest()


def excerpt(body: str, length: int = _EXCERPT) -> str:
    """Return the beginning of a comment as plain text, on one line."""
    text = " ".join(rich_text.to_plain(body).split())
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def is_edited(comment: Comment, known: KnownComment) -> bool:
    """Tell whether a known comment says something else than what both sides agreed on."""
    return text_hash(comment.body) != known.source_base


def needs_target(comment: Comment, known: KnownComment | None, rules: Rules) -> bool:
    """Tell whether the decision depends on what the counterpart says now."""
    return (
        known is not None
        and bool(known.target_id)
        and not known.reason
        and _edited_rule(rules) is Edited.UPDATE
        and is_edited(comment, known)
    )


def decide_comment(
    comment: Comment, known: KnownComment | None, target: Comment | None, rules: Rules
) -> Decision:
    """Return what a comment of a linked record asks for.

    Args:
        comment: as it stands at the source.
        known: what was remembered about it.
        target: its counterpart as it stands, where ``needs_target`` asked for it; None: gone.
        rules: of the flow.

    Raises:
        RecordError: it cannot be carried: edited on both sides, or too long.
    """
    if known is None:
        return _decide_new(comment, rules)
    if known.reason in (Why.REPLACED, Why.GONE) or not is_edited(comment, known):
        return AgreeComment(comment=comment, known=known)
    if not known.target_id:
        return _decide_new(comment, rules, known)
    return _decide_known(comment, known, target, rules)


def let_go(comment: Comment, known: KnownComment | None) -> AgreeComment | RememberComment:
    """Return that a comment is not carried as it stands; its next edit is."""
    if known is not None and known.target_id:
        return AgreeComment(comment=comment, known=known)
    return RememberComment(comment=comment, reason=Why.DISMISSED, known=known)


def _decide_known(
    comment: Comment, known: KnownComment, target: Comment | None, rules: Rules
) -> Decision:
    """Return what the edit of a comment with a counterpart asks for."""
    rule = _edited_rule(rules)
    if rule is Edited.LEAVE:
        return AgreeComment(comment=comment, known=known)
    if rule is Edited.AGAIN:
        return _add(comment, rules, replaces=known)
    if target is None:
        return RememberComment(comment=comment, reason=Why.GONE, known=known)
    return _decide_edit(comment, known, target, rules)


def _edited_rule(rules: Rules) -> Edited:
    """Return what an edit does; where comments cannot be changed it is posted again."""
    rule = rules.flow.edited
    return Edited.AGAIN if rule is Edited.UPDATE and not rules.abilities.can_edit else rule


def _decide_new(comment: Comment, rules: Rules, known: KnownComment | None = None) -> Decision:
    if not rich_text.to_plain(comment.body).strip():
        return RememberComment(comment=comment, reason=Why.FILES, known=known)
    written = comment.created_at
    is_old = rules.since is not None and written is not None and written < rules.since
    if is_old and known is None:
        return RememberComment(comment=comment, reason=Why.OLD)
    return _add(comment, rules, replaces=known)


def _add(comment: Comment, rules: Rules, *, replaces: KnownComment | None) -> AddComment:
    line = line_of(comment, rules.flow)
    source_line = replaces.source_line if replaces is not None else ""
    body = compose(strip_line(comment.body, source_line), line, rules)
    return AddComment(comment=comment, body=body, line=line, replaces=replaces)


def _decide_edit(
    comment: Comment, known: KnownComment, target: Comment, rules: Rules
) -> EditComment | AgreeComment:
    body = compose(strip_line(comment.body, known.source_line), known.target_line, rules)
    if text_hash(body) == text_hash(target.body):
        return AgreeComment(comment=comment, known=known, target=target)
    before = text_hash(target.body)
    if before == known.target_base or rules.flow.winner == "source":
        return EditComment(comment=comment, known=known, body=body, before=before)
    if rules.flow.winner == "target":
        # The opposite flow brings the target's text; until then the source's edit is known.
        return AgreeComment(comment=comment, known=known)
    raise _both_edited(comment, target, rules)


def _both_edited(comment: Comment, target: Comment, rules: Rules) -> RecordError:
    return RecordError(
        "A comment was edited on both sides. "
        f"{rules.source_name}: “{excerpt(comment.body, _SHOWN)}”. "
        f"{rules.target_name}: “{excerpt(target.body, _SHOWN)}”.",
        hint="Give both the same text, or let the mapping say which side wins.",
        category=Category.CONFLICT,
    )


def line_of(comment: Comment, flow: CommentFlow) -> str:
    """Return who wrote a comment, and when, as asked: ``Rae Poe, 2 May 2026, 10:15 UTC``."""
    parts = []
    name = " ".join((comment.author_name or comment.author).split())
    if flow.puts_author and name:
        parts.append(name[:_LONGEST_NAME])
    if flow.puts_time and comment.created_at is not None:
        moment = comment.created_at.astimezone(UTC)
        parts.append(f"{moment.day} {moment:%B} {moment.year}, {moment:%H:%M} UTC")
    return ", ".join(parts)[:_LONGEST_LINE]


def compose(body: str, line: str, rules: Rules) -> str:
    """Return the text of a copy: its line, its mentions and its form as the target holds them.

    Raises:
        RecordError: it is longer than the target takes.
    """
    abilities = rules.abilities
    if not (rules.flow.carries_mentions and abilities.has_mentions):
        body = rich_text.strip_mentions(body)
    if line:
        body = f"<p>{escape(line, quote=False)}</p>{body}"
    plain = rich_text.to_plain(body)
    if not abilities.is_rich:
        body = rich_text.from_plain(plain)
    length = len(body) if abilities.is_rich else len(plain)
    if abilities.max_length is not None and length > abilities.max_length:
        msg = (
            f"The comment “{excerpt(body)}” has {length:,} characters; comments in "
            f"{rules.target_name} hold {abilities.max_length:,}."
        )
        raise RecordError(
            msg,
            hint=f"Shorten it in {rules.source_name}; it is then carried by itself.",
            category=Category.TOO_LONG,
        )
    return body


def strip_line(body: str, line: str) -> str:
    """Return a text without the line that was put in front of it, if it still stands there."""
    if not line:
        return body
    words = re.escape(escape(line, quote=False)).replace(r"\ ", r"\s+")
    whole = re.compile(
        rf"((?:\s*<div\b[^>]*>)*?)\s*<(p|div)\b[^>]*>\s*{_OPEN}{words}{_CLOSE}"
        r"\s*(?:<br\s*/?>\s*)?</\2>\s*"
    )
    begun = re.compile(rf"((?:\s*<(?:p|div)\b[^>]*>)*)\s*{words}\s*(?:<br\s*/?>|\n|$)\s*")
    found = whole.match(body) or begun.match(body)
    return found.group(1) + body[found.end() :] if found else body
