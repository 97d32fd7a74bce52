"""Signing in by OAuth 2.0: the tokens, where they are kept, and the app through which one signs in.

A connector knows how to exchange a code and how to renew; its surroundings know where tokens are
kept, and that of many workers only one renews.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.parameters import Secret


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a system issued: the access token lasts this long from when it was asked for."""

    access: Secret
    refresh: Secret
    lasts: timedelta


# Takes a refresh token and returns what the system issued for it.
Renew = Callable[[Secret], Tokens]


class TokenStore(Protocol):
    """Hands out access tokens that are good now, and keeps what comes back from renewing."""

    @property
    def name(self) -> str:
        """Names the sign-in and tells nothing about it: another once a person signed in anew."""

    def access_token(self, renew: Renew, *, refused: Secret | None = None) -> Secret:
        """Return an access token that is good now; renew it first if that is needed.

        Args:
            renew: called at most once, and by one of all workers.
            refused: the token that the system just refused although it should still be good.

        Raises:
            AttentionError: nobody is signed in (any more), or the system refuses to renew.
            TemporaryError: it could not be renewed now; the sign-in is kept.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What the address says at which a person lets the app in.

    Attributes:
        redirect_uri: where the system leads back to.
        state: told back unchanged.
        required: scopes without which the app is not let in.
        optional: scopes that are left out where the account lacks them.
        account: number of the account to be connected, or "" to let the person choose.
    """

    redirect_uri: str
    state: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    account: str = ""


class OAuthApp(Protocol):
    """An app registered with the system, and what its id and secret let one do."""

    @property
    def id(self) -> str:
        """Names the app and where it is, and tells no secret: tokens of one are not another's."""

    def install_url(self, invitation: Invitation) -> str:
        """Return where a person lets the app in."""

    def exchange(self, code: Secret, redirect_uri: str) -> Tokens:
        """Exchange an authorization code, once.

        Raises:
            AttentionError: the code, or a parameter it names, is not accepted.
            TemporaryError: not now; the code is not used up.
        """

    def renew(self, refresh: Secret) -> Tokens:
        """Return a new access token.

        Raises:
            SignInLostError: the refresh token is not accepted any more.
            AttentionError: the parameter it names must be corrected.
            TemporaryError: not now; the sign-in is kept.
        """

    def denial(self, error: str, description: str) -> AttentionError:
        """Return the error of a redirect that brings no code."""

    def close(self) -> None:
        """Give connections back."""
