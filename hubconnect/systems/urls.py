"""Addresses of the systems pages."""

from django.urls import path

from hubconnect.systems.views import acting, connecting, editing, listing

app_name = "systems"
urlpatterns = [
    path("", listing.system_list, name="list"),
    path("add/", editing.system_add, name="add"),
    path("oauth/callback/", connecting.oauth_callback, name="oauth_callback"),
    path("<int:pk>/connect/", connecting.system_connect, name="connect"),
    path("<int:pk>/", listing.system_detail, name="detail"),
    path("<int:pk>/edit/", editing.system_edit, name="edit"),
    path("<int:pk>/check/", acting.system_check, name="check"),
    path("<int:pk>/prepare/", acting.system_prepare, name="prepare"),
    path("<int:pk>/delete/", acting.system_delete, name="delete"),
]
