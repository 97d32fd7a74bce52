"""Forms of sign-in, profile and users."""

import zoneinfo
from datetime import timedelta
from math import ceil
from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from hubconnect.core import attempts, services
from hubconnect.core.attempts import TooManyAttemptsError
from hubconnect.core.models import Role, User
from hubconnect.core.wording import span


class SignInForm(AuthenticationForm):
    """User name and password."""

    error_messages = {
        "invalid_login": "User name and password do not match. Both tell capital letters apart.",
        "inactive": "This user is not active. Ask an Admin.",
    }

    retry_after: timedelta | None = None  # set when nobody may try now

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["username"].label = "User name"

    def clean(self) -> dict[str, Any]:
        """Look at name and password, unless that was tried too often; who exists is not told."""
        name = self.cleaned_data.get("username")
        if name is None or self.request is None or "password" not in self.cleaned_data:
            return super().clean()
        address = attempts.address_of(self.request)
        try:
            attempts.begin("sign-in", name, address)
        except TooManyAttemptsError as error:
            self.retry_after = error.wait
            raise too_many(error) from error
        try:
            cleaned = super().clean()
        except ValidationError:
            attempts.failed("sign-in", name)
            raise
        attempts.succeeded("sign-in", name, address)
        return cleaned


def too_many(error: TooManyAttemptsError) -> ValidationError:
    """Say when a password may be tried again."""
    wait = span(timedelta(minutes=ceil(error.wait / timedelta(minutes=1))))
    message = f"Too many attempts with this name. Nothing was checked. Try again in {wait}."
    return ValidationError(message, code="too_many")


class ZoneField(forms.ChoiceField):
    """A choice among the time zones of this machine's database."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", "Time zone")
        options.setdefault("help_text", "All dates and times are shown in it.")
        super().__init__(choices=zone_choices, **options)


def zone_choices() -> list[tuple[str, str]]:
    """List UTC first, then the zones named after places."""
    places = sorted(z for z in zoneinfo.available_timezones() if "/" in z and z[:3] != "Etc")
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in places)]


class ProfileForm(forms.ModelForm[User]):
    """What people may change about themselves."""

    time_zone = ZoneField()

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "time_zone")
        labels = {"email": "E-mail"}


class UserForm(forms.ModelForm[User]):
    """What an Admin may change about a user."""

    role = forms.ChoiceField(
        choices=Role.choices,
        help_text="Monitor sees everything but secrets. Sync Admin also changes systems, mappings "
        "and integrations. Admin also manages users.",
    )
    time_zone = ZoneField()

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email", "role", "time_zone", "is_active")
        help_texts = {
            "username": "For signing in. Unique.",
            "is_active": "Who is not active cannot sign in; what they did stays on record.",
        }
        labels = {"username": "User name", "email": "E-mail", "is_active": "May sign in"}

    def __init__(self, *args: Any, actor: User | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.actor = actor

    def clean(self) -> dict[str, Any]:
        """Keep Admins from locking themselves out."""
        data = super().clean() or self.cleaned_data
        if self.actor is not None and self.actor.pk == self.instance.pk:
            if data.get("role") != Role.ADMIN:
                self.add_error("role", "You cannot take the role Admin from yourself.")
            if not data.get("is_active"):
                self.add_error("is_active", "You cannot deactivate yourself.")
        return data


class PasswordForm(forms.Form):
    """A new password for somebody, typed twice."""

    password = forms.CharField(
        label="New password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters, not only digits, no common one.",
    )
    repeated = forms.CharField(
        label="The same again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user

    def clean_password(self) -> str:
        """Refuse what is easily guessed."""
        password = str(self.cleaned_data["password"])
        password_validation.validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        """Catch a slip of the finger."""
        data = super().clean() or self.cleaned_data
        typed = data.get("password")
        if typed is not None and typed != data.get("repeated"):
            self.add_error("repeated", "This differs from the password above.")
        return data

    def save(self) -> None:
        """Store the password."""
        if self.user is not None:
            services.set_password(self.user, self.cleaned_data["password"])


class OwnPasswordForm(PasswordForm):
    """One's own new password, which asks for the present one."""

    retry_after: timedelta | None = None  # set when nobody may try now

    current = forms.CharField(
        label="Present password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("current", "password", "repeated")

    def clean_current(self) -> str:
        """Make sure that it is the person who sits there."""
        typed = str(self.cleaned_data["current"])
        msg = "This is not your present password."
        if self.user is None:
            raise ValidationError(msg)
        whose = self.user.username
        try:
            attempts.begin("password", whose, "own")
        except TooManyAttemptsError as error:
            self.retry_after = error.wait
            raise too_many(error) from error
        if not self.user.check_password(typed):
            attempts.failed("password", whose)
            raise ValidationError(msg)
        attempts.succeeded("password", whose, "own")
        return typed
