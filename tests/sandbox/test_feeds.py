"""Feeds in the sandbox: documents, queue, processing, reports and what may go wrong."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from saleor_amazon_channel.sandbox import State
from wire_orders import wire_item, wire_order

from .conftest import DE, GB, US, Caller, Move, errors

FEEDS = "/feeds/2021-06-30/feeds"
DOCUMENTS = "/feeds/2021-06-30/documents"
XML = "text/xml; charset=UTF-8"
TYPE = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
ORDER = "111-0000001-0000001"
ITEM = "10000000000001"
SELLER = "A1SANDBOXEU"


def message(
    number: int = 1,
    order_id: str = ORDER,
    items: tuple[str, ...] = (ITEM,),
    status: str = "Failure",
    extra: str = "",
) -> str:
    named = "".join(
        f"<Item><AmazonOrderItemCode>{item}</AmazonOrderItemCode>"
        "<CancelReason>NoInventory</CancelReason></Item>"
        for item in items
    )
    return (
        f"<Message><MessageID>{number}</MessageID><OrderAcknowledgement>"
        f"<AmazonOrderID>{order_id}</AmazonOrderID>{extra}"
        f"<StatusCode>{status}</StatusCode>{named}</OrderAcknowledgement></Message>"
    )


def envelope(*messages: str, seller: str = SELLER) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><AmazonEnvelope><Header>'
        "<DocumentVersion>1.01</DocumentVersion>"
        f"<MerchantIdentifier>{seller}</MerchantIdentifier></Header>"
        f"<MessageType>OrderAcknowledgement</MessageType>{''.join(messages)}"
        "</AmazonEnvelope>"
    ).encode()


def call(caller: Caller, method: str, path: str, **options: Any) -> requests.Response:
    return caller.call(method, path, region="EU", **options)


def uploaded(caller: Caller, content: bytes, content_type: str = XML) -> str:
    answer = call(caller, "POST", DOCUMENTS, json={"contentType": content_type})
    assert answer.status_code == 201
    document = answer.json()
    put = caller.session.put(
        document["url"], data=content, headers={"content-type": content_type}
    )
    assert put.status_code == 200
    return str(document["feedDocumentId"])


def body(document_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "feedType": TYPE,
        "marketplaceIds": [DE],
        "inputFeedDocumentId": document_id,
        **changes,
    }


def submitted(caller: Caller, content: bytes, content_type: str = XML) -> str:
    document_id = uploaded(caller, content, content_type)
    answer = call(caller, "POST", FEEDS, json=body(document_id))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["feedId"])


def described(caller: Caller, feed_id: str) -> dict[str, Any]:
    answer = call(caller, "GET", f"{FEEDS}/{feed_id}")
    assert answer.status_code == 200
    return dict(answer.json())


def report_of(caller: Caller, feed_id: str) -> ElementTree.Element:
    result = described(caller, feed_id)["resultFeedDocumentId"]
    document = call(caller, "GET", f"{DOCUMENTS}/{result}").json()
    assert document["compressionAlgorithm"] == "GZIP"
    content = caller.session.get(document["url"]).content
    return ElementTree.fromstring(gzip.decompress(content))  # noqa: S314


def results(report: ElementTree.Element) -> list[tuple[str | None, str | None]]:
    return [
        (result.findtext("MessageID"), result.findtext("ResultMessageCode"))
        for result in report.iter("Result")
    ]


def status(state: State, order_id: str = ORDER) -> str:
    return str(state.order(order_id)["fulfillment"]["fulfillmentStatus"])


@pytest.fixture(autouse=True)
def orders(state: State) -> None:
    state.put_orders([wire_order(), wire_order("111-0000001-0000002")])


def test_a_feed_cancels_an_order_in_its_time(
    caller: Caller, state: State, move: Move
) -> None:
    feed_id = submitted(caller, envelope(message()))
    assert described(caller, feed_id) == {
        "feedId": feed_id,
        "feedType": TYPE,
        "marketplaceIds": [DE],
        "createdTime": "2026-11-22T12:00:00.000Z",
        "processingStatus": "IN_QUEUE",
    }

    move(timedelta(seconds=20))
    assert described(caller, feed_id)["processingStatus"] == "IN_PROGRESS"
    assert status(state) == "UNSHIPPED"

    move(timedelta(seconds=30))
    done = described(caller, feed_id)
    assert done["processingStatus"] == "DONE"
    assert done["processingEndTime"] == "2026-11-22T12:00:45.000Z"
    assert status(state) == "CANCELLED"
    report = report_of(caller, feed_id)
    assert results(report) == []
    assert report.findtext(".//MessagesSuccessful") == "1"
    cancelled = state.order(ORDER)
    assert cancelled["lastUpdatedTime"] == "2026-11-22T12:00:50.000Z"
    assert cancelled["orderItems"][0]["cancellation"]["cancellationExecution"] == {
        "cancelledBy": "MERCHANT",
        "cancelReason": "NoInventory",
    }


def test_each_message_is_judged_by_itself(
    caller: Caller, state: State, move: Move
) -> None:
    state.put_orders([wire_order("111-0000001-0000003", status="SHIPPED")])
    feed_id = submitted(
        caller,
        envelope(
            message(1),
            message(2, "999-0000001-0000001"),
            message(3, "111-0000001-0000003"),
            message(4, "111-0000001-0000002", items=("10000000000009",)),
            # A Failure without items is passed over, as at Amazon.
            message(5, "111-0000001-0000002", items=()),
        ),
    )
    move(timedelta(minutes=1))

    report = report_of(caller, feed_id)

    assert results(report) == [("2", "90001"), ("3", "90002"), ("4", "90003")]
    assert report.findtext(".//MessagesProcessed") == "5"
    assert status(state) == "CANCELLED"
    assert status(state, "111-0000001-0000002") == "UNSHIPPED"


def test_an_acknowledgement_keeps_the_sellers_own_number(
    caller: Caller, state: State, move: Move
) -> None:
    own = "<MerchantOrderID>SALEOR-1042</MerchantOrderID>"
    submitted(caller, envelope(message(status="Success", items=(), extra=own)))
    move(timedelta(minutes=1))
    call(caller, "GET", FEEDS, params={"feedTypes": TYPE})

    assert state.order(ORDER)["orderAliases"] == [
        {"aliasId": "SALEOR-1042", "aliasType": "SELLER_ORDER_ID"}
    ]
    assert status(state) == "UNSHIPPED"


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        (b"\xef\xbb\xbf" + envelope(message()), XML, "5000"),
        (envelope(message()) + b"trailing", XML, "5000"),
        (envelope(message())[:-5], XML, "5000"),
        (envelope(message()), "text/tab-separated-values; charset=UTF-8", "5000"),
        (envelope(message(), seller="A1OTHER"), XML, "5001"),
        (envelope(message(1), message(1)), XML, "5001"),
        (envelope(message(order_id="111-1-1")), XML, "5001"),
        (envelope(message(items=("1234",))), XML, "5001"),
        (envelope(message(extra="<Nonsense/>")), XML, "5001"),
        (envelope(message(status="Maybe")), XML, "5001"),
        (envelope(message()).replace(b"NoInventory", b"NoIdea"), XML, "5001"),
        (envelope(message()).replace(b"AmazonOrderID", b"AmazonOrderId"), XML, "5001"),
        (
            envelope(message()).replace(b"OrderAcknowledgement<", b"OrderAdjustment<"),
            XML,
            "5001",
        ),
    ],
)
def test_a_document_that_is_not_the_schemas_is_rejected_whole(
    caller: Caller,
    state: State,
    move: Move,
    content: bytes,
    content_type: str,
    code: str,
) -> None:
    feed_id = submitted(caller, content, content_type)
    move(timedelta(minutes=1))

    report = report_of(caller, feed_id)

    assert report.findtext(".//StatusCode") == "Rejected"
    assert results(report) == [("0", code)]
    assert status(state) == "UNSHIPPED"


def test_feeds_of_a_type_run_one_after_the_other(
    caller: Caller, state: State, move: Move
) -> None:
    first = submitted(caller, envelope(message()))
    second = submitted(caller, envelope(message(1, "111-0000001-0000002")))

    move(timedelta(seconds=50))
    assert described(caller, first)["processingStatus"] == "DONE"
    assert described(caller, second)["processingStatus"] == "IN_PROGRESS"

    move(timedelta(seconds=30))
    assert described(caller, second)["processingStatus"] == "DONE"


def test_only_a_feed_in_the_queue_can_be_cancelled(
    caller: Caller, state: State, move: Move
) -> None:
    first = submitted(caller, envelope(message()))
    second = submitted(caller, envelope(message(1, "111-0000001-0000002")))
    assert call(caller, "DELETE", f"{FEEDS}/{second}").status_code == 200
    move(timedelta(minutes=2))

    assert described(caller, second)["processingStatus"] == "CANCELLED"
    assert status(state, "111-0000001-0000002") == "UNSHIPPED"
    assert call(caller, "DELETE", f"{FEEDS}/{first}").status_code == 400


def test_links_live_five_minutes_and_want_what_they_were_made_for(
    caller: Caller, move: Move
) -> None:
    document = call(caller, "POST", DOCUMENTS, json={"contentType": XML}).json()
    url = document["url"]

    def put(**headers: str) -> int:
        return caller.session.put(url, data=b"<a/>", headers=headers).status_code

    assert put(**{"content-type": "text/xml"}) == 403
    assert put(**{"content-type": XML, "x-amz-access-token": "t"}) == 403
    assert caller.session.get(url).status_code == 403
    assert (
        caller.session.put(url + "x", headers={"content-type": XML}).status_code == 403
    )
    assert put(**{"content-type": XML}) == 200
    move(timedelta(minutes=5))
    assert put(**{"content-type": XML}) == 403


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feedType": "POST_INVENTORY_AVAILABILITY_DATA"}, "Invalid feed type."),
        ({"marketplaceIds": []}, "marketplaceIds is required."),
        (
            {"marketplaceIds": [DE] * 26},
            "marketplaceIds must have 1 to 25 values.",
        ),
        ({"marketplaceIds": [US]}, "A marketplace is not one of the seller's."),
        ({"inputFeedDocumentId": "amzn1.x"}, "Invalid inputFeedDocumentId."),
        ({"feedOptions": {"a": 1}}, "feedOptions must be text."),
        ({"feedoptions": {}}, "Request has unknown fields [feedoptions]"),
        (
            {"marketplaceIds": DE},
            "Request has fields with invalid type [marketplaceIds]",
        ),
    ],
)
def test_a_feed_that_cannot_be_is_refused(
    caller: Caller, changes: dict[str, Any], message: str
) -> None:
    document_id = uploaded(caller, b"<a/>")

    answer = call(caller, "POST", FEEDS, json=body(document_id, **changes))

    assert answer.status_code == 400
    assert errors(answer) == [("InvalidInput", message)]


def test_a_document_serves_one_feed_for_two_days(caller: Caller, move: Move) -> None:
    empty = call(caller, "POST", DOCUMENTS, json={"contentType": XML}).json()
    answer = call(caller, "POST", FEEDS, json=body(empty["feedDocumentId"]))
    assert "upload it first" in errors(answer)[0][1]

    document_id = uploaded(caller, envelope(message()))
    assert call(caller, "POST", FEEDS, json=body(document_id)).status_code == 202
    answer = call(caller, "POST", FEEDS, json=body(document_id))
    assert errors(answer)[0][1] == "The feed document was used before."

    late = uploaded(caller, envelope(message()))
    move(timedelta(days=2))
    caller.token("EU", is_new=True)
    answer = call(caller, "POST", FEEDS, json=body(late))
    assert errors(answer)[0][1] == "Invalid inputFeedDocumentId."


def test_feeds_are_listed_in_pages_newest_first(caller: Caller, move: Move) -> None:
    ids = []
    for _ in range(3):
        ids.append(submitted(caller, envelope(message())))
        move(timedelta(minutes=2))

    page = call(caller, "GET", FEEDS, params={"feedTypes": TYPE, "pageSize": 2}).json()
    rest = call(caller, "GET", FEEDS, params={"nextToken": page["nextToken"]}).json()

    assert [feed["feedId"] for feed in page["feeds"]] == [ids[2], ids[1]]
    assert [feed["feedId"] for feed in rest["feeds"]] == [ids[0]]
    assert "nextToken" not in rest
    since = {"feedTypes": TYPE, "createdSince": "2026-11-22T12:03:00Z"}
    assert len(call(caller, "GET", FEEDS, params=since).json()["feeds"]) == 1
    in_queue = {"feedTypes": TYPE, "processingStatuses": "IN_QUEUE,IN_PROGRESS"}
    assert call(caller, "GET", FEEDS, params=in_queue).json()["feeds"] == []
    other = {"feedTypes": TYPE, "marketplaceIds": GB}
    assert call(caller, "GET", FEEDS, params=other).json()["feeds"] == []
    for wrong in ({}, {"nextToken": "x"}, {**since, "nextToken": page["nextToken"]}):
        assert call(caller, "GET", FEEDS, params=wrong).status_code == 400


def test_other_sellers_see_neither_feeds_nor_documents(caller: Caller) -> None:
    document_id = uploaded(caller, envelope(message()))
    feed_id = submitted(caller, envelope(message()))

    assert caller.call("GET", f"{FEEDS}/{feed_id}").status_code == 404
    assert caller.call("GET", f"{DOCUMENTS}/{document_id}").status_code == 404
    answer = caller.call("POST", FEEDS, json=body(document_id, marketplaceIds=[US]))
    assert errors(answer) == [("InvalidInput", "Invalid inputFeedDocumentId.")]


@pytest.mark.parametrize(
    ("fate", "ended", "cancelled"),
    [
        ({"kind": "fatal"}, "FATAL", 0),
        ({"kind": "fatal_partly"}, "FATAL", 1),
        ({"kind": "cancelled"}, "CANCELLED", 0),
        ({"kind": "stuck", "seconds": 3600}, "IN_PROGRESS", 0),
    ],
)
def test_the_control_api_determines_what_becomes_of_a_feed(
    caller: Caller,
    state: State,
    move: Move,
    fate: dict[str, Any],
    ended: str,
    cancelled: int,
) -> None:
    [waiting] = caller.control("POST", "feeds/fates", fate)
    assert waiting["kind"] == fate["kind"]
    feed_id = submitted(caller, envelope(message(1), message(2, "111-0000001-0000002")))
    assert caller.control("GET", "feeds/fates") == []
    move(timedelta(minutes=2))

    feed = described(caller, feed_id)

    assert feed["processingStatus"] == ended
    assert "resultFeedDocumentId" not in feed
    statuses = [status(state, f"111-0000001-000000{n}") for n in (1, 2)]
    assert statuses.count("CANCELLED") == cancelled
    [listed] = caller.control("GET", "feeds")
    assert listed["seller_id"] == SELLER
    # The next one is none of its business.
    if ended != "IN_PROGRESS":
        other = submitted(caller, envelope(message(1, "111-0000001-0000002")))
        move(timedelta(minutes=2))
        assert described(caller, other)["processingStatus"] == "DONE"


def test_a_feed_may_be_missing_from_the_list_for_a_while(
    caller: Caller, move: Move
) -> None:
    caller.control("POST", "feeds/fates", {"kind": "not_listed", "seconds": 300})
    feed_id = submitted(caller, envelope(message()))

    assert call(caller, "GET", f"{FEEDS}/{feed_id}").status_code == 404
    listed = call(caller, "GET", FEEDS, params={"feedTypes": TYPE}).json()
    assert listed["feeds"] == []
    move(timedelta(minutes=5))
    assert described(caller, feed_id)["processingStatus"] == "DONE"


def test_a_fate_that_makes_no_sense_is_refused(caller: Caller) -> None:
    answer = caller.session.post(
        f"{caller.sandbox.url}/_sandbox/feeds/fates", json={"kind": "luck"}
    )

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("unknown fate 'luck'")


def shipped(
    number: int = 1,
    order_id: str = ORDER,
    items: str = f"<Item><AmazonOrderItemCode>{ITEM}</AmazonOrderItemCode></Item>",
    data: str = "<CarrierCode>DHL</CarrierCode>",
    reference: str = "<MerchantFulfillmentID>1001</MerchantFulfillmentID>",
) -> str:
    return (
        f"<Message><MessageID>{number}</MessageID><OrderFulfillment>"
        f"<AmazonOrderID>{order_id}</AmazonOrderID>{reference}"
        "<FulfillmentDate>2026-11-22T11:00:00Z</FulfillmentDate>"
        f"<FulfillmentData>{data}</FulfillmentData>{items}"
        "</OrderFulfillment></Message>"
    )


def fulfilled(caller: Caller, move: Move, *messages: str) -> ElementTree.Element:
    content = envelope(*messages).replace(
        b"<MessageType>OrderAcknowledgement", b"<MessageType>OrderFulfillment"
    )
    document_id = uploaded(caller, content)
    changed = body(document_id, feedType="POST_ORDER_FULFILLMENT_DATA")
    feed_id = call(caller, "POST", FEEDS, json=changed).json()["feedId"]
    move(timedelta(minutes=1))
    return report_of(caller, feed_id)


def test_a_feed_confirms_a_package_without_tracking(
    caller: Caller, state: State, move: Move
) -> None:
    assert results(fulfilled(caller, move, shipped())) == []

    order = state.order(ORDER)
    assert order["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert order["packages"] == [
        {
            "packageReferenceId": "1001",
            "createdTime": "2026-11-22T12:01:00.000Z",
            "packageStatus": {"status": "SHIPPED"},
            "carrier": "DHL",
            "shipTime": "2026-11-22T11:00:00Z",
            "packageItems": [{"orderItemId": ITEM, "quantity": 1}],
        }
    ]

    # The same id again replaces the package; without items it is the whole order.
    tracked = (
        "<CarrierCode>Other</CarrierCode><CarrierName>Cycle</CarrierName>"
        "<ShipperTrackingNumber>C-1</ShipperTrackingNumber>"
    )
    assert results(fulfilled(caller, move, shipped(items="", data=tracked))) == []
    [package] = state.order(ORDER)["packages"]
    assert (package["carrier"], package["trackingNumber"]) == ("Cycle", "C-1")


def test_what_cannot_be_shipped_is_an_error_of_its_message(
    caller: Caller, state: State, move: Move
) -> None:
    cancelled = "111-0000001-0000003"
    state.put_orders([wire_order(cancelled, status="CANCELLED")])
    report = fulfilled(
        caller,
        move,
        shipped(1, "999-0000001-0000001"),
        shipped(2, cancelled),
        shipped(3, data="<CarrierCode>Pigeon</CarrierCode>"),
        shipped(4, data="<CarrierCode>Other</CarrierCode>"),
        shipped(
            5,
            items=f"<Item><AmazonOrderItemCode>{ITEM}</AmazonOrderItemCode>"
            "<Quantity>2</Quantity></Item>",
        ),
        shipped(6),
        shipped(7, reference="<MerchantFulfillmentID>1002</MerchantFulfillmentID>"),
    )

    assert results(report) == [
        ("1", "90001"),
        ("2", "90002"),
        ("3", "90004"),
        ("4", "90004"),
        ("5", "90003"),
        ("7", "90003"),
    ]


def test_an_item_of_several_units_is_named_once(
    caller: Caller, state: State, move: Move
) -> None:
    order_id = "111-0000001-0000004"
    state.put_orders(
        [
            wire_order(
                order_id,
                items=[
                    wire_item("10000000000001", quantity=3),
                    wire_item("10000000000002", "MUG-2"),
                ],
            )
        ]
    )
    both = ("10000000000001", "10000000000002")
    submitted(caller, envelope(message(1, order_id, items=both)))
    move(timedelta(minutes=1))
    call(caller, "GET", FEEDS, params={"feedTypes": TYPE})

    assert status(state, order_id) == "CANCELLED"
