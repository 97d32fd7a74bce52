"""Whole words of a text, as HubSpot's CONTAINS_TOKEN looks for them ("Search the CRM")."""

import re
from fnmatch import fnmatchcase

_APART = re.compile(r"[^\w@.+-]+")


def tokens_of(text: str) -> set[str]:
    """Return the words of a text in lower case.

    An address or a number counts as a whole and by its parts: ``ana@x.example`` is also ``ana``.
    """
    lower = text.lower()
    return {lower, *_APART.split(lower), *re.split(r"\W+", lower)} - {""}


def contains(text: str, wanted: str) -> bool:
    """Tell whether all wanted words are among those of a text; ``*`` stands for any signs."""
    tokens = tokens_of(text)
    return bool(tokens) and all(_is_among(word, tokens) for word in wanted.lower().split())


def _is_among(word: str, tokens: set[str]) -> bool:
    pattern = word.replace("[", "[[]").replace("?", "[?]")
    return any(fnmatchcase(token, pattern) for token in tokens)
