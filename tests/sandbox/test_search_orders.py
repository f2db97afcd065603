from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from saleor_amazon_channel.sandbox import State
from saleor_amazon_channel.sandbox.events import set_status, touch
from saleor_amazon_channel.sandbox.orders import INCLUDED_DATA
from saleor_amazon_channel.sandbox.seeds import generate, month

from .conftest import CA, DE, JP, NOW, US, Caller, Move, errors


def at(**ago: float) -> str:
    return (NOW - timedelta(**ago)).isoformat(timespec="milliseconds")[:-6] + "Z"


def order_at(number: int, created: str, updated: str, **more: Any) -> dict[str, Any]:
    [order] = generate(1, lines=1)
    return order | {
        "orderId": f"113-0000000-{number:07d}",
        "createdTime": created,
        "lastUpdatedTime": updated,
        **more,
    }


# --- what is found ---


def test_orders_come_oldest_change_first(caller: Caller, state: State) -> None:
    state.put_orders(
        [
            order_at(1, at(days=3), at(hours=1)),
            order_at(2, at(days=2), at(hours=3)),
            order_at(3, at(days=1), at(hours=2)),
        ]
    )

    assert caller.found(lastUpdatedAfter=at(days=9)) == [
        "113-0000000-0000002",
        "113-0000000-0000003",
        "113-0000000-0000001",
    ]
    assert caller.found(createdAfter=at(days=9)) == [
        "113-0000000-0000001",
        "113-0000000-0000002",
        "113-0000000-0000003",
    ]


def test_both_ends_of_the_time_range_are_included(caller: Caller, state: State) -> None:
    state.put_orders(
        [order_at(n, at(days=n + 1), at(days=n), orderItems=item()) for n in (1, 2, 3)]
    )

    assert caller.found(lastUpdatedAfter=at(days=2), lastUpdatedBefore=at(days=1)) == [
        "113-0000000-0000002",
        "113-0000000-0000001",
    ]
    assert caller.found(createdAfter=at(days=4), createdBefore=at(days=3)) == [
        "113-0000000-0000003",
        "113-0000000-0000002",
    ]


def item() -> list[dict[str, Any]]:
    [order] = generate(1, lines=1)
    return list(order["orderItems"])


def test_the_last_two_minutes_are_hidden(
    caller: Caller, state: State, move: Move
) -> None:
    state.put_orders(
        [
            order_at(1, at(days=1), at(minutes=2)),
            order_at(2, at(days=1), at(minutes=1, seconds=59)),
        ]
    )

    answer = caller.search(lastUpdatedAfter=at(days=9)).json()
    assert [order["orderId"] for order in answer["orders"]] == ["113-0000000-0000001"]
    assert answer["lastUpdatedBefore"] == at(minutes=2)
    assert "createdBefore" not in answer

    move(timedelta(seconds=1))
    assert len(caller.found(lastUpdatedAfter=at(days=9))) == 2
    assert caller.get("113-0000000-0000002").status_code == 200


def test_a_bound_two_minutes_ago_is_old_enough(caller: Caller) -> None:
    answer = caller.search(lastUpdatedAfter=at(days=3), lastUpdatedBefore=at(minutes=2))

    assert answer.json() == {"orders": [], "lastUpdatedBefore": at(minutes=2)}


def test_the_bound_that_was_used_is_told(caller: Caller) -> None:
    told = caller.search(lastUpdatedAfter=at(days=3), lastUpdatedBefore=at(days=2))
    assert told.json() == {"orders": [], "lastUpdatedBefore": at(days=2)}

    told = caller.search(createdAfter=at(days=3))
    assert told.json() == {"orders": [], "createdBefore": at(minutes=2)}


def test_a_change_takes_an_order_out_of_older_ranges(
    caller: Caller, state: State, move: Move
) -> None:
    state.put_orders([order_at(1, at(days=3), at(days=2))])

    touch(state, "113-0000000-0000001")
    move(timedelta(minutes=2))

    assert caller.found(lastUpdatedAfter=at(days=9), lastUpdatedBefore=at(days=1)) == []
    assert caller.found(lastUpdatedAfter=at(minutes=1)) == ["113-0000000-0000001"]


def test_filters(caller: Caller, state: State) -> None:
    by_amazon = {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"}
    canada = {"channelName": "AMAZON", "marketplaceId": CA}
    state.put_orders(
        [
            order_at(1, at(days=3), at(days=3)),
            order_at(2, at(days=2), at(days=2), fulfillment=by_amazon),
            order_at(3, at(days=1), at(days=1), salesChannel=canada),
        ]
    )
    one, two, three = (f"113-0000000-000000{n}" for n in (1, 2, 3))

    assert caller.found() == [one, two, three]
    assert caller.found(marketplaceIds=US) == [one, two]
    assert caller.found(marketplaceIds=f"{CA},{US}") == [one, two, three]
    assert caller.found(fulfillmentStatuses="SHIPPED,CANCELLED") == [two]
    assert caller.found(fulfilledBy="MERCHANT") == [one, three]
    assert caller.found(fulfilledBy="MERCHANT", marketplaceIds=US) == [one]


def test_sellers_see_their_own_orders_only(caller: Caller, state: State) -> None:
    state.add_account("NA", seller_id="A1OTHER", refresh_token="Atzr|other")
    state.put_orders([order_at(1, at(days=1), at(days=1))], seller_id="A1OTHER")

    assert caller.found() == []
    refused = caller.get("113-0000000-0000001")
    assert refused.status_code == 404
    assert errors(refused) == [("NotFound", "Order 113-0000000-0000001 was not found.")]


def test_two_years_are_remembered_and_more_in_japan(
    caller: Caller, state: State
) -> None:
    japan = {"channelName": "AMAZON", "marketplaceId": JP}
    state.put_orders(
        [
            order_at(1, at(days=730), at(days=1)),
            order_at(2, at(days=729), at(days=1)),
            order_at(3, at(days=2000), at(days=1), salesChannel=japan),
        ]
    )

    assert caller.found(createdAfter="2016-01-01T00:00:00Z") == ["113-0000000-0000002"]
    assert caller.found(region="FE", createdAfter="2016-01-01T00:00:00Z") == [
        "113-0000000-0000003"
    ]


# --- pages ---


def test_pages_hold_a_hundred_orders_and_the_last_has_no_token(
    caller: Caller, state: State
) -> None:
    orders = generate(250, lines=1)
    state.put_orders(orders)
    sizes, found, parameters = [], [], {"createdAfter": at(days=40)}

    while True:
        page = caller.search(**parameters).json()
        sizes.append(len(page["orders"]))
        found += [order["orderId"] for order in page["orders"]]
        assert page["createdBefore"] == at(minutes=2)
        if "pagination" not in page:
            break
        parameters["paginationToken"] = page["pagination"]["nextToken"]

    assert sizes == [100, 100, 50]
    assert found == [order["orderId"] for order in orders]


def test_a_full_last_page_has_no_token(caller: Caller, state: State) -> None:
    state.put_orders(generate(4, lines=1))

    first = caller.search(maxResultsPerPage=2).json()
    token = first["pagination"]["nextToken"]
    second = caller.search(paginationToken=token, maxResultsPerPage=2).json()

    assert len(second["orders"]) == 2
    assert "pagination" not in second


def test_an_order_changed_between_pages_moves_to_the_next_scan(
    caller: Caller, state: State, move: Move
) -> None:
    orders = generate(3, lines=1)
    state.put_orders(orders)
    first = caller.search(maxResultsPerPage=1).json()
    last = orders[2]["orderId"]

    move(timedelta(minutes=10))
    touch(state, last)
    move(timedelta(minutes=10))
    rest = caller.search(paginationToken=first["pagination"]["nextToken"]).json()

    assert [order["orderId"] for order in rest["orders"]] == [orders[1]["orderId"]]
    assert rest["lastUpdatedBefore"] == first["lastUpdatedBefore"]
    assert caller.found(lastUpdatedAfter=first["lastUpdatedBefore"]) == [last]


def test_page_size_and_included_data_may_change_and_filters_may_not(
    caller: Caller, state: State
) -> None:
    state.put_orders(generate(5, lines=1))
    filters = {"lastUpdatedAfter": at(days=40), "marketplaceIds": US}
    first = caller.search(**filters, maxResultsPerPage=1).json()
    token = first["pagination"]["nextToken"]

    second = caller.search(
        **filters, paginationToken=token, maxResultsPerPage=3, includedData="BUYER"
    ).json()
    assert len(second["orders"]) == 3
    assert "buyer" in second["orders"][0]

    for changed in (
        {"lastUpdatedAfter": at(days=40)},
        {"lastUpdatedAfter": at(days=41), "marketplaceIds": US},
        {**filters, "fulfilledBy": "MERCHANT"},
    ):
        refused = caller.search(**changed, paginationToken=token)
        assert refused.status_code == 400
        assert errors(refused) == [
            (
                "InvalidInput",
                "The filters must be those of the request that gave the pagination "
                "token.",
            )
        ]


def test_a_pagination_token_lives_for_a_day(
    caller: Caller, state: State, move: Move
) -> None:
    state.put_orders(generate(2, lines=1))
    first = caller.search(maxResultsPerPage=1).json()
    token = first["pagination"]["nextToken"]

    move(timedelta(hours=24))
    caller.token(is_new=True)
    assert caller.search(paginationToken=token).status_code == 200
    move(timedelta(seconds=1))
    refused = caller.search(paginationToken=token)

    assert refused.status_code == 400
    assert errors(refused) == [("InvalidInput", "The pagination token has expired.")]


def test_a_pagination_token_is_of_its_seller_alone(
    caller: Caller, state: State
) -> None:
    state.put_orders(generate(2, lines=1))
    token = caller.search(maxResultsPerPage=1).json()["pagination"]["nextToken"]

    for refused in (
        caller.search(paginationToken=token, region="EU"),
        caller.search(paginationToken="made-up"),
    ):
        assert refused.status_code == 400
        assert errors(refused) == [
            ("InvalidInput", "Invalid value for parameter 'paginationToken'.")
        ]


# --- what is refused ---


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"marketplaceIds": US},
            "Exactly one of 'createdAfter' and 'lastUpdatedAfter' must be provided.",
        ),
        (
            {"createdAfter": at(days=1), "lastUpdatedAfter": at(days=1)},
            "Exactly one of 'createdAfter' and 'lastUpdatedAfter' must be provided.",
        ),
        (
            {"createdAfter": at(days=2), "lastUpdatedBefore": at(days=1)},
            "'lastUpdatedBefore' must not be provided with 'createdAfter'.",
        ),
        (
            {"lastUpdatedAfter": at(days=2), "createdBefore": at(days=1)},
            "'createdBefore' must not be provided with 'lastUpdatedAfter'.",
        ),
        (
            {"lastUpdatedAfter": at(days=1), "lastUpdatedBefore": at(seconds=119)},
            "'lastUpdatedBefore' must be at least two minutes before the time of the "
            "request.",
        ),
        (
            {"createdAfter": at(days=1), "createdBefore": at(days=2)},
            "'createdBefore' must be equal to or after its start.",
        ),
        (
            {"createdAfter": "TEST_CASE_400"},
            "Invalid value for parameter 'createdAfter'.",
        ),
        ({"createdAfter": "2026-11-01"}, "Invalid value for parameter 'createdAfter'."),
        (
            {"createdAfter": "2026-11-01T00:00:00"},
            "Invalid value for parameter 'createdAfter'.",
        ),
        ({"createdAfter": ""}, "Value for parameter 'createdAfter' is empty."),
        (
            {"maxResultsPerPage": "0"},
            "Invalid value for parameter 'maxResultsPerPage'.",
        ),
        (
            {"maxResultsPerPage": "101"},
            "Invalid value for parameter 'maxResultsPerPage'.",
        ),
        (
            {"maxResultsPerPage": "1.5"},
            "Invalid value for parameter 'maxResultsPerPage'.",
        ),
        ({"includedData": "ITEMS"}, "Invalid value for parameter 'includedData'."),
        (
            {"includedData": "BUYER, TAX"},
            "Invalid value for parameter 'includedData'.",
        ),
        ({"fulfilledBy": "MFN"}, "Invalid value for parameter 'fulfilledBy'."),
        (
            {"fulfillmentStatuses": "Unshipped"},
            "Invalid value for parameter 'fulfillmentStatuses'.",
        ),
        ({"marketplaceIds": "US"}, "Invalid value for parameter 'marketplaceIds'."),
        (
            {"marketplaceIds": f"{US},{DE}"},
            "'marketplaceIds' are of more than one region.",
        ),
        (
            {"marketplaceIds": ",".join([US] * 51)},
            "Parameter 'marketplaceIds' has more than 50 values.",
        ),
        ({"orderIds": "113-0000000-0000001"}, "Unknown query parameter 'orderIds'."),
        (
            {"marketplaceIds": [US, CA]},
            "Parameter 'marketplaceIds' was given more than once.",
        ),
    ],
)
def test_invalid_input(
    caller: Caller, parameters: dict[str, Any], message: str
) -> None:
    is_about_time = any("After" in name or "Before" in name for name in parameters)
    if not is_about_time and "provided" not in message:
        parameters = {"createdAfter": at(days=9), **parameters}
    answer = caller.call("GET", "/orders/2026-01-01/orders", params=parameters)

    assert answer.status_code == 400
    assert errors(answer) == [("InvalidInput", message)]


def test_marketplaces_that_the_account_has_not_are_denied(
    caller: Caller, state: State
) -> None:
    state.add_account("NA", marketplace_ids=[US])
    caller.token(is_new=True)

    assert caller.search(marketplaceIds=US).status_code == 200
    assert caller.search(marketplaceIds=CA).status_code == 403
    assert caller.search(marketplaceIds=DE).status_code == 403


# --- includedData ---

_ALWAYS = {"orderId", "createdTime", "lastUpdatedTime", "programs", "salesChannel"}
_ALWAYS_OF_ITEM = {"orderItemId", "quantityOrdered", "programs", "product"}


def full_order() -> dict[str, Any]:
    """An order of a merchant with every part that a dataset can unlock."""
    [order] = generate(1, lines=1)
    order["orderAliases"] = [{"aliasId": "A-1", "aliasType": "SELLER_ORDER_ID"}]
    order["associatedOrders"] = []
    order["tax"] = {"taxRegistrations": []}
    order["packages"] = [{"packageReferenceId": "1"}]
    order["fulfillmentOrders"] = [{"fulfillmentOrderId": "F1"}]
    order["somethingNew"] = {"kept": True}
    item = order["orderItems"][0]
    item["measurement"] = {"unit": "COUNT", "value": 1}
    item["associatedOrderItems"] = []
    item["expense"] = {"pointsCost": {}}
    item["promotion"] = {"breakdowns": []}
    item["cancellation"] = {}
    return order


@pytest.mark.parametrize(
    ("included_data", "of_order", "of_item"),
    [
        ("", set(), set()),
        ("BUYER", {"buyer"}, set()),
        ("RECIPIENT", {"recipient"}, set()),
        ("FULFILLMENT", {"fulfillment"}, {"fulfillment"}),
        ("PROCEEDS", {"proceeds"}, {"proceeds"}),
        ("EXPENSE", set(), {"expense"}),
        ("PROMOTION", set(), {"promotion"}),
        ("CANCELLATION", set(), {"cancellation"}),
        ("PACKAGES", {"packages"}, set()),
        ("TAX", {"tax"}, {"tax"}),
        ("PAYMENT", {"payment"}, set()),
        ("FULFILLMENT_ORDERS", {"fulfillmentOrders"}, set()),
    ],
)
def test_each_dataset_unlocks_its_fields(
    caller: Caller,
    state: State,
    included_data: str,
    of_order: set[str],
    of_item: set[str],
) -> None:
    order = full_order()
    state.put_orders([order])
    parameters = {"includedData": included_data} if included_data else {}

    [found] = caller.search(**parameters).json()["orders"]

    always = _ALWAYS | {
        "orderAliases",
        "associatedOrders",
        "orderItems",
        "somethingNew",
    }
    assert set(found) == always | of_order
    assert set(found["orderItems"][0]) == (
        _ALWAYS_OF_ITEM | {"measurement", "associatedOrderItems"} | of_item
    )
    got = caller.get(order["orderId"], included_data).json()
    assert got == {"order": found}


def test_all_datasets_together_give_the_whole_order(
    caller: Caller, state: State
) -> None:
    order = full_order()
    state.put_orders([order])

    assert caller.get(order["orderId"], ",".join(INCLUDED_DATA)).json() == {
        "order": order
    }


def test_while_payment_is_pending_buyer_and_money_are_absent(
    caller: Caller, state: State
) -> None:
    order = full_order()
    state.put_orders([order])
    set_status(state, order["orderId"], status="PENDING")

    got = caller.get(order["orderId"], ",".join(INCLUDED_DATA)).json()["order"]

    assert got["fulfillment"]["fulfillmentStatus"] == "PENDING"
    assert not {"buyer", "recipient", "proceeds", "payment", "tax"} & set(got)
    item = got["orderItems"][0]
    assert not {"proceeds", "tax", "expense"} & set(item)
    assert "price" not in item["product"]
    assert item["quantityOrdered"] == order["orderItems"][0]["quantityOrdered"]


def test_amazon_fulfilled_orders_have_no_packages_no_relay_address_no_phone(
    caller: Caller, state: State
) -> None:
    order = full_order()
    order["fulfillment"]["fulfilledBy"] = "AMAZON"
    state.put_orders([order])

    got = caller.get(order["orderId"], ",".join(INCLUDED_DATA)).json()["order"]

    assert "packages" not in got
    assert set(got["buyer"]) == {"buyerName"}
    assert "phone" not in got["recipient"]["deliveryAddress"]
    assert "phone" in order["recipient"]["deliveryAddress"]


def test_the_phone_goes_after_the_latest_delivery_of_shipped_orders(
    caller: Caller, state: State, move: Move
) -> None:
    [order] = generate(1, created_over=timedelta(days=1))
    order["fulfillment"]["fulfillmentStatus"] = "SHIPPED"
    state.put_orders([order])

    def has_phone() -> bool:
        caller.token(is_new=True)
        got = caller.get(order["orderId"], "RECIPIENT").json()["order"]
        return "phone" in got["recipient"]["deliveryAddress"]

    assert has_phone()
    move(timedelta(days=8))
    assert not has_phone()


def test_without_the_role_restricted_data_is_omitted_or_denied(
    caller: Caller, state: State
) -> None:
    order = full_order()
    state.add_account("NA", restricted_data="omitted")
    state.put_orders([order])

    got = caller.get(order["orderId"], "BUYER,RECIPIENT").json()["order"]
    assert got["buyer"] == {}
    assert set(got["recipient"]["deliveryAddress"]) == {
        "city",
        "stateOrRegion",
        "countryCode",
        "addressType",
    }

    state.add_account("NA", restricted_data="denied")
    assert caller.get(order["orderId"], "BUYER").status_code == 403
    assert caller.get(order["orderId"], "RECIPIENT,TAX").status_code == 403
    assert caller.get(order["orderId"], "TAX").status_code == 200


def test_get_order_refuses_ids_that_are_not_amazons(caller: Caller) -> None:
    for order_id in ("TEST_CASE_400", "113-1-1", "113-000000x-0000001"):
        refused = caller.get(order_id)
        assert refused.status_code == 400
        assert errors(refused) == [
            ("InvalidInput", "Invalid value for parameter 'orderId'.")
        ]


def test_the_seeded_month_is_found_at_once(caller: Caller, state: State) -> None:
    state.put_orders(month())

    found = sum(len(caller.found(region=region)) for region in ("NA", "EU", "FE"))

    assert found == 120
