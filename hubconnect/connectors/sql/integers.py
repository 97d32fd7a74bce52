"""Whole numbers, as far as a column holds them.

Beyond that drivers fail in their own ways, also where a number is only compared.
"""

from typing import Any

from sqlalchemy import types

# https://www.postgresql.org/docs/current/datatype-numeric.html
_BITS_IN_POSTGRESQL = ((types.SmallInteger, 16), (types.BigInteger, 64), (types.Integer, 32))
_BITS_IN_SQLITE = 64  # whatever was declared
# Others have unsigned ones, too, and say themselves what is too large.
_BITS_ELSEWHERE = 65


def limit_of(column_type: types.TypeEngine[Any], dialect: str) -> int:
    """Return the number below which the absolute value of what a column holds must stay."""
    bits = _BITS_ELSEWHERE
    if dialect == "sqlite":
        bits = _BITS_IN_SQLITE
    elif dialect == "postgresql":
        bits = next(
            (bits for kind, bits in _BITS_IN_POSTGRESQL if isinstance(column_type, kind)), bits
        )
    return int(2 ** (bits - 1))


def checked_integer(number: int, limit: int) -> int:
    """Return the number.

    Raises:
        ValueError: the column cannot hold it.
    """
    if abs(number) >= limit:
        msg = f"{number} is beyond the whole numbers that the column holds."
        raise ValueError(msg)
    return number
