"""Saleor for the contract suite: its goods, and its staff with Saleor's own mutations.

What people do goes through ``/graphql/`` as the dashboard and a storefront do it; what
the shop then holds is read with Saleor's ``order`` query.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any

import graphene
import pytest
from django.core import mail
from django.db.models import Sum
from measurement.measures import Weight
from saleor.account.models import Address, Group, User
from saleor.channel.models import Channel as ChannelRow
from saleor.core.db.connection import allow_writer
from saleor.graphql.tests.fixtures import ApiClient
from saleor.invoice.models import Invoice
from saleor.order.models import Order, OrderLine
from saleor.permission.enums import get_permissions
from saleor.plugins.manager import PluginsManager
from saleor.product import ProductTypeKind
from saleor.product.models import (
    Category,
    Product,
    ProductChannelListing,
    ProductType,
    ProductVariant,
    ProductVariantChannelListing,
)
from saleor.shipping import ShippingMethodType
from saleor.shipping.models import (
    ShippingMethod,
    ShippingMethodChannelListing,
    ShippingZone,
)
from saleor.site.models import SiteSettings
from saleor.tax.models import TaxConfiguration
from saleor.warehouse.models import ChannelWarehouse, Stock, Warehouse

from contract.driver import (
    CustomerView,
    FulfillmentView,
    InvoiceView,
    LineView,
    OrderView,
    RefundView,
    StockFigures,
    TransactionView,
)
from saleor_amazon_channel.saleor import compat
from saleor_amazon_channel.store import contract
from saleor_amazon_channel.store.contract import AddressDraft, Price

PRICE = Decimal(10)


def record_notifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the events that Saleor asks its plugins to mail, which they are not.

    What the channel keeps from being mailed is kept back here too.
    """
    recorded: list[str] = []

    def notify(
        self: PluginsManager,
        event: str,
        payload_func: Any,
        channel_slug: str | None = None,
        plugin_id: str | None = None,
    ) -> None:
        payload_func()
        recorded.append(event)

    monkeypatch.setattr(PluginsManager, "notify", compat.without_amazons_buyers(notify))
    return recorded


class SaleorDriver:
    """See ``contract.driver.StaffDriver``."""

    def __init__(self, notifications: Sequence[str]) -> None:
        """``notifications``: names of the events Saleor asked its plugins to mail."""
        self._notifications = notifications
        staff = User.objects.create(email="staff@example.com", is_staff=True)
        group = Group.objects.create(name="Staff", restricted_access_to_channels=False)
        group.permissions.set(get_permissions())
        group.user_set.add(staff)
        self._staff = ApiClient(user=staff)

    def writer(self) -> AbstractContextManager[object]:
        return allow_writer()

    # --- what the shop has -----------------------------------------------------------

    def create_channel(
        self,
        slug: str,
        currency: str,
        *,
        country: str,
        warehouses: Sequence[str] = ("main",),
        shipping_methods: Sequence[str] = ("Standard",),
    ) -> contract.Channel:
        channel = ChannelRow.objects.create(
            name=slug,
            slug=slug,
            currency_code=currency,
            default_country=country,
            is_active=True,
            allow_unpaid_orders=True,
        )
        TaxConfiguration.objects.create(channel=channel, charge_taxes=False)
        zone = ShippingZone.objects.create(name=slug, countries=[country])
        zone.channels.add(channel)
        made = []
        for position, name in enumerate(warehouses):
            warehouse = Warehouse.objects.create(
                name=name,
                slug=f"{slug}-{name}",
                address=Address.objects.create(country=country, city="Town"),
            )
            warehouse.shipping_zones.add(zone)
            ChannelWarehouse.objects.create(
                channel=channel, warehouse=warehouse, sort_order=position
            )
            made.append(contract.Warehouse(str(warehouse.pk), name))
        methods = []
        for name in shipping_methods:
            method = ShippingMethod.objects.create(
                name=name, type=ShippingMethodType.PRICE_BASED, shipping_zone=zone
            )
            ShippingMethodChannelListing.objects.create(
                channel=channel,
                shipping_method=method,
                currency=currency,
                price_amount=5,
                minimum_order_price_amount=0,
            )
            methods.append(contract.ShippingMethod(str(method.pk), name))
        return contract.Channel(
            str(channel.pk), slug, currency, tuple(made), tuple(methods)
        )

    def create_variant(
        self,
        sku: str,
        channel_ids: Sequence[str],
        *,
        stock: Mapping[str, int],
        name: str = "Mug",
        is_listed: bool = True,
        is_published: bool = True,
        tracks_inventory: bool = True,
    ) -> str:
        kind = ProductType.objects.get_or_create(
            slug="mug",
            defaults={
                "name": "Mug",
                "kind": ProductTypeKind.NORMAL,
                "weight": Weight(g=250),
            },
        )[0]
        category = Category.objects.get_or_create(
            slug="mugs", defaults={"name": "Mugs"}
        )[0]
        product = Product.objects.create(
            name=name,
            slug=f"{name}-{sku}".lower(),
            product_type=kind,
            category=category,
        )
        variant = ProductVariant.objects.create(
            product=product, sku=sku, name="Blue", track_inventory=tracks_inventory
        )
        for channel in ChannelRow.objects.filter(pk__in=channel_ids):
            ProductChannelListing.objects.create(
                product=product,
                channel=channel,
                currency=channel.currency_code,
                is_published=is_published,
                available_for_purchase_at=datetime(2020, 1, 1).astimezone(),
            )
            if is_listed:
                ProductVariantChannelListing.objects.create(
                    variant=variant,
                    channel=channel,
                    currency=channel.currency_code,
                    price_amount=PRICE,
                    discounted_price_amount=PRICE,
                )
        for warehouse_id, quantity in stock.items():
            Stock.objects.create(
                warehouse_id=warehouse_id, product_variant=variant, quantity=quantity
            )
        return str(variant.pk)

    def publish(self, sku: str, channel_ids: Sequence[str]) -> None:
        self._mutate(
            """mutation ($id: ID!, $input: ProductChannelListingUpdateInput!) {
                result: productChannelListingUpdate(id: $id, input: $input)
                { errors { field message } } }""",
            id=_global_id("Product", Product.objects.get(variants__sku=sku).pk),
            input={
                "updateChannels": [
                    {"channelId": _global_id("Channel", pk), "isPublished": True}
                    for pk in channel_ids
                ]
            },
        )

    def stock(self, variant_id: str, warehouse_id: str) -> StockFigures:
        stock = Stock.objects.annotate(
            promised=Sum("allocations__quantity_allocated", default=0)
        ).get(product_variant_id=variant_id, warehouse_id=warehouse_id)
        # Saleor keeps the sum twice; a nightly task would otherwise correct one.
        assert stock.promised == stock.quantity_allocated
        return StockFigures(stock.quantity, stock.quantity_allocated)

    def set_stock(self, variant_id: str, warehouse_id: str, quantity: int) -> None:
        self._mutate(
            """mutation ($variant: ID!, $stocks: [StockInput!]!) {
                result: productVariantStocksUpdate(variantId: $variant, stocks: $stocks)
                { errors { field message } } }""",
            variant=_global_id("ProductVariant", variant_id),
            stocks=[
                {
                    "warehouse": _global_id("Warehouse", warehouse_id),
                    "quantity": quantity,
                }
            ],
        )

    def require_approval(self) -> None:
        SiteSettings.objects.update(fulfillment_auto_approve=False)

    def require_payment(self) -> None:
        SiteSettings.objects.update(fulfillment_allow_unpaid=False)

    # --- what people do --------------------------------------------------------------

    def sell(self, channel_id: str, variant_id: str, quantity: int) -> str | None:
        with allow_writer():
            channel = ChannelRow.objects.get(pk=channel_id)
        customer = ApiClient()
        address = {
            "firstName": "Shop",
            "lastName": "Customer",
            "streetAddress1": "Hauptstraße 1",
            "city": "Berlin",
            "postalCode": "10115",
            "country": channel.default_country.code,
        }
        checkout, errors = self._send(
            customer,
            """mutation ($input: CheckoutCreateInput!) {
                result: checkoutCreate(input: $input) {
                    checkout { id shippingMethods { id } } errors { code message } } }
            """,
            input={
                "channel": channel.slug,
                "email": "customer@example.com",
                "lines": [
                    {
                        "quantity": quantity,
                        "variantId": _global_id("ProductVariant", variant_id),
                    }
                ],
                "shippingAddress": address,
                "billingAddress": address,
                "validationRules": {
                    "shippingAddress": {"checkRequiredFields": False},
                    "billingAddress": {"checkRequiredFields": False},
                },
            },
        )
        if _is_out_of_stock(errors):
            return None
        checkout_id = checkout["checkout"]["id"]
        self._mutate(
            """mutation ($id: ID!, $method: ID!) {
                result: checkoutDeliveryMethodUpdate(id: $id, deliveryMethodId: $method)
                { errors { field message } } }""",
            client=customer,
            id=checkout_id,
            method=checkout["checkout"]["shippingMethods"][0]["id"],
        )
        complete, errors = self._send(
            customer,
            """mutation ($id: ID!) { result: checkoutComplete(id: $id) {
                order { id } errors { code message } } }""",
            id=checkout_id,
        )
        if _is_out_of_stock(errors):
            return None
        order_id = complete["order"]["id"]
        for mutation in ("orderMarkAsPaid", "orderConfirm"):
            self._mutate(
                f"""mutation ($id: ID!) {{ result: {mutation}(id: $id) {{
                    errors {{ field message }} }} }}""",
                id=order_id,
            )
        return _primary_key(order_id)

    def fulfil(
        self,
        order_id: str,
        lines: Mapping[str, int],
        *,
        warehouse_id: str,
        tracking_number: str = "",
        carrier: str = "",
    ) -> str:
        result = self._mutate(
            """mutation ($order: ID!, $input: OrderFulfillInput!) {
                result: orderFulfill(order: $order, input: $input) {
                    fulfillments { id } errors { field message } } }""",
            order=_global_id("Order", order_id),
            input={
                "notifyCustomer": False,
                "trackingNumber": tracking_number,
                "lines": [
                    {
                        "orderLineId": _global_id("OrderLine", line_id),
                        "stocks": [
                            {
                                "quantity": quantity,
                                "warehouse": _global_id("Warehouse", warehouse_id),
                            }
                        ],
                    }
                    for line_id, quantity in lines.items()
                ],
            },
        )
        (fulfillment,) = result["fulfillments"]
        if carrier:
            self._mutate(
                """mutation ($id: ID!, $input: [MetadataInput!]!) {
                    result: updateMetadata(id: $id, input: $input) {
                        errors { field message } } }""",
                id=fulfillment["id"],
                input=[{"key": "amazon.carrier", "value": carrier}],
            )
        return _primary_key(fulfillment["id"])

    def approve(self, fulfillment_id: str) -> None:
        self._mutate(
            """mutation ($id: ID!) {
                result: orderFulfillmentApprove(id: $id, notifyCustomer: false) {
                    errors { field message } } }""",
            id=_global_id("Fulfillment", fulfillment_id),
        )

    def update_tracking(self, fulfillment_id: str, tracking_number: str) -> None:
        self._mutate(
            """mutation ($id: ID!, $input: FulfillmentUpdateTrackingInput!) {
                result: orderFulfillmentUpdateTracking(id: $id, input: $input) {
                    errors { field message } } }""",
            id=_global_id("Fulfillment", fulfillment_id),
            input={"trackingNumber": tracking_number, "notifyCustomer": False},
        )

    def cancel_fulfillment(self, fulfillment_id: str, *, warehouse_id: str) -> None:
        self._mutate(
            """mutation ($id: ID!, $input: FulfillmentCancelInput!) {
                result: orderFulfillmentCancel(id: $id, input: $input) {
                    errors { field message } } }""",
            id=_global_id("Fulfillment", fulfillment_id),
            input={"warehouseId": _global_id("Warehouse", warehouse_id)},
        )

    def confirm(self, order_id: str) -> None:
        self._mutate(
            """mutation ($id: ID!) {
                result: orderConfirm(id: $id) { errors { field message } } }""",
            id=_global_id("Order", order_id),
        )

    def cancel_order(self, order_id: str) -> None:
        self._mutate(
            """mutation ($id: ID!) {
                result: orderCancel(id: $id) { errors { field message } } }""",
            id=_global_id("Order", order_id),
        )

    def request_invoice(self, order_id: str, number: str = "") -> InvoiceView:
        result = self._mutate(
            """mutation ($order: ID!, $number: String) {
                result: invoiceRequest(orderId: $order, number: $number) {
                    invoice { id number status url } errors { field message } } }""",
            order=_global_id("Order", order_id),
            number=number or None,
        )
        invoice = result["invoice"]
        assert (invoice["status"], bool(invoice["url"])) == ("SUCCESS", True)
        view = self.invoice(_primary_key(invoice["id"]))
        assert view.number == invoice["number"]
        return view

    def disown(self, order_id: str) -> None:
        with allow_writer():
            Order.objects.filter(pk=order_id).update(metadata={})
            OrderLine.objects.filter(order=order_id).update(private_metadata={})

    def make_again(self, order_id: str) -> str:
        order = self.order(order_id)
        again = self.sell(order.channel_id, order.lines[0].variant_id, 1)
        assert again
        key = contract.ORDER_ID_KEY
        self._mutate(
            """mutation ($id: ID!, $input: [MetadataInput!]!) {
                result: updateMetadata(id: $id, input: $input) {
                    errors { field message } } }""",
            id=_global_id("Order", again),
            input=[{"key": key, "value": order.metadata[key]}],
        )
        return again

    def request_refund(
        self,
        order_id: str,
        amount: str | None = None,
        lines: Mapping[str, int] | None = None,
        *,
        with_shipping: bool = False,
        reason: str = "",
    ) -> None:
        with allow_writer():
            order = Order.objects.get(pk=order_id)
            item = order.payment_transactions.get(
                psp_reference=order.external_reference
            )
        transaction_id = _global_id("TransactionItem", str(item.token))
        if not lines and not with_shipping:
            self._mutate(
                """mutation ($id: ID!, $amount: PositiveDecimal, $reason: String) {
                    result: transactionRequestAction(
                        id: $id, actionType: REFUND, amount: $amount,
                        refundReason: $reason
                    ) { transaction { id } errors { field code message } } }""",
                id=transaction_id,
                amount=amount,
                reason=reason or None,
            )
            return
        given: dict[str, Any] = {
            "transactionId": transaction_id,
            "reason": reason,
            "grantRefundForShipping": with_shipping,
            "lines": [
                {"id": _global_id("OrderLine", line_id), "quantity": units}
                for line_id, units in (lines or {}).items()
            ],
        }
        if amount is not None:
            given["amount"] = amount
        granted = self._mutate(
            """mutation ($id: ID!, $input: OrderGrantRefundCreateInput!) {
                result: orderGrantRefundCreate(id: $id, input: $input) {
                    grantedRefund { id } errors { field code message } } }""",
            id=_global_id("Order", order_id),
            input=given,
        )["grantedRefund"]["id"]
        self._mutate(
            """mutation ($id: ID!) {
                result: transactionRequestRefundForGrantedRefund(grantedRefundId: $id) {
                    transaction { id } errors { field code message } } }""",
            id=granted,
        )

    def ask(self, document: str, /, **variables: Any) -> dict[str, Any]:
        return self.query(document, **variables)

    # --- what the shop then holds ----------------------------------------------------

    def refund_failures(self, order_id: str) -> Sequence[str]:
        answer = self.query(
            """query ($id: ID!) { order(id: $id) {
                transactions { events { type message } } } }""",
            id=_global_id("Order", order_id),
        )
        return [
            event["message"]
            for item in answer["order"]["transactions"]
            # The newest comes first.
            for event in reversed(item["events"])
            if event["type"] == "REFUND_FAILURE"
        ]

    def invoice(self, invoice_id: str) -> InvoiceView:
        with allow_writer():
            invoice = Invoice.objects.get(pk=invoice_id)
        with invoice.invoice_file.open("rb") as file:
            content = file.read()
        return InvoiceView(invoice_id, invoice.number, content, invoice.metadata)

    def order(self, order_id: str) -> OrderView:
        order = self.query(ORDER, id=_global_id("Order", order_id))["order"]
        return OrderView(
            order_id=order_id,
            number=order["number"],
            external_reference=order["externalReference"] or "",
            status=STATUS[order["status"]],
            channel_id=_primary_key(order["channel"]["id"]),
            currency=order["total"]["currency"],
            created_at=datetime.fromisoformat(order["created"]),
            # The API shows the customer's where the order has none.
            customer_email=Order.objects.get(pk=order_id).user_email,
            customer=_customer(order["user"]),
            customer_note=order["customerNote"],
            language_code=order["languageCodeEnum"].lower().replace("_", "-"),
            # The API tells the channel's setting, and never the order's own.
            display_gross_prices=Order.objects.get(pk=order_id).display_gross_prices,
            shipping_method_id=_primary_key(order["deliveryMethod"]["id"]),
            shipping_method_name=order["shippingMethodName"],
            shipping=_price(order["shippingPrice"]),
            shipping_tax_rate=_decimal(order["shippingTaxRate"]),
            total=_price(order["total"]),
            undiscounted_total=_price(order["undiscountedTotal"]),
            shipping_address=_address(order["shippingAddress"]),
            billing_address=_address(order["billingAddress"]),
            metadata=_metadata(order["metadata"]),
            private_metadata=_metadata(order["privateMetadata"]),
            lines=tuple(_line(line) for line in order["lines"]),
            fulfillments=tuple(
                FulfillmentView(
                    fulfillment_id=_primary_key(row["id"]),
                    status=row["status"].lower(),
                    tracking_number=row["trackingNumber"],
                    lines={
                        _primary_key(line["orderLine"]["id"]): line["quantity"]
                        for line in row["lines"]
                    },
                    metadata=_metadata(row["metadata"]),
                )
                for row in order["fulfillments"]
            ),
            transactions=tuple(
                TransactionView(
                    psp_reference=row["pspReference"],
                    currency=row["chargedAmount"]["currency"],
                    charged=_decimal(row["chargedAmount"]["amount"]),
                    refunded=_decimal(row["refundedAmount"]["amount"]),
                    refund_pending=_decimal(row["refundPendingAmount"]["amount"]),
                )
                for row in order["transactions"]
            ),
            refunds=tuple(
                _refund(row)
                for row in order["grantedRefunds"]
                if row["status"] == "SUCCESS"
            ),
            notes=tuple(
                event["message"]
                for event in order["events"]
                if event["type"] == "NOTE_ADDED"
            ),
        )

    def search(self, text: str) -> Sequence[str]:
        answer = self.query(
            """query ($text: String!) {
                orders(first: 20, filter: { search: $text }) { edges { node { id } } }
            }""",
            text=text,
        )
        return [_primary_key(e["node"]["id"]) for e in answer["orders"]["edges"]]

    def customer_count(self) -> int:
        return User.objects.filter(is_staff=False).count()

    def order_count(self) -> int:
        return Order.objects.count()

    def emails(self) -> Sequence[str]:
        return [*(message.subject for message in mail.outbox), *self._notifications]

    # --- GraphQL ---------------------------------------------------------------------

    def query(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """Ask as staff; any error fails the test."""
        answer = self._staff.post_graphql(document, variables).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def _mutate(
        self, text: str, *, client: ApiClient | None = None, **variables: Any
    ) -> dict[str, Any]:
        result, errors = self._send(client or self._staff, text, **variables)
        assert not errors, errors
        return result

    @staticmethod
    def _send(
        client: ApiClient, text: str, **variables: Any
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        answer = client.post_graphql(text, variables).json()
        assert "errors" not in answer, answer["errors"]
        result = answer["data"]["result"]
        return result, result["errors"]


ORDER = """
fragment Taxed on TaxedMoney {
  gross { amount currency } net { amount }
}
fragment Where on Address {
  firstName lastName companyName streetAddress1 streetAddress2 city cityArea
  countryArea postalCode country { code } phone
}
query ($id: ID!) {
  order(id: $id) {
    number externalReference status created customerNote languageCodeEnum
    shippingMethodName shippingTaxRate
    channel { id }
    user { id email firstName lastName }
    deliveryMethod { ... on ShippingMethod { id } }
    shippingPrice { ...Taxed }
    total { currency ...Taxed }
    undiscountedTotal { ...Taxed }
    shippingAddress { ...Where }
    billingAddress { ...Where }
    metadata { key value }
    privateMetadata { key value }
    lines {
      id productSku productName quantity quantityFulfilled taxRate
      variant { id }
      allocations { quantity warehouse { id } }
      totalPrice { ...Taxed }
      undiscountedTotalPrice { ...Taxed }
      unitPrice { ...Taxed }
      metadata { key value }
    }
    fulfillments {
      id status trackingNumber
      lines { quantity orderLine { id } }
      metadata { key value }
    }
    transactions {
      pspReference chargedAmount { amount currency } refundedAmount { amount }
      refundPendingAmount { amount }
    }
    grantedRefunds {
      status reason shippingCostsIncluded amount { amount }
      lines { quantity reason orderLine { id } }
      transactionEvents { pspReference type }
    }
    events { type message }
  }
}
"""

STATUS = {
    "UNCONFIRMED": "unconfirmed",
    "UNFULFILLED": "unfulfilled",
    "PARTIALLY_FULFILLED": "partially fulfilled",
    "FULFILLED": "fulfilled",
    "CANCELED": "canceled",
}


def _customer(user: dict[str, Any] | None) -> CustomerView | None:
    if user is None:
        return None
    row = User.objects.get(pk=_primary_key(user["id"]))
    # Saleor keeps the number on the user.
    assert row.number_of_orders == row.orders.count()
    return CustomerView(
        str(row.pk),
        user["email"],
        user["firstName"],
        user["lastName"],
        row.number_of_orders,
    )


def _refund(refund: dict[str, Any]) -> RefundView:
    lines = {_primary_key(line["orderLine"]["id"]): line for line in refund["lines"]}
    return RefundView(
        # The newest comes first.
        psp_reference=refund["transactionEvents"][-1]["pspReference"],
        amount=_decimal(refund["amount"]["amount"]),
        reason=refund["reason"],
        is_shipping_included=refund["shippingCostsIncluded"],
        lines={pk: line["quantity"] for pk, line in lines.items()},
        line_reasons={pk: line["reason"] for pk, line in lines.items()},
    )


def _line(line: dict[str, Any]) -> LineView:
    return LineView(
        line_id=_primary_key(line["id"]),
        sku=line["productSku"],
        name=line["productName"],
        variant_id=_primary_key(line["variant"]["id"]),
        quantity=line["quantity"],
        quantity_fulfilled=line["quantityFulfilled"],
        allocations={
            _primary_key(row["warehouse"]["id"]): row["quantity"]
            for row in line["allocations"]
        },
        total=_price(line["totalPrice"]),
        undiscounted_total=_price(line["undiscountedTotalPrice"]),
        unit_price=_price(line["unitPrice"]),
        tax_rate=_decimal(line["taxRate"]),
        metadata=_metadata(line["metadata"]),
    )


def _price(money: dict[str, Any]) -> Price:
    return Price(_decimal(money["gross"]["amount"]), _decimal(money["net"]["amount"]))


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def _address(address: dict[str, Any] | None) -> AddressDraft | None:
    if address is None:
        return None
    return AddressDraft(
        first_name=address["firstName"],
        last_name=address["lastName"],
        company_name=address["companyName"],
        street_address_1=address["streetAddress1"],
        street_address_2=address["streetAddress2"],
        city=address["city"],
        city_area=address["cityArea"],
        country_area=address["countryArea"],
        postal_code=address["postalCode"],
        country=address["country"]["code"],
        phone=address["phone"] or "",
    )


def _metadata(items: list[dict[str, str]]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in items}


def _is_out_of_stock(errors: list[dict[str, Any]]) -> bool:
    if not errors:
        return False
    assert {error["code"] for error in errors} == {"INSUFFICIENT_STOCK"}, errors
    return True


def _global_id(type_name: str, primary_key: str) -> str:
    return graphene.Node.to_global_id(type_name, primary_key)


def _primary_key(global_id: str) -> str:
    return b64decode(global_id).decode().partition(":")[2]
