"""Addresses of the stand-alone shop."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [path("", views.about), path("graphql/", views.graphql)]
