"""Addresses of the integrations pages."""

from django.urls import path

from hubconnect.integrations.views import (
    acting,
    counterpart,
    failure_acts,
    failures,
    integrations,
    notifications,
    overview,
    pairs,
    previews,
    records,
    runs,
)

app_name = "integrations"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("integrations/", integrations.integration_list, name="list"),
    path("integrations/add/", integrations.integration_create, name="create"),
    path("integrations/<int:pk>/", integrations.integration_detail, name="detail"),
    path("integrations/<int:pk>/edit/", integrations.integration_edit, name="edit"),
    path("integrations/<int:pk>/pairs/", pairs.pair_add, name="pair_add"),
    path("integrations/<int:pk>/activate/", acting.activate, name="activate"),
    path("integrations/<int:pk>/deactivate/", acting.deactivate, name="deactivate"),
    path("integrations/<int:pk>/run/", acting.run_now, name="run_now"),
    path("integrations/<int:pk>/delete/", acting.delete, name="delete"),
    path("pairs/<int:pk>/", pairs.pair_settings, name="pair"),
    path("pairs/<int:pk>/counterpart/", counterpart.pair_counterpart, name="counterpart"),
    path("pairs/<int:pk>/change/", pairs.pair_change, name="pair_change"),
    path("flows/<int:pk>/preview/", previews.flow_preview, name="preview"),
    path("records/", records.record_search, name="records"),
    path("records/<int:pair>/<slug:side>/", records.record_story, name="record"),
    path("records/<int:pair>/<slug:side>/now/", records.record_sync, name="record_sync"),
    path(
        "records/<int:pair>/<slug:side>/progress/", records.record_progress, name="record_progress"
    ),
    path("history/", runs.run_list, name="run_list"),
    path("history/<int:pk>/", runs.run_detail, name="run_detail"),
    path("history/<int:pk>/progress/", runs.run_progress, name="run_progress"),
    path("failures/", failures.failure_list, name="failure_list"),
    path("failures/act/", failure_acts.failure_act, name="failure_act"),
    path("failures/csv/", failures.failure_csv, name="failure_csv"),
    path("failures/acts/<int:pk>/", failure_acts.failure_act_progress, name="failure_act_progress"),
    path("failures/acts/<int:pk>/stop/", failure_acts.failure_act_stop, name="failure_act_stop"),
    path("failures/<int:pk>/", failures.failure_detail, name="failure_detail"),
    path("failures/<int:pk>/edit/", failure_acts.failure_edit, name="failure_edit"),
    path("failures/<int:pk>/retry/", failure_acts.failure_retry, name="failure_retry"),
    path("failures/<int:pk>/<slug:name>/do/", failure_acts.failure_part, name="failure_part"),
    path("failures/<int:pk>/dismiss/", failure_acts.failure_dismiss, name="failure_dismiss"),
    path("notifications/", notifications.notification_list, name="notification_list"),
    path("notifications/add/", notifications.notification_add, name="notification_add"),
    path("notifications/<int:pk>/", notifications.notification_detail, name="notification"),
    path("notifications/<int:pk>/test/", notifications.notification_test, name="notification_test"),
    path(
        "notifications/<int:pk>/delete/",
        notifications.notification_delete,
        name="notification_delete",
    ),
]
