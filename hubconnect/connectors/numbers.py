"""Numbers as people and systems write them."""

from decimal import Decimal, InvalidOperation

# Of the largest number a program usually holds (a double). Written out without its exponent, one
# with a billion digits would fill the memory.
MOST_DIGITS = 310


def parse_number(text: str) -> Decimal | None:
    """Return a number (``780.00``, ``1.0E7``), or None for what is none or has no end."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < MOST_DIGITS else None
