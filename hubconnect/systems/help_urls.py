"""Addresses of the Help section."""

from django.urls import path

from hubconnect.systems.views import guides

app_name = "help"
urlpatterns = [
    path("", guides.index, name="index"),
    path("<slug:slug>/", guides.guide, name="topic"),
]
