"""What a sandbox is started with."""

from dataclasses import dataclass, field
from pathlib import Path

from hubconnect.sandbox.oauth_apps import App


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be chosen at start; a limit of 0 is switched off.

    Attributes:
        index_delay_s: shortest and longest time until search sees a change.
        calculation_delay_s: time until a record shows how many links it has.
        hidden_required: properties a create must set though no metadata says so, by object type.
        extra_tokens: further tokens and the scopes of each.
        oauth_apps: public apps that people may connect.
    """

    database: Path
    token: str
    host: str = "127.0.0.1"
    port: int = 0
    portal_id: int = 4242
    app_id: int = 9001
    user_email: str = "rae.poe@example.com"
    user_id: int = 77
    scopes: tuple[str, ...] = ()
    extra_tokens: dict[str, tuple[str, ...]] = field(default_factory=dict)
    oauth_apps: tuple[App, ...] = ()
    ui_domain: str = "app.hubspot.com"
    time_zone: str = "Europe/Berlin"
    currency: str = "EUR"
    index_delay_s: tuple[float, float] = (10, 10)
    burst_limit: int = 190
    search_limit: int = 5
    daily_limit: int = 625_000
    calculation_delay_s: float = 1
    hidden_required: dict[str, tuple[str, ...]] = field(default_factory=dict)
    file_limit: int = 2 * 1024**3
    contacts: int = 320
    companies: int = 60
    deals: int = 120
    tickets: int = 80
    seed: int = 1
    threads: int = 8
