"""Takes out of every log line what looks like a secret, whoever wrote the line.

Code of ours logs no secret in the first place. A library may: an address with a password in an
error's text, a header at its most talkative level. This is the last step before a line is written.
"""

import re
from collections.abc import MutableMapping
from typing import Any, Final

MASK: Final = "••••••"
_NAMED = r"access_token|refresh_token|client_secret|secret_key|password|passwd|token|authorization"
_PATTERNS: Final = (
    # postgresql://user:password@host
    (re.compile(r"(://[^\s:/@]*:)[^\s@]+(?=@)"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {MASK}"),
    # access_token=..., "password": "...", 'client_secret': '...'
    (
        re.compile(rf"(?i)\b((?:{_NAMED})[\"']?\s*[=:]\s*[bu]?[\"']?)(?!{MASK})[^\s&\"',;}})]+"),
        rf"\1{MASK}",
    ),
    (re.compile(r"\bpat-[a-z]{2,3}\d?-[\w-]{8,}"), MASK),  # HubSpot's access tokens
)


def redacted(text: str) -> str:
    """Return a text without what looks like a secret."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def redact(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Redact every text of a line; a step of structlog."""
    for name, value in line.items():
        if isinstance(value, str):
            line[name] = redacted(value)
        elif not isinstance(value, (int, float, bool, type(None))):
            line[name] = redacted(str(value))
    return line
