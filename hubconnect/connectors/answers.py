"""What an answer's body and headers say, whoever sent it."""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

# Where an answer may hold what no database takes: NUL, or half of a surrogate pair.
UNSOUND = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\xed[\xa0-\xbf]")
NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
# Of a number in a header; a file's length has fewer.
MOST_DIGITS = 16


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a body, None if it is none."""
    if not body:
        return None
    try:
        data = json.loads(body)
        return _sound(data) if UNSOUND.search(body) else data
    except (ValueError, RecursionError):
        return None


def _sound(data: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON whose texts hold characters only."""
    if isinstance(data, str):
        return NO_CHARACTER.sub("", data)
    if isinstance(data, list):
        return [_sound(each) for each in data]
    if isinstance(data, dict):
        return {_sound(name): _sound(each) for name, each in data.items()}
    return data


def whole_number(text: str) -> int | None:
    """Return the whole number in a header, None if there is none that makes sense."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def parse_date(text: str) -> datetime | None:
    """Return the moment in a header, None if there is none."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
