"""Notifications: who is told about flows that stand still."""

from django.contrib import messages
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hubconnect.core.models import Role
from hubconnect.core.permissions import ensure_role, role_required
from hubconnect.integrations.forms.notification import NotificationForm
from hubconnect.integrations.models import Integration, Notice, Notification
from hubconnect.integrations.services import delivering, notifying

NOTICES_SHOWN = 20


@require_GET
def notification_list(request: HttpRequest) -> HttpResponse:
    """List who is told, and whether the last message arrived."""
    people = list(Notification.objects.prefetch_related("integrations"))
    newest = {one.notification_id: one for one in Notice.objects.filter(pk__in=_newest())}
    lines = [(one, list(one.integrations.all()), newest.get(one.pk)) for one in people]
    return render(request, "integrations/notification_list.html", {"lines": lines})


def _newest() -> QuerySet[Notice, int]:
    """Return the keys of everybody's last message."""
    grouped = Notice.objects.order_by().values("notification").annotate(newest=Max("pk"))
    return grouped.values_list("newest", flat=True)


@require_http_methods(["GET", "POST"])
@role_required(Role.SYNC_ADMIN)
def notification_add(request: HttpRequest) -> HttpResponse:
    """Make a notification."""
    form = NotificationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        notification = form.save()
        messages.success(request, f"{notification} is saved. Send a test to see that it arrives.")
        return redirect("integrations:notification", pk=notification.pk)
    return render(request, "integrations/notification_form.html", _context(form))


@require_http_methods(["GET", "POST"])
def notification_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show and change a notification, and what was sent."""
    notification = get_object_or_404(Notification, pk=pk)
    if request.method == "POST":
        ensure_role(request, Role.SYNC_ADMIN)
    form = NotificationForm(request.POST or None, instance=notification)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"{notification} is saved.")
        return redirect("integrations:notification", pk=notification.pk)
    shown = Notification.objects.get(pk=notification.pk)
    return render(request, "integrations/notification_form.html", _context(form, shown))


def _context(form: NotificationForm, notification: Notification | None = None) -> dict[str, object]:
    notices = notification.notices.all()[:NOTICES_SHOWN] if notification is not None else []
    return {
        "form": form,
        "notification": notification,
        "notices": notices,
        "has_integrations": Integration.objects.exists(),
    }


@require_POST
@role_required(Role.SYNC_ADMIN)
def notification_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test now and say how it went."""
    notification = get_object_or_404(Notification, pk=pk)
    notice = notifying.make_test(notification)
    if delivering.deliver(notice.pk):
        messages.success(request, f"A test was sent to {notification.receiver}.")
    else:
        notice.refresh_from_db()
        notice.state = Notice.State.FAILED  # a test is not repeated by itself
        notice.save(update_fields=["state"])
        messages.error(request, f"The test was not sent. {notice.error}")
    return redirect("integrations:notification", pk=pk)


@require_POST
@role_required(Role.SYNC_ADMIN)
def notification_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a notification with what it sent."""
    notification = get_object_or_404(Notification, pk=pk)
    name = notification.name
    notification.delete()
    messages.success(request, f"{name} was deleted.")
    return redirect("integrations:notification_list")
