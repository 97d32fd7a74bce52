"""Where OAuth tokens are kept: sealed with a saved system, or in hand while a form is filled in.

Of all workers one renews: it claims the row by one conditional UPDATE, by the database's clock. No
transaction is open meanwhile, and the old tokens stay until the new ones are stored. Others go on
with the old token while it lasts, or wait for the new one.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from hubconnect.connectors.budgets import Clock, SystemClock
from hubconnect.connectors.errors import ConnectorError, SignInLostError, TemporaryError
from hubconnect.connectors.oauth import Renew, Tokens
from hubconnect.connectors.parameters import Secret
from hubconnect.systems.models import SignIn, System

log = structlog.get_logger(__name__)

# A token is renewed when it lasts no longer than this,
EARLY: Final = timedelta(minutes=5)
# and used while somebody else renews it, if a request can still be sent with it.
USABLE: Final = timedelta(seconds=30)
POLL: Final = timedelta(milliseconds=100)
PATIENCE: Final = timedelta(seconds=15)


class HeldTokens:
    """Tokens that belong to no saved system yet."""

    def __init__(self, app: str, tokens: Tokens) -> None:
        """Keep what was just issued to this app."""
        self.app = app
        self.keep(tokens, timezone.now())

    def keep(self, tokens: Tokens, asked_at: datetime) -> None:
        """Take tokens over that were asked for at this time."""
        self.access, self.refresh = tokens.access, tokens.refresh
        self.expires_at = asked_at + tokens.lasts

    @property
    def name(self) -> str:
        """Name the sign-in by its refresh token; whoever uses it makes a digest of it."""
        return self.refresh.reveal()

    def access_token(self, renew: Renew, *, refused: Secret | None = None) -> Secret:
        """Return the access token, renewed if that is needed."""
        if self.access == refused or self.expires_at - timezone.now() <= EARLY:
            asked_at = timezone.now()
            self.keep(renew(self.refresh), asked_at)
        return self.access


class StoredTokens:
    """The tokens of a saved system, shared by all workers."""

    def __init__(self, system_id: int, clock: Clock | None = None) -> None:
        """Keep both; read nothing yet."""
        self._system_id = system_id
        self._clock = clock or SystemClock()
        self._kept: SignIn | None = None

    @property
    def name(self) -> str:
        """Name the sign-in by the system and when a person signed in."""
        return f"{self._system_id}:{self._load().signed_in_at.isoformat()}"

    def access_token(self, renew: Renew, *, refused: Secret | None = None) -> Secret:
        """Return an access token that is good now; one of all workers renews it."""
        if self._kept is not None and _is_good(self._kept, refused, EARLY):
            return _access(self._kept)
        deadline_s = self._clock.monotonic_s() + PATIENCE.total_seconds()
        while True:
            kept = self._kept = self._load()
            if _is_good(kept, refused, EARLY):
                break
            if _claim(kept):
                self._kept = self._renewed(kept, renew)
                return _access(self._kept)
            if _is_good(kept, refused, USABLE):
                break
            if self._clock.monotonic_s() > deadline_s:
                msg = f"The sign-in of {kept.system} is being renewed and that takes too long."
                raise TemporaryError(msg, hint="It is tried again by itself.")
            self._clock.wait(POLL)
        return _access(kept)

    def _load(self) -> SignIn:
        kept = SignIn.objects.select_related("system").filter(system=self._system_id).first()
        if kept is None:
            msg = "Nobody has connected this system yet."
            raise SignInLostError(msg, hint="Press Reconnect on the system's page.")
        if kept.lost_reason:
            raise SignInLostError(kept.lost_reason, hint="Press Reconnect on the system's page.")
        return kept

    def _renewed(self, kept: SignIn, renew: Renew) -> SignIn:
        """Renew what was claimed, and store what comes back."""
        asked_at = timezone.now()
        mine = SignIn.objects.filter(pk=kept.pk, version=kept.version)
        try:
            tokens = renew(Secret(kept.tokens["refresh"]))
        except SignInLostError as error:
            raise _lose(kept, error) from error
        except ConnectorError:
            mine.update(leased_until=None)
            raise
        mine.update(
            tokens={"access": tokens.access.reveal(), "refresh": tokens.refresh.reveal()},
            expires_at=asked_at + tokens.lasts,
            renewed_at=timezone.now(),
            version=kept.version + 1,
            leased_until=None,
        )
        log.info("sign_in.renewed", system_id=self._system_id)
        return self._load()


def _access(kept: SignIn) -> Secret:
    return Secret(kept.tokens["access"])


def _is_good(kept: SignIn, refused: Secret | None, rest: timedelta) -> bool:
    return _access(kept) != refused and kept.expires_at - timezone.now() > rest


def _claim(kept: SignIn) -> bool:
    """Take the right to renew, unless another worker has it or has just renewed."""
    now = SignIn.objects.annotate(moment=Now()).values_list("moment", flat=True).get(pk=kept.pk)
    until = now + timedelta(seconds=settings.LEASE_S)
    # One further ahead than any lease can be comes from a clock that jumped: it is void.
    is_free = Q(leased_until=None) | Q(leased_until__lte=now) | Q(leased_until__gt=until)
    row = SignIn.objects.filter(is_free, pk=kept.pk, version=kept.version, lost_reason="")
    return bool(row.update(leased_until=until))


def _lose(kept: SignIn, error: SignInLostError) -> SignInLostError:
    """Keep that only a person helps, and have the system say so."""
    if kept.leased_until is not None:  # its holder died between HubSpot's answer and storing it
        message = (
            f"HubConnect was interrupted while it renewed the sign-in of {kept.system}, and the "
            "old one is not accepted any more."
        )
        error = SignInLostError(message, hint=error.hint, parameter=error.parameter)
    lost = SignIn.objects.filter(pk=kept.pk, version=kept.version)
    if lost.update(lost_reason=error.message, leased_until=None):
        reason = f"{error.message} {error.hint}"
        System.objects.filter(pk=kept.system_id).update(
            state=System.State.RECONNECT, state_reason=reason
        )
        log.warning("sign_in.lost", system_id=kept.system_id)
    return error
