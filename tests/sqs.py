"""A real server that speaks SQS, on loopback: moto's. No test mocks boto3."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
#: Whose queues they are, for moto.
OWNER = "123456789012"

_numbers = itertools.count(1)


class Sqs:
    """The operator's AWS account."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = boto3.session.Session().client(
            "sqs",
            region_name=REGION,
            endpoint_url=url,
            aws_access_key_id="operator",
            aws_secret_access_key="operator",
        )

    def create_queue(self, name: str = "") -> str:
        """Its ARN."""
        name = name or f"amazon-orders-{next(_numbers)}"
        # What a worker took and did not delete comes again at once.
        self.client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "0"})
        return f"arn:aws:sqs:{REGION}:{OWNER}:{name}"

    def _url(self, arn: str) -> str:
        return f"{self.url}/{OWNER}/{arn.rpartition(':')[2]}"

    def send(self, arn: str, *bodies: str) -> None:
        for start in range(0, len(bodies), 10):
            answer = self.client.send_message_batch(
                QueueUrl=self._url(arn),
                Entries=[
                    {"Id": str(number), "MessageBody": body}
                    for number, body in enumerate(bodies[start : start + 10])
                ],
            )
            assert not answer["Failed"]

    def take(self, arn: str) -> list[str]:
        """All bodies that are in the queue; it is empty then."""
        bodies: list[str] = []
        while True:
            answer = self.client.receive_message(
                QueueUrl=self._url(arn), MaxNumberOfMessages=10, VisibilityTimeout=30
            )
            if not answer.get("Messages"):
                return bodies
            for message in answer["Messages"]:
                bodies.append(message["Body"])
                self.client.delete_message(
                    QueueUrl=self._url(arn), ReceiptHandle=message["ReceiptHandle"]
                )

    def count(self, arn: str) -> int:
        """Messages that are in the queue, taken or not."""
        answer: Any = self.client.get_queue_attributes(
            QueueUrl=self._url(arn), AttributeNames=["All"]
        )
        attributes = answer["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"]) + int(
            attributes["ApproximateNumberOfMessagesNotVisible"]
        )


@contextmanager
def running_sqs() -> Iterator[Sqs]:
    """The shop's own AWS identity is in the environment, as an operator gives it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sqs = Sqs(f"http://{host}:{port}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "shop")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "shop-secret")
        yield sqs
    sqs.client.close()
    server.stop()
    assert server._server is not None
    server._server.server_close()
