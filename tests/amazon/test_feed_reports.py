from __future__ import annotations

import pytest

from saleor_amazon_channel.amazon.errors import MalformedAnswer
from saleor_amazon_channel.amazon.feed_reports import Report, Result, parse

XML = """<?xml version="1.0" encoding="UTF-8"?>
<AmazonEnvelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="amzn-envelope.xsd">
  <Header>
    <DocumentVersion>1.02</DocumentVersion>
    <MerchantIdentifier>A1SELLER</MerchantIdentifier>
  </Header>
  <MessageType>ProcessingReport</MessageType>
  <Message>
    <MessageID>1</MessageID>
    <ProcessingReport>
      <DocumentTransactionID>1234567890</DocumentTransactionID>
      <StatusCode>{status}</StatusCode>
      <ProcessingSummary>
        <MessagesProcessed>3</MessagesProcessed>
        <MessagesSuccessful>2</MessagesSuccessful>
        <MessagesWithError>1</MessagesWithError>
        <MessagesWithWarning>1</MessagesWithWarning>
      </ProcessingSummary>
      {results}
    </ProcessingReport>
  </Message>
</AmazonEnvelope>
"""
RESULT = """<Result>
  <MessageID>{number}</MessageID>
  <ResultCode>{kind}</ResultCode>
  <ResultMessageCode>18028</ResultMessageCode>
  <ResultDescription> The data you submitted is incomplete. </ResultDescription>
  <AdditionalInfo><AmazonOrderID>303-0000000-1234567</AmazonOrderID></AdditionalInfo>
</Result>"""
SAID = "The data you submitted is incomplete."


def report(status: str = "Complete", **results: str) -> bytes:
    text = "".join(
        RESULT.format(number=name.removeprefix("m"), kind=kind)
        for name, kind in results.items()
    )
    return XML.format(status=status, results=text).encode()


def test_messages_without_a_result_succeeded() -> None:
    found = parse(report(m2="Error", m3="Warning"))

    assert found == Report(
        is_complete=True,
        processed=3,
        successful=2,
        results={
            2: (Result(2, True, "18028", SAID),),
            3: (Result(3, False, "18028", SAID),),
        },
    )
    assert found.errors_of(1) == ()
    assert found.errors_of(3) == ()
    assert found.warnings_of(3) == (Result(3, False, "18028", SAID),)
    assert [str(each) for each in found.errors_of(2)] == [f"18028: {SAID}"]


def test_an_error_of_the_document_is_one_of_every_message() -> None:
    found = parse(report("Rejected", m0="Error"))

    assert not found.is_complete
    assert found.errors_of(1) == found.errors_of(77) == found.results[0]


def test_a_result_whose_kind_or_message_is_not_known_is_an_error() -> None:
    assert parse(report(m2="Strange")).errors_of(2) != ()
    assert parse(report(mx="Error")).errors_of(2) != ()


def test_a_byte_order_mark_does_not_hide_the_report() -> None:
    assert parse(b"\xef\xbb\xbf\r\n" + report()) == parse(report())


TEXT = (
    "Feed Processing Summary:\r\n"
    "\tNumber of records processed\t\t2\r\n"
    "\tNumber of records successful\t\t1\r\n"
    "\r\n"
    "original-record-number\torder-id\terror-code\terror-type\terror-message\r\n"
    "2\t303-0000000-1234567\t18028\tError\tThe data you submitted is incomplete.\r\n"
    "1\t303-0000000-1234568\t99001\tWarning\tLook at it.\r\n"
)


def test_the_tab_text_of_flat_files() -> None:
    found = parse(TEXT.encode())

    assert (found.is_complete, found.processed, found.successful) == (True, 2, 1)
    assert found.errors_of(2) == (Result(2, True, "18028", SAID),)
    assert found.errors_of(1) == ()
    assert found.warnings_of(1) == (Result(1, False, "99001", "Look at it."),)


def test_a_text_without_a_table_has_no_errors() -> None:
    found = parse(TEXT.partition("\r\n\r\n")[0].encode())

    assert (found.processed, found.results) == (2, {})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "neither XML nor a summary"),
        (b"<html><body>Sorry</body></html>", "no ProcessingReport"),
        (b"<AmazonEnvelope><Message>", "cannot be parsed"),
        (b'<!DOCTYPE x [<!ENTITY e "eee">]><x>&e;</x>', "declares entities"),
        (b"Service unavailable", "neither XML nor a summary"),
    ],
)
def test_what_is_no_report_is_said(content: bytes, problem: str) -> None:
    with pytest.raises(MalformedAnswer, match=problem):
        parse(content)


@pytest.mark.parametrize(
    ("content", "message_count", "is_all"),
    [
        # 3 processed, 2 successful: the third has to be named.
        (report(m2="Error"), 3, True),
        # A warning does not make it unsuccessful.
        (report(m2="Warning"), 3, False),
        # There was no fourth message.
        (report(m4="Error"), 3, False),
        (report(), 3, False),
        (report(m2="Error"), 4, False),
        (report("Processing", m2="Error"), 3, False),
        (report("Rejected", m2="Error"), 3, False),
        # An error of the document says nothing of the two that went through.
        (report(m0="Error"), 3, False),
        (report(m0="Warning", m2="Error"), 3, True),
    ],
)
def test_whether_a_report_tells_what_became_of_each(
    content: bytes, message_count: int, is_all: bool
) -> None:
    assert parse(content).tells_all(message_count) is is_all


def test_a_document_of_which_nothing_went_through_is_told_of_as_a_whole() -> None:
    none = report("Rejected", m0="Error").replace(
        b"<MessagesSuccessful>2", b"<MessagesSuccessful>0"
    )
    assert parse(none).tells_all(3)
    nothing = none.replace(b"<MessagesProcessed>3", b"<MessagesProcessed>0")
    assert parse(nothing).tells_all(3)
