"""Recognises a value in a form that a system gives it: lower case, trimmed, rounded, re-formatted.

What a target stored in a form of its own was stored. Only what stays as it was before, in spite of
another value being sent, was not.
"""

import re
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from hubconnect.connectors.base import Value

_NUMBER: Final = re.compile(r"[\d\s+()./-]*\d[\d\s+()./-]*")  # of a telephone
_ROUNDINGS: Final = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
_FINEST: Final = timedelta(seconds=1)  # of what systems keep of a moment


def is_own_form(sent: Value, stored: Value) -> bool:
    """Tell whether ``stored`` is what a system makes of ``sent``, and no other value."""
    if isinstance(sent, str) and isinstance(stored, str):
        return _plain(sent) == _plain(stored) or _is_same_number(sent, stored)
    if isinstance(sent, Decimal) and isinstance(stored, Decimal):
        return _is_rounded(sent, stored)
    if isinstance(sent, datetime) and isinstance(stored, datetime):
        return abs(sent - stored) < _FINEST
    return False


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _is_same_number(sent: str, stored: str) -> bool:
    if not (_NUMBER.fullmatch(sent) and _NUMBER.fullmatch(stored)):
        return False
    return re.sub(r"\D", "", sent) == re.sub(r"\D", "", stored)


def _is_rounded(sent: Decimal, stored: Decimal) -> bool:
    exponent = stored.as_tuple().exponent
    places = Decimal(1).scaleb(min(exponent, 0) if isinstance(exponent, int) else 0)
    try:
        return any(sent.quantize(places, rounding) == stored for rounding in _ROUNDINGS)
    except InvalidOperation:  # more digits than can be kept
        return False
