"""The root queries."""

from __future__ import annotations

import graphene


class AmazonQueries(graphene.ObjectType):
    """Mixed into the host's Query."""
