"""Addresses of the mappings pages."""

from django.urls import URLPattern, URLResolver

app_name = "mappings"
urlpatterns: list[URLPattern | URLResolver] = []
