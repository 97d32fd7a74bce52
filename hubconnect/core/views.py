"""Sign-in, profile, users, audit, health, and the pages that say what went wrong."""

from datetime import timedelta
from http import HTTPStatus
from math import ceil

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from hubconnect.core import trail
from hubconnect.core.csv_export import csv_response
from hubconnect.core.filters import TrailFilter
from hubconnect.core.forms import (
    OwnPasswordForm,
    PasswordForm,
    ProfileForm,
    SignInForm,
    UserForm,
)
from hubconnect.core.health import Name, State, look
from hubconnect.core.models import Role, User
from hubconnect.core.paging import page_by_key
from hubconnect.core.permissions import role_required, signed_in
from hubconnect.core.services import LastAdminError, save_user, set_password

read_and_write = require_http_methods(["GET", "POST"])
ENTRIES_A_PAGE = 50


class SignInView(LoginView):
    """The page where people sign in."""

    template_name = "registration/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the page again; one that was tried too often says when to come back."""
        response = super().form_invalid(form)
        return with_wait(response, getattr(form, "retry_after", None))


def with_wait(response: HttpResponse, wait: timedelta | None) -> HttpResponse:
    """Mark an answer as "too many requests", if a wait is asked for."""
    if wait is not None:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response.headers["Retry-After"] = str(ceil(wait.total_seconds()))
    return response


@login_not_required
@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """Say that this process answers and reaches its database; for load balancers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


@login_not_required
@require_GET
@never_cache
def readiness(request: HttpRequest) -> JsonResponse:
    """Say which parts are at work: 200 if all are, else 503. ``?part=worker`` asks for some only.

    Everybody learns the state of a part and how old its last sign of life is; which workers these
    are is for people who are signed in.
    """
    asked = request.GET.getlist("part") or list(Name)
    if not set(asked) <= set(Name):
        known = ", ".join(Name)
        return JsonResponse({"error": f"The parts are: {known}."}, status=HTTPStatus.BAD_REQUEST)
    parts = look([Name(one) for one in asked])
    is_ok = all(part.is_ok for part in parts)
    told: dict[str, dict[str, object]] = {part.name: {"state": part.state} for part in parts}
    is_known = State.DOWN not in (part.state for part in parts) and request.user.is_authenticated
    for part in parts:
        if part.age is not None:
            told[part.name]["age_s"] = round(part.age.total_seconds(), 1)
        if is_known and part.alive:
            told[part.name]["alive"] = part.alive
    answer = {"status": "ok" if is_ok else "degraded", "parts": told}
    return JsonResponse(answer, status=HTTPStatus.OK if is_ok else HTTPStatus.SERVICE_UNAVAILABLE)


@read_and_write
def profile(request: HttpRequest) -> HttpResponse:
    """Let people change their name, address and time zone."""
    user = signed_in(request)
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if form.is_valid():
        save_user(form.instance)
        messages.success(request, "Profile saved.")
        return redirect("core:profile")
    return render(request, "core/profile.html", {"form": form})


@read_and_write
def password_change(request: HttpRequest) -> HttpResponse:
    """Let people change their own password; this session goes on, their others end."""
    user = signed_in(request)
    form = OwnPasswordForm(request.POST or None, user=user)
    if form.is_valid():
        form.save()
        update_session_auth_hash(request, user)
        messages.success(request, "Password changed. Your other sessions were signed out.")
        return redirect("core:profile")
    page = render(request, "core/password_form.html", {"form": form, "person": user})
    return with_wait(page, form.retry_after)


@require_GET
@role_required(Role.ADMIN)
def user_list(request: HttpRequest) -> HttpResponse:
    """List who may sign in, and as what."""
    return render(request, "core/user_list.html", {"people": User.objects.all()})


@read_and_write
@role_required(Role.ADMIN)
def user_add(request: HttpRequest) -> HttpResponse:
    """Make a user with a first password."""
    form = UserForm(request.POST or None, initial={"is_active": True})
    password_form = PasswordForm(request.POST or None, user=form.instance)
    if request.method == "POST" and all([form.is_valid(), password_form.is_valid()]):
        user = form.save(commit=False)
        user.set_password(password_form.cleaned_data["password"])
        save_user(user)
        messages.success(request, f"{user} was added and may sign in as {user.username}.")
        return redirect("core:user_list")
    context = {"form": form, "password_form": password_form}
    return render(request, "core/user_form.html", context)


@read_and_write
@role_required(Role.ADMIN)
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a user's name, role, time zone, and whether they may sign in."""
    person = get_object_or_404(User, pk=pk)
    form = UserForm(request.POST or None, instance=person, actor=signed_in(request))
    if form.is_valid():
        try:
            save_user(form.instance)
        except LastAdminError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{person} was saved.")
            return redirect("core:user_list")
    context = {"form": form, "person": User.objects.get(pk=pk)}
    return render(request, "core/user_form.html", context)


@read_and_write
@role_required(Role.ADMIN)
def user_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Set somebody's password, for one who has forgotten it."""
    person = get_object_or_404(User, pk=pk)
    form = PasswordForm(request.POST or None, user=person)
    if form.is_valid():
        set_password(person, form.cleaned_data["password"])
        messages.success(request, f"{person} has a new password. Tell it to them in person.")
        return redirect("core:user_edit", pk=pk)
    return render(request, "core/password_form.html", {"form": form, "person": person})


@require_GET
def audit_list(request: HttpRequest) -> HttpResponse:
    """List who changed what, newest first."""
    chosen = TrailFilter(request.GET, queryset=trail.entries())
    page = page_by_key(chosen.qs, request, ENTRIES_A_PAGE)
    context = {
        "filter": chosen,
        "page": page,
        "lines": trail.lines(page.items),
        "is_narrowed": any(request.GET.get(name) for name in chosen.filters),
        "query": request.GET.urlencode(),
    }
    return render(request, "core/audit_list.html", context)


@require_GET
def audit_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Give the same as a CSV file, all of it."""
    chosen = TrailFilter(request.GET, queryset=trail.entries())
    return csv_response("hubconnect-audit.csv", trail.HEADER, trail.rows(chosen.qs))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refused before any view saw it."""
    return problem(request, HTTPStatus.BAD_REQUEST)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose proof of origin is missing, mostly after signing out in another tab."""
    text = "The form was too old or your session ended. Go back, reload the page and send it again."
    return problem(request, HTTPStatus.FORBIDDEN, text=text)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer who may not do this, with the reason."""
    return problem(request, HTTPStatus.FORBIDDEN, text=str(exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that is no page, or no longer."""
    return problem(request, HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a bug. The page needs neither the database nor a session."""
    return render(None, "500.html", status=HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(request: HttpRequest, status: HTTPStatus, text: str = "") -> HttpResponse:
    """Render the page for ``status``, inside the frame if somebody is signed in."""
    known = getattr(request, "user", None) is not None and request.user.is_authenticated
    context = {"frame": "base.html" if known else "base_plain.html", "text": text}
    return render(request, f"{status.value}.html", context, status=status)
