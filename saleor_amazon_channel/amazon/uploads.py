"""Uploads API 2020-11-01: files that a message attaches.

    create_destination → upload → the destination's id goes into the message

Source: Amazon's model ``uploads_2020-11-01.json``. The MD5 is the one of HTTP's
``Content-MD5``, in base64: the link is signed with it, and the store refuses the
hexadecimal one of the model's example (thread: selling-partner-api-docs issue 1245).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from .client import Client
from .errors import MalformedAnswer

CREATE_DESTINATION = "createUploadDestinationForResource"
UPLOAD = "uploadToDestination"


@dataclass(frozen=True, slots=True)
class Destination:
    """A place for one file; whoever has the ``url`` may write it, for some minutes."""

    id: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def attach(
    client: Client,
    resource: str,
    marketplace_id: str,
    content: bytes,
    content_type: str,
    *,
    max_wait_seconds: float = 0,
) -> str:
    """Upload a file for the operation at the path ``resource``; the destination's id.

    Nothing comes of it until a message names the id, so it may be repeated.
    """
    digest = base64.b64encode(
        hashlib.md5(content, usedforsecurity=False).digest()
    ).decode()
    answer = client.request(
        CREATE_DESTINATION,
        "POST",
        f"/uploads/2020-11-01/uploadDestinations/{resource.lstrip('/')}",
        params={
            "marketplaceIds": marketplace_id,
            "contentMD5": digest,
            "contentType": content_type,
        },
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    destination = _destination(answer)
    # Amazon's headers are part of the signature, so they are sent as they came.
    given = {name.lower() for name in destination.headers}
    headers = dict(destination.headers)
    if "content-md5" not in given:
        headers["Content-MD5"] = digest
    if "content-type" not in given:
        headers["Content-Type"] = content_type
    client.transfer(UPLOAD, "PUT", destination.url, content=content, headers=headers)
    return destination.id


def _destination(answer: object) -> Destination:
    payload = answer.get("payload") if isinstance(answer, Mapping) else None
    if not isinstance(payload, Mapping):
        raise MalformedAnswer(CREATE_DESTINATION, "the answer has no payload")
    headers = payload.get("headers")
    if not isinstance(headers, Mapping):
        headers = {}
    return Destination(
        _text(payload, "uploadDestinationId"),
        _text(payload, "url"),
        {str(name): str(value) for name, value in headers.items()},
    )


def _text(payload: Mapping[str, object], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedAnswer(CREATE_DESTINATION, f"the answer has no {name}")
    return value
