"""Addresses of the mappings pages."""

from django.urls import path

from hubconnect.mappings.views import carried, editor, listing

app_name = "mappings"
urlpatterns = [
    path("", listing.mapping_list, name="list"),
    path("add/", listing.mapping_add, name="add"),
    path("<int:pk>/", editor.mapping_edit, name="edit"),
    path("<int:pk>/carried/", carried.mapping_carried, name="carried"),
    path("<int:pk>/clone/", listing.mapping_clone, name="clone"),
    path("<int:pk>/delete/", listing.mapping_delete, name="delete"),
]
