from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from saleor_amazon_channel.sandbox.orders_file import (
    OrdersFileError,
    SkuSummary,
    load_orders,
    summarize,
)


def wire_order(order_id: str = "303-1111111-1111111", **more: Any) -> dict[str, Any]:
    """The least that an order must have."""
    return {
        "orderId": order_id,
        "createdTime": "2026-10-01T08:00:00Z",
        "lastUpdatedTime": "2026-10-02T08:00:00.5+02:00",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "A1PA6795UKMFR9"},
        "orderItems": [
            {
                "orderItemId": "1",
                "quantityOrdered": 2,
                "product": {"sellerSku": "MUG", "title": "A mug"},
            }
        ],
        **more,
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.json"


@pytest.mark.parametrize("form", ["list", "search", "get", "byte order mark"])
def test_the_forms_of_a_file(path: Path, form: str) -> None:
    order = wire_order(somethingNew={"kept": [1, 2.5, None]})
    data: Any = {
        "search": {"orders": [order], "pagination": {"nextToken": "x"}},
        "get": {"order": order},
    }.get(form, [order])
    encoding = "utf-8-sig" if form == "byte order mark" else "utf-8"
    path.write_text(json.dumps(data), encoding)

    assert load_orders(path) == [order]
    assert load_orders(str(path)) == [order]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[", "is not JSON: Expecting value at line 1, column 2"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"{}", "expected a list of orders, or an object with 'orders' or 'order'"),
        (b"3", "expected a list of orders, or an object with 'orders' or 'order'"),
        (b"[]", "holds no orders"),
        (b"[3]", "order 1: must be an object, not int"),
        (b'[{"AmazonOrderId": "1"}]', "order 1: orderId: is required"),
    ],
)
def test_files_that_hold_no_orders(path: Path, content: bytes, problem: str) -> None:
    path.write_bytes(content)

    with pytest.raises(OrdersFileError) as error:
        load_orders(path)

    assert str(error.value) == f"{path}: {problem}"


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(OrdersFileError, match="No such file or directory"):
        load_orders(path)


def with_item(**fields: Any) -> dict[str, Any]:
    order = wire_order()
    order["orderItems"][0] |= fields
    return order


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        (wire_order(createdTime="yesterday"), "createdTime: must be an ISO 8601 "),
        (wire_order(createdTime="2026-10-01"), "createdTime: must be an ISO 8601 "),
        (wire_order(programs="PRIME"), "programs: must be a list, not str"),
        (wire_order(programs=[1]), "programs[0]: must be text, not int"),
        (wire_order(buyer=3), "buyer: must be an object, not int"),
        (wire_order(salesChannel={}), "salesChannel.channelName: is required"),
        (wire_order(orderItems=[]), "orderItems: must not be empty"),
        (
            wire_order(fulfillment={"fulfillmentStatus": "Unshipped"}),
            "fulfillment.fulfillmentStatus: must be one of PENDING_AVAILABILITY, ",
        ),
        (
            wire_order(packages=[{"packageReferenceId": 1}]),
            "packages[0].packageReferenceId: must be text, not int",
        ),
        (
            wire_order(
                packages=[
                    {
                        "packageReferenceId": "1",
                        "packageItems": [{"orderItemId": "9", "quantity": 1}],
                    }
                ]
            ),
            "packages[0].packageItems[0].orderItemId: is no item of the order",
        ),
        (
            wire_order(proceeds={"grandTotal": {"amount": 9.5, "currencyCode": "EUR"}}),
            "proceeds.grandTotal.amount: must be text, not float",
        ),
        (
            wire_order(
                proceeds={"grandTotal": {"amount": "9,5", "currencyCode": "EUR"}}
            ),
            "proceeds.grandTotal.amount: must be a decimal number written as text",
        ),
        (
            with_item(quantityOrdered="2"),
            "orderItems[0].quantityOrdered: must be an integer",
        ),
        (
            with_item(quantityOrdered=True),
            "orderItems[0].quantityOrdered: must be an integer",
        ),
        (
            with_item(quantityOrdered=-1),
            "orderItems[0].quantityOrdered: must not be negative",
        ),
        (
            with_item(measurement={"unit": "PIECES", "value": 1}),
            "orderItems[0].measurement.unit: must be one of OUNCES, ",
        ),
        (
            wire_order(orderItems=wire_order()["orderItems"] * 2),
            "orderItems[1].orderItemId: is not unique in the order",
        ),
        # What Amazon never has, and would only fail further on.
        (
            wire_order(
                proceeds={"grandTotal": {"amount": "1E+400000", "currencyCode": "EUR"}}
            ),
            "proceeds.grandTotal.amount: is no amount that an order can have",
        ),
        (
            with_item(product={"sellerSku": "x" * 256}),
            "orderItems[0].product.sellerSku: is longer than 255 characters",
        ),
        (
            with_item(product={"sellerSku": "a\0"}),
            "orderItems[0].product.sellerSku: must be Unicode text without NUL",
        ),
        (
            with_item(product={"title": "\ud800"}),
            "orderItems[0].product.title: must be Unicode text without NUL",
        ),
        (with_item(quantityOrdered=10**20), "orderItems[0].quantityOrdered: is too "),
        (with_item(product=None), "orderItems[0].product: is required"),
        (
            wire_order(lastUpdatedTime="9999-12-31T23:59:59Z"),
            "lastUpdatedTime: must be in a year from 1995 to 2199",
        ),
        (
            wire_order(createdTime="0001-01-01T00:00:00+14:00"),
            "createdTime: must be an ISO 8601 date-time",
        ),
    ],
)
def test_problems_name_the_order_and_the_field(
    path: Path, order: dict[str, Any], problem: str
) -> None:
    path.write_text(json.dumps([wire_order("303-0000000-0000000"), order]))

    with pytest.raises(OrdersFileError) as error:
        load_orders(path)

    assert str(error.value).startswith(
        f"{path}: order 2 (303-1111111-1111111): {problem}"
    )


@pytest.mark.parametrize("order_id", ["1/2", "1?x", "", "a b", "1" * 33])
def test_an_order_id_can_be_a_part_of_an_address(path: Path, order_id: str) -> None:
    path.write_text(json.dumps([wire_order(order_id)]))

    with pytest.raises(OrdersFileError, match="orderId: must be up to 32 letters"):
        load_orders(path)


def test_null_is_as_good_as_absent(path: Path) -> None:
    order = wire_order(packages=None, somethingNew={"null": None})
    order["orderItems"][0]["product"]["price"] = None
    path.write_text(json.dumps([order]))

    assert load_orders(path) == [wire_order(somethingNew={})]


def test_each_bad_order_is_named_but_of_very_many_some(path: Path) -> None:
    path.write_text(json.dumps([wire_order(f"a/{n}") for n in range(25)]))

    with pytest.raises(OrdersFileError) as error:
        load_orders(path)

    lines = str(error.value).splitlines()
    assert lines[1].startswith(f"{path}: order 2 (a/1): orderId")
    assert (len(lines), lines[-1]) == (21, f"{path}: 5 more")


@pytest.mark.parametrize("content", ["[" * 100_000, f"[{'1' * 5000}]"])
def test_what_python_cannot_read_is_said(path: Path, content: str) -> None:
    path.write_text(content)

    with pytest.raises(OrdersFileError, match="nested too deeply, or has a number"):
        load_orders(path)


def test_an_order_may_not_be_there_twice(path: Path) -> None:
    path.write_text(json.dumps([wire_order(), wire_order()]))

    with pytest.raises(OrdersFileError, match=r"order 2 \(303.*\): orderId: is in the"):
        load_orders(path)


def test_problems_do_not_repeat_what_may_be_about_people(path: Path) -> None:
    order = wire_order(recipient={"deliveryAddress": "Jane Doe, 1 High Street"})
    path.write_text(json.dumps([order]))

    with pytest.raises(OrdersFileError) as error:
        load_orders(path)

    assert "Jane" not in str(error.value)


def test_the_extent_of_a_file() -> None:
    def priced(order_id: str, sku: str | None, price: str, **more: Any) -> Any:
        order = wire_order(order_id, **more)
        product: dict[str, Any] = {
            "title": f"Title of {sku}",
            "price": {"unitPrice": {"amount": price, "currencyCode": "EUR"}},
        }
        if sku:
            product["sellerSku"] = sku
        order["orderItems"][0]["product"] = product
        return order

    orders = [
        priced("1", "MUG", "10.00"),
        priced("2", "MUG", "12.50", createdTime="2026-09-30T00:00:00Z"),
        priced("3", "PAN", "7", fulfillment={"fulfillmentStatus": "CANCELLED"}),
        priced(
            "4",
            "PAN",
            "8",
            fulfillment={"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"},
        ),
        priced("5", None, "9", salesChannel={"channelName": "NON_AMAZON"}),
    ]

    summary = summarize(orders)

    assert summary.count == 5
    assert summary.first_created == datetime(2026, 9, 30, tzinfo=UTC)
    assert summary.last_updated == datetime(2026, 10, 2, 6, 0, 0, 500_000, tzinfo=UTC)
    assert summary.marketplace_ids == ("A1PA6795UKMFR9",)
    assert summary.skus == (
        SkuSummary("MUG", "Title of MUG", {"EUR": Decimal("12.50")}, units=4),
        SkuSummary("PAN", "Title of PAN", {"EUR": Decimal("8")}, units=0),
    )
