"""The channel's pages and manifest, served from the plugin's own address in Saleor."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.urls import reverse

from ..conf import app_settings
from ..dashboard import pages
from . import app

#: Saleor has more in them than type checkers know of.
settings: Any = django_settings

_ORIGIN = re.compile(r"\*|https?://[\w.:*\[\]-]+")


def respond(request: HttpRequest, path: str) -> HttpResponse:
    """Answer a request; ``path`` is what follows the plugin's id."""
    if path == app.PAGES or path.startswith(f"{app.PAGES}/"):
        return pages.respond(
            request,
            path.removeprefix(app.PAGES),
            graphql_path=reverse("api"),
            frame_ancestors=frame_ancestors(),
        )
    if path == "/manifest":
        return JsonResponse(app.get_manifest())
    if path == "/register" and request.method == "POST":
        # Saleor gives every app that is installed by its manifest a token. The channel
        # works inside the process and keeps none.
        return HttpResponse()
    return HttpResponseNotFound()


def frame_ancestors() -> list[str]:
    """The origins of Dashboards. What is none is left out of the header."""
    origins = app_settings.DASHBOARD_ORIGINS or settings.ALLOWED_GRAPHQL_ORIGINS
    stripped = [origin.rstrip("/") for origin in origins]
    return [origin for origin in stripped if _ORIGIN.fullmatch(origin)]
