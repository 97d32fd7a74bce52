"""The form of a HubSpot system."""

import re
from urllib.parse import parse_qs, urlsplit

from hubconnect.connectors.hubspot.auth import OAUTH, TOKEN
from hubconnect.connectors.hubspot.quota import DEFAULT_KEPT, DEFAULT_SLOW
from hubconnect.connectors.parameters import Choice, Parameter, ParameterKind, VisibleWhen

HOST = "https://api.hubapi.com"
LONGEST_TOKEN = 2048
MOST_KEPT = 90  # percent
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def clean_api_url(text: str) -> str:
    """Return an absolute address without a trailing slash."""
    return _clean_url(text, f"Enter an address such as {HOST}.")


def clean_link_base(text: str) -> str:
    """Return an absolute address without a trailing slash."""
    return _clean_url(
        text, "Enter an address such as https://app-eu1.hubspot.com, or leave it empty."
    )


def _clean_url(text: str, advice: str) -> str:
    parts = urlsplit(text)  # raises ValueError for broken brackets
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in text:
        raise ValueError(advice)
    if parts.username is not None or parts.query or parts.fragment:
        msg = f"The address must not hold a user name, a question mark or a hash sign. {advice}"
        raise ValueError(msg)
    _ = parts.port  # raises ValueError when it is no port
    return text.rstrip("/")


def clean_email(text: str) -> str:
    """Return an e-mail address in lower case."""
    if not EMAIL.fullmatch(text):
        msg = "Enter an e-mail address such as integration@example.com."
        raise ValueError(msg)
    return text.lower()


def clean_token(text: str) -> str:
    """Return a token, without what is often pasted along with it."""
    token = text.removeprefix("Bearer ").strip()
    if not token.isascii() or any(character.isspace() for character in token):
        msg = "It holds spaces or special characters. Copy it once more."
        raise ValueError(msg)
    return token


def clean_app_id(text: str) -> str:
    """Return the number, also out of the whole address of a private app."""
    path = urlsplit(text).path if "/" in text else text
    number = path.rstrip("/").rsplit("/", 1)[-1]
    if not (number.isascii() and number.isdigit()):
        msg = "Enter the number of the app, or the whole address of its page in HubSpot."
        raise ValueError(msg)
    return number


def _query(address: str) -> dict[str, list[str]]:
    """Return what an address says, or the one it leads on to after a sign-in of ours."""
    given = parse_qs(urlsplit(address).query)
    return parse_qs(urlsplit(given["next"][0]).query) if "next" in given else given


def clean_code(text: str) -> str:
    """Return the code, also out of the whole address that HubSpot led to."""
    code = text
    if "://" in text:
        given = _query(text)
        if "error" in given:
            msg = "This address says that the connection was refused in HubSpot. Connect again."
            raise ValueError(msg)
        codes = given.get("code", [])
        if len(codes) != 1:
            msg = "This address holds no code. Enter the value of “code” in it."
            raise ValueError(msg)
        code = codes[0]
    return clean_token(code)


def _percent(text: str, most: int) -> str:
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        msg = f"Enter a whole number from 0 to {most}."
        raise ValueError(msg)
    return str(int(text))


def clean_kept(text: str) -> str:
    """Return a share that leaves something to use."""
    return _percent(text.removesuffix("%").strip(), MOST_KEPT)


def clean_slow(text: str) -> str:
    """Return a share of the day."""
    return _percent(text.removesuffix("%").strip(), 100)


WITH_TOKEN = VisibleWhen("auth_type", TOKEN)
WITH_OAUTH = VisibleWhen("auth_type", OAUTH)

PARAMETERS = (
    Parameter(
        name="api_url",
        label="API Url",
        kind=ParameterKind.URL,
        placeholder=HOST,
        clean=clean_api_url,
        help=f"All calls go to this address. For HubSpot itself it is {HOST}, whichever region "
        "the account is in.",
        help_topic="hubspot-prerequisites",
    ),
    Parameter(
        name="user_email",
        label="User Email",
        kind=ParameterKind.EMAIL,
        clean=clean_email,
        help="E-mail of the integration user: a HubSpot user made for HubConnect alone, who may "
        "see and change what is to be synced.",
        help_topic="hubspot-user",
    ),
    Parameter(
        name="auth_type",
        label="Authentication Type",
        kind=ParameterKind.CHOICE,
        group="Sign-in",
        placeholder="Select",
        choices=(Choice(TOKEN, "Access Token"), Choice(OAUTH, "OAuth 2.0")),
        help="An access token suits one account and is replaced by hand when its scopes change. "
        "OAuth 2.0 renews itself.",
        help_topic="hubspot-prerequisites",
    ),
    Parameter(
        name="access_token",
        label="Access Token",
        kind=ParameterKind.SECRET,
        group="Sign-in",
        max_length=LONGEST_TOKEN,
        visible_when=WITH_TOKEN,
        clean=clean_token,
        is_exclusive=True,
        help="From a private app, a static app token or a service key of the integration user, "
        "with the scopes for what is to be synced. Kept encrypted and never shown again.",
        help_topic="hubspot-private-app",
    ),
    Parameter(
        name="client_id",
        label="Client ID",
        group="Sign-in",
        visible_when=WITH_OAUTH,
        clean=clean_token,
        is_exclusive=True,
        help="From the Auth section of the app in HubSpot.",
        help_topic="hubspot-oauth",
    ),
    Parameter(
        name="client_secret",
        label="Client Secret",
        kind=ParameterKind.SECRET,
        group="Sign-in",
        visible_when=WITH_OAUTH,
        clean=clean_token,
        help="Beside the Client ID. Kept encrypted and never shown again.",
        help_topic="hubspot-oauth",
    ),
    Parameter(
        name="authorization_code",
        label="Authorization Code",
        kind=ParameterKind.CODE,
        group="Sign-in",
        max_length=LONGEST_TOKEN,
        visible_when=WITH_OAUTH,
        clean=clean_code,
        help="Connecting brings the code here by itself. By hand: the value of “code” in the "
        "address HubSpot leads to after the app was installed, or that whole address. A code works "
        "once; after any change of scopes or permissions connect again, for a new one.",
        help_topic="hubspot-oauth",
    ),
    Parameter(
        name="app_id",
        label="Application Id",
        kind=ParameterKind.TEXT,
        group="App and addresses",
        required=False,
        clean=clean_app_id,
        is_exclusive=True,
        help="Number of the private or public app, filled in from the sign-in where HubSpot tells "
        "it. The whole address of the private app will do: the number is taken out of it. A "
        "service key has no app.",
        help_topic="hubspot-app-id",
    ),
    Parameter(
        name="remote_link_base",
        label="Base URL for Remote Link",
        kind=ParameterKind.URL,
        group="App and addresses",
        required=False,
        placeholder="https://app-eu1.hubspot.com",
        clean=clean_link_base,
        help="Only if people open HubSpot under another address. Empty: the account's own, as "
        "HubSpot reports it.",
        help_topic="hubspot-links",
    ),
    Parameter(
        name="kept_percent",
        label="Left to other apps (%)",
        kind=ParameterKind.DIGITS,
        group="Call limits",
        required=False,
        placeholder=str(DEFAULT_KEPT),
        clean=clean_kept,
        help="Share of the account's daily calls and of its searches a second that HubConnect "
        f"leaves to the account's other apps. Empty: {DEFAULT_KEPT}.",
        help_topic="hubspot-limits",
    ),
    Parameter(
        name="slow_percent",
        label="Slow down before that (%)",
        kind=ParameterKind.DIGITS,
        group="Call limits",
        required=False,
        placeholder=str(DEFAULT_SLOW),
        clean=clean_slow,
        visible_when=WITH_TOKEN,
        help="Once only so much of the daily calls is left beside the share of others, first loads "
        f"wait for midnight and changes take longer. Empty: {DEFAULT_SLOW}.",
        help_topic="hubspot-limits",
    ),
    Parameter(
        name="kept_burst_percent",
        label="Left to other programs of this app (%)",
        kind=ParameterKind.DIGITS,
        group="Call limits",
        required=False,
        placeholder="0",
        clean=clean_kept,
        help="Only if something else uses the same app or token: HubSpot limits the calls in ten "
        "seconds for each app. Empty: 0.",
        help_topic="hubspot-limits",
    ),
)
