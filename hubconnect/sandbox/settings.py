"""What of an account can be changed while it runs."""

from collections.abc import Callable, Mapping
from typing import Any

from hubconnect.sandbox.account import Account


def change_settings(account: Account, given: Mapping[str, Any]) -> None:
    """Change settings by name.

    Raises:
        KeyError: there is no setting of a name.
        TypeError: a value is of the wrong kind.
    """
    unknown = given.keys() - _SETTERS.keys()
    if unknown:
        raise KeyError(*sorted(unknown))
    for name, value in given.items():
        _SETTERS[name](account, value)


def _index_delay(account: Account, given: Any) -> None:  # noqa: ANN401 - a number or a pair
    low, high = given if isinstance(given, list) else (given, given)
    account.index_delay_ms = (round(low * 1000), round(high * 1000))


def _calculation_delay(account: Account, given: float | None) -> None:
    account.calculation_delay_ms = None if given is None else round(given * 1000)


def _clock_offset(account: Account, given: float) -> None:
    account.clock.offset_ms = round(given * 1000)


def _index_frozen(account: Account, given: object) -> None:
    account.is_index_frozen = bool(given)


def _hidden_required(account: Account, given: Mapping[str, list[str]]) -> None:
    account.hidden_required = {kind: tuple(names) for kind, names in given.items()}


def _more_currencies(account: Account, given: list[str]) -> None:
    account.more_currencies = tuple(given)


def _file_limit(account: Account, given: float) -> None:
    account.file_limit_bytes = int(given)


def _refused_extensions(account: Account, given: list[str]) -> None:
    account.refused_extensions = frozenset(given)


def _burst_limit(account: Account, given: float) -> None:
    account.limits.burst = int(given)


def _search_limit(account: Account, given: float) -> None:
    account.limits.search = int(given)


def _daily_limit(account: Account, given: float) -> None:
    account.limits.daily = int(given)


def _of_signing_in(name: str) -> Callable[[Account, Any], None]:
    def change(account: Account, given: Any) -> None:  # noqa: ANN401 - as the setting wants it
        account.oauth.change({name: given})

    return change


_SETTERS: dict[str, Callable[[Account, Any], None]] = {
    "index_delay_s": _index_delay,
    "index_frozen": _index_frozen,
    "calculation_delay_s": _calculation_delay,
    "clock_offset_s": _clock_offset,
    "hidden_required": _hidden_required,
    "more_currencies": _more_currencies,
    "file_limit_bytes": _file_limit,
    "refused_extensions": _refused_extensions,
    "burst_limit": _burst_limit,
    "search_limit": _search_limit,
    "daily_limit": _daily_limit,
    **{name: _of_signing_in(name) for name in ("lacking_scopes", "rotates", "is_gone")},
}
