"""The form of a notification: who is told, how, about what."""

import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from hubconnect.integrations.models import Notification

MOST_ADDRESSES = 20
STORED = "Stored. Leave empty to keep it."


class AddressesField(forms.CharField):
    """E-mail addresses, typed one after the other."""

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - as Django has it
        """Show stored addresses as one would type them."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - as Django has it
        """Return the addresses, each once, in the order they were typed."""
        found = [text for text in re.split(r"[\s,;]+", str(value or "")) if text]
        for text in found:
            try:
                validate_email(text)
            except ValidationError as error:
                msg = f"“{text}” is not an e-mail address."
                raise ValidationError(msg) from error
        if len(found) > MOST_ADDRESSES:
            msg = f"{len(found)} addresses are too many: at most {MOST_ADDRESSES}."
            raise ValidationError(msg)
        return list(dict.fromkeys(found))


class NotificationForm(forms.ModelForm[Notification]):
    """What does not apply to the chosen channel is neither checked nor kept."""

    use_required_attribute = False

    addresses = AddressesField(
        label="To",
        required=False,
        help_text="One or more e-mail addresses, with commas between.",
    )
    url = forms.CharField(
        label="Webhook address",
        required=False,
        max_length=2000,
        help_text="Receives a POST with JSON. Its field text is what incoming webhooks of chats "
        "show. Kept encrypted, since whoever knows it can post.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    signing_key = forms.CharField(
        label="Signing key",
        required=False,
        max_length=500,
        help_text="Each message then carries X-HubConnect-Signature: sha256= and the HMAC of its "
        "body by this key.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = Notification
        fields = (
            "name",
            "is_on",
            "channel",
            "addresses",
            "integrations",
            "after_minutes",
            "every_minutes",
            "tells_healed",
        )
        labels: ClassVar = {
            "is_on": "Messages are sent",
            "channel": "How",
            "integrations": "Integrations",
            "after_minutes": "Tell after",
            "every_minutes": "At most one message every",
            "tells_healed": "Tell when a flow goes on again",
        }
        help_texts: ClassVar = {
            "integrations": "None ticked: all of them, also those that are added later.",
            "after_minutes": "Minutes that a flow must stand still before somebody is told. "
            "0: at once.",
            "every_minutes": "Minutes. A message tells of all flows that turned meanwhile.",
        }
        widgets: ClassVar = {
            "channel": forms.RadioSelect,
            "integrations": forms.CheckboxSelectMultiple,
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        stored = self.instance.secrets if self.instance.pk else {}
        for name in ("url", "signing_key"):
            if stored.get(name):
                self.fields[name].widget.attrs["placeholder"] = STORED
        for name in ("addresses", "url"):  # needed where they apply
            self.fields[name].mark_optional = False  # type: ignore[attr-defined]  # {% field %}'s
        self.is_mail_ready = bool(settings.EMAIL_HOST)

    def clean(self) -> dict[str, Any]:
        """Ask for what the channel needs, and for nothing else."""
        data = super().clean() or self.cleaned_data
        if data.get("channel") == Notification.Channel.EMAIL:
            self._clean_mail(data)
        elif data.get("channel") == Notification.Channel.WEBHOOK:
            self._clean_webhook(data)
        return data

    def _clean_mail(self, data: dict[str, Any]) -> None:
        if "addresses" in data and not data["addresses"]:
            self.add_error("addresses", "Give at least one e-mail address.")
        if not self.is_mail_ready:
            self.add_error(
                "channel",
                "HubConnect knows no mail server: whoever runs it sets EMAIL_URL. "
                "Choose a webhook until then.",
            )

    def _clean_webhook(self, data: dict[str, Any]) -> None:
        data["addresses"] = []
        self.errors.pop("addresses", None)
        url = data.get("url") or self.instance.secrets.get("url", "")
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
            is_address = is_address and (parts.port or 1) > 0
        except ValueError:
            is_address = False
        if not url:
            self.add_error("url", "Give the address of the webhook.")
        elif not is_address:
            self.add_error("url", "This is no address. It begins with https:// or http://.")

    def save(self, commit: bool = True) -> Notification:  # noqa: FBT001, FBT002 - Django's
        """Store the notification; an empty secret keeps the stored one."""
        notification = self.instance
        if notification.channel == Notification.Channel.WEBHOOK:
            typed = {name: self.cleaned_data[name] for name in ("url", "signing_key")}
            kept = notification.secrets
            notification.secrets = {**kept, **{name: text for name, text in typed.items() if text}}
            notification.host = urlsplit(notification.secrets["url"]).hostname or ""
        else:
            notification.secrets, notification.host = {}, ""
        return super().save(commit)
