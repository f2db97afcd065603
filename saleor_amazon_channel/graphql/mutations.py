"""The root mutations."""

from __future__ import annotations

import graphene


class AmazonMutations(graphene.ObjectType):
    """Mixed into the host's Mutation."""
