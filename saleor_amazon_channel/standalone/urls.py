"""Addresses of the stand-alone shop."""

from __future__ import annotations

from django.urls import path, re_path

from . import dashboard, views

urlpatterns = [
    path("", views.about),
    path("graphql/", views.graphql, name="graphql"),
    re_path(r"^dashboard(?:/.*)?$", dashboard.pages),
    re_path(r"^dashboard-host(?:/.*)?$", dashboard.host),
]
