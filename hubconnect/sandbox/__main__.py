"""The command ``python -m hubconnect.sandbox``."""

import argparse
import json
import sys
from pathlib import Path

from hubconnect.sandbox.oauth_apps import app_of
from hubconnect.sandbox.options import Options
from hubconnect.sandbox.server import serve


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve."""
    options = read_options(arguments)
    serve(options, _announce)


def read_options(arguments: list[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hubconnect.sandbox", description="A HubSpot account to try things on."
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 chooses a free one")
    add("--host", default="127.0.0.1")
    add("--database", type=Path, required=True, help="SQLite file; made and filled when new")
    add("--token", required=True, help="access token with all scopes, or those of --scopes")
    add("--scopes", type=_scopes, default=(), help="comma list; all when left out")
    add("--extra-token", action="append", default=[], metavar="TOKEN=SCOPE,SCOPE")
    add("--oauth-app", action="append", default=[], metavar="JSON", help="a public app")
    add("--portal-id", type=int, default=4242)
    add("--app-id", type=int, default=9001)
    add("--user-email", default="rae.poe@example.com")
    add("--ui-domain", default="app.hubspot.com")
    add("--time-zone", default="Europe/Berlin")
    add("--currency", default="EUR")
    add("--index-delay", type=_delay, default=(10.0, 10.0), metavar="SECONDS[-SECONDS]")
    add("--calculation-delay", type=float, default=1, metavar="SECONDS", help="of counted links")
    add("--hidden-required", action="append", default=[], metavar="TYPE=PROPERTY,PROPERTY")
    add("--burst-limit", type=int, default=190, help="calls in 10 seconds; 0 switches it off")
    add("--search-limit", type=int, default=5, help="searches a second; 0 switches it off")
    add("--daily-limit", type=int, default=625_000, help="0 switches it off")
    add("--file-limit", type=int, default=2 * 1024**3, help="bytes of the largest file")
    add("--contacts", type=int, default=320)
    add("--companies", type=int, default=60)
    add("--deals", type=int, default=120)
    add("--tickets", type=int, default=80)
    add("--empty", action="store_true", help="seed no records")
    add("--seed", type=int, default=1, help="another number gives other records")
    given = vars(parser.parse_args(arguments))
    if given.pop("empty"):
        given |= dict.fromkeys(("contacts", "companies", "deals", "tickets"), 0)
    given["extra_tokens"] = _lists(given.pop("extra_token"))
    given["hidden_required"] = _lists(given.pop("hidden_required"))
    given["calculation_delay_s"] = given.pop("calculation_delay")
    given["oauth_apps"] = tuple(app_of(json.loads(each)) for each in given.pop("oauth_app"))
    given["index_delay_s"] = given.pop("index_delay")
    return Options(**given)


def _lists(texts: list[str]) -> dict[str, tuple[str, ...]]:
    parts = (text.partition("=") for text in texts)
    return {name: _scopes(names) for name, _, names in parts}


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(scope for scope in text.split(",") if scope)


def _delay(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    return float(low), float(high or low)


def _announce(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
