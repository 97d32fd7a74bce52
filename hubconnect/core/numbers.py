"""Numbers that come back from a page: keys and places, as somebody may have altered them."""

from typing import Final

# Of the largest key a database has; Python refuses to read texts of thousands of digits.
_MOST_DIGITS: Final = 18


def whole_number(text: str) -> int | None:
    """Return the number a text holds, None if it is none that a key or a place can be."""
    is_one = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_one else None
