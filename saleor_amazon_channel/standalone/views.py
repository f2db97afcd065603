"""``/graphql/`` of the stand-alone shop, in the form of Saleor's."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from graphql.error import format_error

from ..graphql import audit
from . import host
from .tokens import TOKENS, InvalidToken

ABOUT = (
    "This is the stand-alone shop of saleor_amazon_channel, for trying and for tests. "
    "It is not Saleor. POST GraphQL requests to /graphql/.\n"
)


def about(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ABOUT, content_type="text/plain")


# It takes tokens only, and no cookie: there is nothing to forge.
@csrf_exempt
def graphql(request: HttpRequest) -> HttpResponse:
    """Execute ``{"query", "variables"?, "operationName"?}``."""
    if request.method != "POST":
        return about(request)
    try:
        data = _data(request)
        query = data["query"]
        variables = data.get("variables") or {}
        if not isinstance(query, str) or not isinstance(variables, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError):
        return _refuse("Unable to parse query.", "GraphQLError")
    try:
        request.identity = TOKENS.identity(request.headers)  # type: ignore[attr-defined]
    except InvalidToken as error:
        return _refuse(str(error), "InvalidTokenError")
    schema = host.schema()
    with audit.request(request):
        result = schema.execute(
            query,
            variable_values=variables,
            operation_name=data.get("operationName"),
            context_value=request,
        )
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [_format(error) for error in result.errors]
    # As in Saleor: 400 only where nothing could be executed.
    if not result.invalid:
        answer["data"] = result.data
    return JsonResponse(answer, status=400 if result.invalid else 200)


def _data(request: HttpRequest) -> Any:
    """The request, in JSON or, with files, in the parts of a form.

    As Saleor reads it (GraphQL multipart request specification): each file's place
    among the variables gets the file's key.
    """
    if request.content_type != "multipart/form-data":
        return json.loads(request.body)
    data = json.loads(request.POST["operations"])
    for key, paths in json.loads(request.POST["map"]).items():
        for path in paths:
            *steps, last = path.split(".")
            place = data
            for step in steps:
                place = place[int(step) if isinstance(place, list) else step]
            place[int(last) if isinstance(place, list) else last] = key
    return data


def _refuse(message: str, code: str) -> HttpResponse:
    error = {"message": message, "extensions": {"exception": {"code": code}}}
    return JsonResponse({"errors": [error]}, status=400)


def _format(error: Any) -> dict[str, Any]:
    original = getattr(error, "original_error", None) or error
    return {
        **format_error(error),
        "extensions": {"exception": {"code": type(original).__name__}},
    }
