import pytest

from hubconnect.connectors.errors import ParameterInvalidError
from hubconnect.connectors.hubspot.connector import HubSpotConnector

BY_NAME = {parameter.name: parameter for parameter in HubSpotConnector.parameters}


def test_the_form_has_these_inputs_in_this_order() -> None:
    assert [parameter.label for parameter in HubSpotConnector.parameters] == [
        "API Url",
        "User Email",
        "Authentication Type",
        "Access Token",
        "Client ID",
        "Client Secret",
        "Authorization Code",
        "Application Id",
        "Base URL for Remote Link",
        "Left to other apps (%)",
        "Slow down before that (%)",
        "Left to other programs of this app (%)",
    ]


@pytest.mark.parametrize(
    ("auth_type", "shown"),
    [
        ("", set()),
        ("token", {"access_token", "slow_percent"}),
        ("oauth", {"client_id", "client_secret", "authorization_code"}),
    ],
)
def test_the_way_to_sign_in_decides_what_is_shown(auth_type: str, shown: set[str]) -> None:
    always = {"api_url", "user_email", "auth_type", "app_id", "remote_link_base"}
    always |= {"kept_percent", "kept_burst_percent"}
    values = {"auth_type": auth_type}
    assert {name for name, each in BY_NAME.items() if each.applies(values)} == always | shown


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("api_url", " https://api.hubapi.com/ ", "https://api.hubapi.com"),
        ("kept_percent", " 020 % ", "20"),
        ("slow_percent", "", ""),
        ("api_url", "http://127.0.0.1:8111", "http://127.0.0.1:8111"),
        ("user_email", "Mira@Example.com", "mira@example.com"),
        ("access_token", "Bearer pat-na1-1", "pat-na1-1"),
        ("app_id", "2851633", "2851633"),
        ("app_id", "https://app.hubspot.com/private-apps/45105664/2851633", "2851633"),
        ("app_id", "https://app.hubspot.com/private-apps/45105664/2851633/?x=1#y", "2851633"),
        ("authorization_code", "na1-1", "na1-1"),
        ("authorization_code", "https://developers.hubspot.com/?code=na1-2&state=", "na1-2"),
        (  # where somebody ends who is not signed in at HubConnect
            "authorization_code",
            "http://localhost:8000/sign-in/?next=/systems/oauth/callback/%3Fcode%3Dna1-2",
            "na1-2",
        ),
        ("remote_link_base", "", ""),
        ("remote_link_base", "https://hs.example.com/", "https://hs.example.com"),
    ],
)
def test_what_is_typed_is_put_right(name: str, typed: str, kept: str) -> None:
    assert BY_NAME[name].cleaned(typed) == kept


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("api_url", ""),
        ("api_url", "api.hubapi.com"),
        ("api_url", "ftp://api.hubapi.com"),
        ("api_url", "https://user:pw@api.hubapi.com"),
        ("api_url", "https://[::1"),
        ("api_url", "https://host:99999"),
        ("user_email", "nobody"),
        ("auth_type", "basic"),
        ("access_token", "two words"),
        ("app_id", "https://app.hubspot.com/private-apps/"),
        ("app_id", "12a"),
        ("authorization_code", "https://developers.hubspot.com/?error=access_denied"),
        ("remote_link_base", "hs.example.com"),
        ("kept_percent", "91"),
        ("kept_percent", "-1"),
        ("slow_percent", "much"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_input(name: str, typed: str) -> None:
    with pytest.raises(ParameterInvalidError) as caught:
        BY_NAME[name].cleaned(typed)
    assert caught.value.parameter == name
