"""Addresses of all pages: one include for each application."""

from django.urls import include, path

urlpatterns = [
    path("", include("hubconnect.core.urls")),
    path("systems/", include("hubconnect.systems.urls")),
    path("mappings/", include("hubconnect.mappings.urls")),
    path("help/", include("hubconnect.systems.help_urls")),
    path("", include("hubconnect.integrations.urls")),
]

handler400 = "hubconnect.core.views.bad_request"
handler403 = "hubconnect.core.views.permission_denied"
handler404 = "hubconnect.core.views.page_not_found"
handler500 = "hubconnect.core.views.server_error"
