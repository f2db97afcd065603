"""Amazon SQS: the queue that notifications lie in, on the operator's AWS account.

Who we are to AWS is boto3's business (environment, profile, the machine's role);
nothing of it is kept here. boto3 is imported when a queue is used and not before: most
shops have none, and it takes half a second. A standard queue gives a message at least
once, and again if it is not deleted within the queue's visibility time-out.

Source: SQS API reference.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any

#: Amazon's model has ``arn:aws:sqs:…`` only: no queues of AWS China or GovCloud.
_ARN = re.compile(
    r"arn:aws:sqs:(?P<region>[a-z0-9-]+):(?P<owner>[0-9]{12}):(?P<name>[\w-]{1,80})"
)

MOST_MESSAGES = 10
CONNECT_TIMEOUT_SECONDS = 3.0
#: On top of what a receive call waits for messages.
READ_TIMEOUT_SECONDS = 5.0
#: How long a receive call waits. Any wait makes SQS look on all of its servers instead
#: of some, so that nothing that lies there is overlooked.
WAIT_SECONDS = 1

_creating = threading.Lock()


class QueueError(Exception):
    """The queue cannot be used; the message says why and what to do."""


class NoAwsCredentials(QueueError):
    """boto3 finds none in this process."""


@dataclass(frozen=True, slots=True)
class Message:
    #: SQS's own, not the notification's.
    id: str
    body: str = field(repr=False)
    receipt: str = field(repr=False)


def is_queue_arn(arn: str) -> bool:
    """Whether it is one of a standard queue, which is the kind Amazon writes to."""
    return _ARN.fullmatch(arn) is not None


class Queue:
    """``endpoint`` is where SQS is, when not at AWS. Not to be shared by threads."""

    def __init__(self, arn: str, endpoint: str = "") -> None:
        match = _ARN.fullmatch(arn)
        if match is None:
            raise ValueError("not the ARN of a standard queue")
        self._arn = arn
        base = endpoint.rstrip("/") or f"https://sqs.{match['region']}.amazonaws.com"
        self._url = f"{base}/{match['owner']}/{match['name']}"
        with _failures():
            self._client = _client(match["region"], endpoint or None)

    def __enter__(self) -> Queue:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def check(self) -> None:
        """Raise QueueError unless it is there and we may look at it."""
        with _failures():
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["QueueArn"]
            )
        if answer.get("Attributes", {}).get("QueueArn") != self._arn:
            raise QueueError("There is another queue at the address of this one.")

    def receive(self, *, waits: bool) -> list[Message]:
        """Up to ten messages; ``waits``: up to a second for the first of them."""
        with _failures():
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=MOST_MESSAGES,
                WaitTimeSeconds=WAIT_SECONDS if waits else 0,
            )
        return [
            Message(wire["MessageId"], wire["Body"], wire["ReceiptHandle"])
            for wire in answer.get("Messages", ())
        ]

    def delete(self, messages: Sequence[Message]) -> None:
        """Up to ten. One that cannot be deleted now comes once more: no error."""
        if not messages:
            return
        with _failures():
            self._client.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message.receipt}
                    for number, message in enumerate(messages)
                ],
            )


def _client(region: str, endpoint: str | None) -> Any:
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=WAIT_SECONDS + READ_TIMEOUT_SECONDS,
        # The next tick tries again anyway.
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    with _creating:
        return _session().client(
            "sqs", region_name=region, endpoint_url=endpoint, config=config
        )


@cache
def _session() -> Any:
    """What is slow about a client, once per process: it reads the models, and looks for
    credentials, which renew themselves. Clients hold connections, this does not."""
    import boto3

    return boto3.session.Session()


@contextmanager
def _failures() -> Iterator[None]:
    """Turn botocore's errors into ours; their texts may quote requests."""
    from botocore import exceptions

    try:
        yield
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
    ) as error:
        raise NoAwsCredentials(
            "There are no AWS credentials. Give all processes of the shop a role that "
            "may read the queue, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in "
            "their environment."
        ) from error
    except exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))[:100]
        raise QueueError(_meaning(code)) from error
    except exceptions.BotoCoreError as error:
        raise QueueError(f"SQS is not reached ({type(error).__name__}).") from error


def _meaning(code: str) -> str:
    # The query protocol and the JSON protocol name them differently.
    name = code.rpartition(".")[2]
    if name in ("NonExistentQueue", "QueueDoesNotExist"):
        return "There is no such queue."
    if name in ("AccessDenied", "AccessDeniedException"):
        return (
            "AWS denies access to the queue. The shop's AWS identity needs "
            "sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes on it."
        )
    if name in (
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "ExpiredToken",
        "ExpiredTokenException",
    ):
        return f"AWS does not accept the shop's AWS credentials ({code})."
    return f"SQS refuses ({code})."
