"""Changes to users."""

from django.db import transaction

from hubconnect.core.models import Role, User


class LastAdminError(Exception):
    """Without this person nobody could manage users any more."""


@transaction.atomic
def save_user(user: User) -> User:
    """Store a user whose form was checked.

    Raises:
        LastAdminError: The change would leave no active Admin.
    """
    user.save()
    if not User.objects.filter(role=Role.ADMIN, is_active=True).exists():
        msg = "This is the last active Admin. Make somebody else an Admin first."
        raise LastAdminError(msg)
    return user


def set_password(user: User, password: str) -> None:
    """Give a user another password; every other session of that person ends."""
    user.set_password(password)
    user.save(update_fields=["password"])
