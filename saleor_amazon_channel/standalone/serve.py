"""``python -m saleor_amazon_channel.standalone.serve``: the stand-alone shop over HTTP.

Loopback only. Prints one JSON line when ready: its address, and a token for each of the
people it knows.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not logged: an address may hold what a buyer typed."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m saleor_amazon_channel.standalone.serve",
        description="The stand-alone shop, which is not Saleor, over HTTP on loopback. "
        "Its database is that of DATABASE_URL, migrated.",
    )
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    options = parser.parse_args()

    os.environ.setdefault(
        "DJANGO_SETTINGS_MODULE", "saleor_amazon_channel.standalone.settings"
    )
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    from .dashboard import host_url
    from .tokens import TOKENS

    server = _Server(("127.0.0.1", options.port), _Handler)
    server.set_app(application)
    ready = {
        "shop": "stand-alone shop (not Saleor)",
        "url": f"http://127.0.0.1:{server.server_port}/graphql/",
        "dashboard": host_url(server.server_port),
        "tokens": TOKENS.mint_all(),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
