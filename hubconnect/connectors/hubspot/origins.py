"""Who changed a record last, as far as its own properties tell; for people to read, no more."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from hubconnect.connectors.hubspot.api import Json

# HubSpot sets it when a user changes a record; an app's change leaves it as it is.
UPDATED_BY = "hs_updated_by_user_id"
SOURCE, SOURCE_ID = "hs_object_source", "hs_object_source_id"
APP = "INTEGRATION"


class Origins:
    """Names users by their e-mail address and apps by their id."""

    properties = (UPDATED_BY, SOURCE, SOURCE_ID)

    def __init__(self, email_of_user: Callable[[str], str], app_id: str) -> None:
        """Keep both.

        Args:
            email_of_user: gives a user's e-mail, "" if he is no owner or owners may not be read.
            app_id: our own app, or "".
        """
        self._email_of_user = email_of_user
        self._app_id = app_id
        self._users: dict[str, str] = {}

    def read_with(self, known: Collection[str]) -> list[str]:
        """Return the properties to ask for, of those the object type has."""
        return [name for name in self.properties if name in known]

    def of(
        self, properties: Json, created_at: datetime | None, modified_at: datetime | None
    ) -> str | None:
        """Return who changed a record last; None where its properties do not tell."""
        user_id = properties.get(UPDATED_BY)
        if user_id:
            return self._user(str(user_id))
        # Nobody knows which app changed a record later: only its creation is kept in it.
        is_as_created = created_at is not None and created_at == modified_at
        if is_as_created and properties.get(SOURCE) == APP:
            return self._app(properties.get(SOURCE_ID))
        return None

    def made_by_us(self, properties: Json) -> bool | None:
        """Tell whether our own app created a record; None where that cannot be told."""
        source = properties.get(SOURCE)
        if not self._app_id or not source:
            return None
        return source == APP and str(properties.get(SOURCE_ID)) == self._app_id

    def _user(self, user_id: str) -> str:
        if user_id not in self._users:
            self._users[user_id] = self._email_of_user(user_id) or f"user {user_id}"
        return self._users[user_id]

    def _app(self, app_id: Any) -> str | None:  # noqa: ANN401 - JSON
        if not app_id:
            return None
        return f"this app ({app_id})" if app_id == self._app_id else f"app {app_id}"
