"""Serves the built pages, wherever below whatever address they are mounted.

The build knows no address: ``<base>`` tells the page where its root is, relative to
the address that the browser asked for, so proxies may cut or add what they like.
Nothing here touches a database.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

#: Given here, since slim images know no types, and browsers are told not to guess.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_COMPRESSED = (".css", ".js", ".svg")
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_AN_HOUR = "public, max-age=3600"

INDEX = "index.html"


@dataclass(frozen=True)
class File:
    name: str
    content: bytes

    @property
    def extension(self) -> str:
        return posixpath.splitext(self.name)[1]

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @cached_property
    def compressed(self) -> bytes | None:
        if self.extension not in _COMPRESSED:
            return None
        return gzip.compress(self.content, mtime=0)


@lru_cache(maxsize=1)
def built_files() -> dict[str, File]:
    """The build by path, read once. Requests only ever look a path up in it."""
    found: dict[str, File] = {}

    def read(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                read(entry, f"{prefix}{entry.name}/")
            elif posixpath.splitext(entry.name)[1] in CONTENT_TYPES:
                name = prefix + entry.name
                found[name] = File(name, entry.read_bytes())

    read(files(__package__) / "static", "")
    return found


def respond(
    request: HttpRequest,
    path: str,
    *,
    graphql_path: str,
    frame_ancestors: Sequence[str],
) -> HttpResponse:
    """Answer a request below the root of the pages.

    ``path`` is what follows the root, with its slash, or empty. ``graphql_path`` is the
    API's, as the server sees it. ``frame_ancestors`` are the origins that may show the
    pages in a frame.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    name = path.strip("/")
    if name != INDEX and name in built_files():
        return _static(request, built_files()[name])
    if name.startswith("assets/") or INDEX not in built_files():
        return _headers(HttpResponse(status=404, content_type="text/plain"))
    root = request.path.removesuffix(path)
    graphql = posixpath.relpath(graphql_path, root) + "/"
    return _index(_root_from(root, path), graphql, frame_ancestors)


def _static(request: HttpRequest, file: File) -> HttpResponse:
    is_hashed = file.name.startswith("assets/")
    if file.etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        content = file.content
        encodings = request.headers.get("Accept-Encoding", "")
        response = HttpResponse(content_type=CONTENT_TYPES[file.extension])
        if file.compressed is not None and "gzip" in encodings:
            content = file.compressed
            response["Content-Encoding"] = "gzip"
        response.content = content
    response["Vary"] = "Accept-Encoding"
    response["ETag"] = file.etag
    response["Cache-Control"] = _FOR_EVER if is_hashed else _FOR_AN_HOUR
    return _headers(response)


def _index(root: str, graphql: str, frame_ancestors: Sequence[str]) -> HttpResponse:
    head = (
        f'<head><base href="{escape(root)}">'
        f'<meta name="graphql" content="{escape(graphql)}">'
    )
    html = built_files()[INDEX].content.decode().replace("<head>", head, 1)
    response = HttpResponse(html, content_type=CONTENT_TYPES[".html"])
    response["Cache-Control"] = "no-cache"
    response["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            # Saleor's components add a <style> for their dialogs.
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'self'",
            "form-action 'none'",
            " ".join(("frame-ancestors 'self'", *frame_ancestors)),
        )
    )
    return _headers(response)


def _root_from(root: str, path: str) -> str:
    """The root as seen from the page at ``path`` below it, for ``<base>``."""
    if not path:
        return f"{posixpath.basename(root)}/"
    return "../" * (path.count("/") - 1) or "./"


def _headers(response: HttpResponse) -> HttpResponse:
    response["X-Content-Type-Options"] = "nosniff"
    # Saleor's default, same-origin, hides from the page which Dashboard it is in.
    response["Referrer-Policy"] = "strict-origin-when-cross-origin"
    return response
