"""Puts our queries and mutations into Saleor's own schema.

Saleor builds its schema while ``saleor.graphql.api`` is imported, and its URLs and
views take it from there by value. So ours is composed the moment that module has run:
everybody who imports it gets the composed schema, and processes that never do (beat,
most management commands) pay nothing.
"""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

from django.core.exceptions import ValidationError

API = "saleor.graphql.api"
VIEWS = "saleor.graphql.views"
#: Modules that took the schema by value, where they were imported before us.
HOLDERS = ("saleor.graphql.views", "saleor.urls")


def after_import(module: str, then: Callable[[ModuleType], None]) -> None:
    """Call ``then`` with Saleor's module once that has run, or now if it has.

    ``then`` must not raise.
    """
    if module in sys.modules:
        then(sys.modules[module])
        return
    sys.meta_path.insert(0, _AfterImport(module, then))


class _AfterImport(MetaPathFinder):
    """Finds a module as Python would, and has something done after it ran."""

    def __init__(self, module: str, then: Callable[[ModuleType], None]) -> None:
        self.module = module
        self.then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            sys.meta_path.remove(self)
            self.then(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def compose(api: Any) -> None:
    """Rebuild the schema of Saleor's API module with our root fields in it.

    Whatever is raised on the way, Saleor's schema is as it was.
    """
    from saleor.graphql.core.federation import schema as federation
    from saleor.graphql.query_cost_map import COST_MAP

    from ..graphql import host
    from .host import host as saleor_host

    host.install(saleor_host())
    # Types are made at import, from what the host gives.
    from ..graphql import mutations, queries

    saleors = api.schema
    federations_own = {federation._Any, federation._Entity, federation._Service}
    # Ours come first in the bases, which puts our fields last in the schema.
    query = type("Query", (queries.AmazonQueries, api.Query), {})
    mutation = type("Mutation", (mutations.AmazonMutations, api.Mutation), {})
    composed = federation.build_federated_schema(
        query,
        mutation=mutation,
        types=[type_ for type_ in saleors.types if type_ not in federations_own],
        subscription=saleors._subscription,
        directives=saleors._directives,
    )
    api.monitor_fields_usage(composed)
    our_costs = queries.COST_MAP

    api.Query, api.Mutation, api.schema = query, mutation, composed
    for name in HOLDERS:
        if name in sys.modules:
            sys.modules[name].schema = composed  # type: ignore[attr-defined]
    # A cost for a field that the schema lacks would fail every query of the shop.
    for type_name, costs in our_costs.items():
        COST_MAP.setdefault(type_name, {}).update(costs)


def log_what_is_shown(views: Any) -> None:
    """Have each request leave its line of what it showed of buyers."""
    from ..graphql import audit

    original = views.GraphQLView.execute_graphql_request

    @wraps(original)
    def execute_graphql_request(self: Any, request: Any, data: Any) -> Any:
        with audit.request(request):
            return original(self, request, data)

    views.GraphQLView.execute_graphql_request = execute_graphql_request


def let_bulk_cancel_explain() -> None:
    """Make ``orderBulkCancel`` answer for Amazon's orders one by one and cancel the
    others, as it does for orders that Saleor itself does not cancel.

    Else capture refuses the first of them, in the middle and for all.
    """
    from saleor.graphql.order.bulk_mutations.order_bulk_cancel import OrderBulkCancel

    from .. import lifecycle

    original = OrderBulkCancel.clean_input.__func__
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def clean_input(
        cls: Any, info: Any, instances: Sequence[Any], ids: Sequence[str]
    ) -> tuple[list[Any], dict[str, list[ValidationError]]]:
        pks, errors = original(cls, info, instances, ids)
        refused = lifecycle.cancellation_refusals([str(pk) for pk in pks])
        for order, global_id in zip(instances, ids, strict=True):
            if refusal := refused.get(str(order.pk)):
                errors.setdefault(global_id, []).append(ValidationError(str(refusal)))
        return [pk for pk in pks if str(pk) not in refused], errors

    OrderBulkCancel.clean_input = classmethod(clean_input)
