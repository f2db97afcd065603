"""The queue itself, against a real server that speaks SQS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from saleor_amazon_channel.amazon import sqs as ours
from saleor_amazon_channel.amazon.sqs import NoAwsCredentials, Queue, QueueError
from sqs import Sqs, running_sqs


@pytest.fixture(scope="module")
def sqs() -> Iterator[Sqs]:
    with running_sqs() as running:
        yield running


def test_messages_come_until_they_are_deleted(sqs: Sqs) -> None:
    arn = sqs.create_queue()
    bodies = [f"body {number}" for number in range(12)]
    sqs.send(arn, *bodies)
    with Queue(arn, sqs.url) as queue:
        queue.check()
        first = queue.receive(waits=False)
        assert len(first) == 10
        assert len(queue.receive(waits=False)) == 10
        queue.delete(first)
        rest = queue.receive(waits=True)
        queue.delete(rest)
        assert sorted(m.body for m in (*first, *rest)) == sorted(bodies)
        assert queue.receive(waits=False) == []
        queue.delete([])
    assert "body" not in repr(first[0]).replace("body=", "")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", "There is no such queue."),
        ("QueueDoesNotExist", "There is no such queue."),
        ("AccessDenied", "AWS denies access to the queue."),
        ("InvalidClientTokenId", "AWS does not accept the shop's AWS credentials"),
        ("RequestThrottled", "SQS refuses (RequestThrottled)."),
    ],
)
def test_what_aws_refuses_is_said_in_words(code: str, message: str) -> None:
    assert ours._meaning(code).startswith(message)


def test_a_queue_that_is_not_there_or_not_reached(sqs: Sqs) -> None:
    arn = sqs.create_queue()
    with (
        Queue(arn + "-gone", sqs.url) as queue,
        pytest.raises(QueueError, match=r"There is no such queue\."),
    ):
        queue.receive(waits=False)
    with (
        Queue(arn, "http://127.0.0.1:9") as queue,
        pytest.raises(QueueError, match=r"not reached \(EndpointConnectionError\)"),
    ):
        queue.receive(waits=False)


def test_without_aws_credentials(sqs: Sqs, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = sqs.create_queue()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    # The process has found some before, for other tests.
    monkeypatch.setattr(ours, "_session", ours._session.__wrapped__)
    with Queue(arn, sqs.url) as queue, pytest.raises(NoAwsCredentials) as missing:
        queue.receive(waits=False)
    assert "AWS_ACCESS_KEY_ID" in str(missing.value)


def test_a_shop_without_a_queue_does_not_load_boto3() -> None:
    code = """
import sys, django
django.setup()
import saleor_amazon_channel.tasks, saleor_amazon_channel.standalone.urls
import saleor_amazon_channel.management.commands.amazon_channel
import saleor_amazon_channel.sandbox.server
assert "saleor_amazon_channel.amazon.sqs" in sys.modules
assert not {"boto3", "botocore"} & set(sys.modules)
"""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"DJANGO_SETTINGS_MODULE": "saleor_amazon_channel.standalone.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
