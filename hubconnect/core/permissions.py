"""Which role a page needs."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from hubconnect.core.models import Role, User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def role_required(role: Role) -> Callable[[View[P]], View[P]]:
    """Let people in who have ``role`` or a higher one; others get the 403 page with the reason.

    That somebody is signed in at all is the middleware's duty.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            ensure_role(request, role)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def ensure_role(request: HttpRequest, role: Role) -> User:
    """Return the signed-in person, who has ``role``.

    Raises:
        PermissionDenied: The person has a lower role, or nobody is signed in.
    """
    user = request.user
    if isinstance(user, User) and user.has_role(role):
        return user
    held = Role(user.role).label if isinstance(user, User) else "not signed in"
    msg = f"This needs the role {role.label}; you are {held}. An Admin can change your role."
    raise PermissionDenied(msg)


def signed_in(request: HttpRequest) -> User:
    """Return the person who is signed in, as our own type.

    Raises:
        PermissionDenied: Nobody is signed in.
    """
    return ensure_role(request, Role.MONITOR)
