"""The channel's pages in the stand-alone shop, and a page that plays the Dashboard.

The page that frames them is reached under another name of the same machine, so that the
two are of different origins, as the Dashboard and Saleor are.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from graphene.relay import Node

from ..dashboard import pages as dashboard_pages
from .tokens import PEOPLE, TOKENS

#: Where the pages are, and where what frames them is.
ROOT = "/dashboard"
HOST = "/dashboard-host"
_HOST_NAME = "localhost"
_PAGES_NAME = "127.0.0.1"


def host_url(port: int | str) -> str:
    return f"http://{_HOST_NAME}:{port}{HOST}/"


def pages(request: HttpRequest) -> HttpResponse:
    """The built pages, as Saleor serves them."""
    return dashboard_pages.respond(
        request,
        request.path.removeprefix(ROOT),
        graphql_path=reverse("graphql"),
        frame_ancestors=[f"http://{_HOST_NAME}:{_port(request)}"],
    )


def host(request: HttpRequest) -> HttpResponse:
    """The page that frames them. ``referrer`` of the query is its referrer policy."""
    port = _port(request)
    if request.get_host() != f"{_HOST_NAME}:{port}":
        return HttpResponseRedirect(host_url(port))
    origin = f"http://{_PAGES_NAME}:{port}"
    config = {
        "shop": "the stand-alone shop, which is not Saleor",
        "appId": Node.to_global_id("App", 1),
        "origin": origin,
        "root": ROOT,
        "api": origin + reverse("graphql"),
        "tokens": {name: TOKENS.mint(PEOPLE[name]) for name in PEOPLE},
    }
    response = HttpResponse(_template().replace("__CONFIG__", json.dumps(config)))
    response["Cache-Control"] = "no-store"
    policy = request.GET.get("referrer", "")
    if policy in ("no-referrer", "same-origin"):
        response["Referrer-Policy"] = policy
    return response


def _port(request: HttpRequest) -> str:
    return request.get_host().rpartition(":")[2]


@lru_cache(maxsize=1)
def _template() -> str:
    return (files(__package__) / "host_page.html").read_text()
