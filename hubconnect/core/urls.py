"""Addresses of sign-in, the reader's profile, users, the audit trail and health."""

from django.contrib.auth import views as auth_views
from django.urls import path

from hubconnect.core import views

app_name = "core"
urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="login"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="logout"),
    path("health/", views.health, name="health"),
    path("healthz", views.readiness, name="readiness"),
    path("profile/", views.profile, name="profile"),
    path("profile/password/", views.password_change, name="password_change"),
    path("audit/", views.audit_list, name="audit_list"),
    path("audit/csv/", views.audit_csv, name="audit_csv"),
    path("users/", views.user_list, name="user_list"),
    path("users/add/", views.user_add, name="user_add"),
    path("users/<int:pk>/", views.user_edit, name="user_edit"),
    path("users/<int:pk>/password/", views.user_password, name="user_password"),
]
