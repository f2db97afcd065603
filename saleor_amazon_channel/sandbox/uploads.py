"""Uploads API 2020-11-01: destinations for files, and the links they are behind.

Source: Amazon's model ``uploads_2020-11-01.json``. As the store behind Amazon's links
does, this one insists on the headers that the link is signed with, and on an MD5 in
base64 that is the content's (thread: selling-partner-api-docs issue 1245).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import Message
from typing import TYPE_CHECKING

from .calls import Answer, Call, Operation, Query
from .errors import InvalidInput
from .usage_plans import UsagePlan

if TYPE_CHECKING:
    from .state import State

LINK_PREFIX = "/_uploads/"
LINK_LIFETIME = timedelta(minutes=15)
_ENCRYPTION = "aws:kms"


@dataclass(slots=True)
class Upload:
    id: str
    seller_id: str
    resource: str
    md5: str
    secret: str = field(repr=False)
    expires_at: datetime
    content: bytes | None = field(default=None, repr=False)


def create_destination(call: Call) -> Answer:
    query = Query(call.pairs, ("marketplaceIds", "contentMD5", "contentType"))
    marketplace_ids = query.words("marketplaceIds", most=1)
    md5 = query.text("contentMD5")
    if not marketplace_ids or md5 is None:
        raise InvalidInput("marketplaceIds and contentMD5 are required.")
    if marketplace_ids[0] not in call.seller.marketplace_ids:
        raise InvalidInput("The marketplace is not one of the seller's.")
    upload = Upload(
        str(uuid.uuid4()),
        call.seller.seller_id,
        call.path["resource"].lstrip("/"),
        md5,
        secrets.token_urlsafe(24),
        call.now + LINK_LIFETIME,
    )
    call.state.uploads[upload.id] = upload
    return Answer(
        201,
        {
            "payload": {
                "uploadDestinationId": upload.id,
                "url": f"{call.state.base_url}{LINK_PREFIX}{upload.secret}",
                "headers": {
                    "Content-MD5": md5,
                    "x-amz-server-side-encryption": _ENCRYPTION,
                },
            }
        },
    )


def open_link(
    state: State,
    method: str,
    secret: str,
    headers: Message,
    body: bytes,
    now: datetime,
) -> Answer:
    """What the store behind the links answers."""
    upload = next(
        (each for each in state.uploads.values() if each.secret == secret), None
    )
    if (
        upload is None
        or method != "PUT"
        or now >= upload.expires_at
        or "x-amz-access-token" in headers
        or headers.get("Content-MD5") != upload.md5
        or headers.get("x-amz-server-side-encryption") != _ENCRYPTION
    ):
        return Answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    if base64.b64encode(digest).decode() != upload.md5:
        return Answer(400, b"<Error><Code>InvalidDigest</Code></Error>")
    upload.content = body
    return Answer(200)


OPERATIONS = (
    Operation(
        "createUploadDestinationForResource",
        "POST",
        "/uploads/2020-11-01/uploadDestinations/{+resource}",
        UsagePlan(10, 10),
        create_destination,
    ),
)
