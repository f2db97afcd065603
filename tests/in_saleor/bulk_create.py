"""Saleor's ``orderBulkCreate``, fed with the same drafts as our writer: the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphene
from saleor.app.models import App
from saleor.graphql import api
from saleor.graphql.context import clear_context, get_context_value
from saleor.graphql.webhook.subscription_payload import initialize_request
from saleor.permission.enums import OrderPermissions, get_permissions
from saleor.tax.models import TaxClass

from saleor_amazon_channel.store.contract import (
    AddressDraft,
    Channel,
    LineDraft,
    NewOrder,
    Price,
)

MUTATION = """
mutation ($orders: [OrderBulkCreateInput!]!) {
  orderBulkCreate(orders: $orders) {
    results { order { id } errors { path message code } }
    errors { message }
  }
}
"""


class BulkCreate:
    """The mutation, run in this process as an app that may import orders."""

    def __init__(self) -> None:
        self._app = App.objects.create(name="Importer", is_active=True)
        self._app.permissions.set(
            get_permissions(
                [
                    OrderPermissions.MANAGE_ORDERS.value,
                    OrderPermissions.MANAGE_ORDERS_IMPORT.value,
                ]
            )
        )
        # The mutation demands one, where Saleor itself would do without.
        self.tax_class = TaxClass.objects.create(name="Bulk")

    def __call__(self, orders: Sequence[NewOrder], channel: Channel) -> list[str]:
        """Answers the ids of the orders. Any error fails."""
        data = self._run({"orders": [self._order(new, channel) for new in orders]})
        result = data["orderBulkCreate"]
        assert not result["errors"], result["errors"]
        for row in result["results"]:
            assert not row["errors"], row["errors"]
        return [
            graphene.Node.from_global_id(row["order"]["id"])[1]
            for row in result["results"]
        ]

    def _run(self, variables: dict[str, Any]) -> dict[str, Any]:
        request = initialize_request(app=self._app, requestor=self._app)
        request.app = request.requestor = self._app
        context = get_context_value(request)
        context.allow_replica = False
        try:
            answer = api.backend.document_from_string(api.schema, MUTATION).execute(
                root=None, variables=variables, context=context
            )
        finally:
            clear_context(context)
        assert not answer.errors, answer.errors
        return answer.data

    def _order(self, new: NewOrder, channel: Channel) -> dict[str, Any]:
        draft = new.draft
        tax_class = _global_id("TaxClass", self.tax_class.pk)
        warehouse = _global_id("Warehouse", new.warehouse_ids[0])
        shipped = [line for line in draft.lines if line.quantity_shipped]
        return {
            "externalReference": draft.amazon_order_id,
            "channel": channel.slug,
            "createdAt": draft.created_at.isoformat(),
            "status": _status(draft.lines),
            "user": {"email": "buyer@example.com"},
            "billingAddress": _address(draft.billing_address),
            "shippingAddress": _address(draft.shipping_address),
            "currency": draft.currency,
            "languageCode": draft.language_code.upper().replace("-", "_"),
            "customerNote": draft.customer_note,
            "metadata": _metadata(draft.metadata),
            "privateMetadata": _metadata(draft.private_metadata),
            "lines": [
                {
                    "variantId": _global_id(
                        "ProductVariant", new.variant_ids[line.sku]
                    ),
                    "productSku": line.sku,
                    "createdAt": draft.created_at.isoformat(),
                    "isShippingRequired": True,
                    "isGiftCard": False,
                    "quantity": line.quantity,
                    "totalPrice": _price(line.total),
                    "undiscountedTotalPrice": _price(line.undiscounted_total),
                    "taxRate": line.tax_rate,
                    "taxClassId": tax_class,
                    "warehouse": warehouse,
                    "metadata": _metadata(line.metadata),
                }
                for line in draft.lines
            ],
            "deliveryMethod": {
                "shippingMethodId": _global_id(
                    "ShippingMethod", new.shipping_method_id
                ),
                "shippingMethodName": draft.shipping_name,
                "shippingPrice": _price(draft.shipping),
                "shippingTaxClassId": tax_class,
            },
            "fulfillments": [
                {
                    "lines": [
                        {
                            "variantId": _global_id(
                                "ProductVariant", new.variant_ids[line.sku]
                            ),
                            "quantity": line.quantity_shipped,
                            "warehouse": warehouse,
                            "orderLineIndex": draft.lines.index(line),
                        }
                        for line in shipped
                    ]
                }
            ]
            if shipped
            else [],
            "transactions": [
                {
                    "name": draft.marketplace_name,
                    "pspReference": draft.amazon_order_id,
                    "availableActions": ["REFUND"],
                    "amountCharged": {
                        "amount": draft.total.gross,
                        "currency": draft.currency,
                    },
                }
            ],
        }


def _status(lines: Sequence[LineDraft]) -> str:
    shipped = sum(line.quantity_shipped for line in lines)
    if not shipped:
        return "UNFULFILLED"
    if shipped < sum(line.quantity for line in lines):
        return "PARTIALLY_FULFILLED"
    return "FULFILLED"


def _address(address: AddressDraft | None) -> dict[str, Any]:
    assert address is not None
    return {
        "firstName": address.first_name,
        "lastName": address.last_name,
        "companyName": address.company_name,
        "streetAddress1": address.street_address_1,
        "streetAddress2": address.street_address_2,
        "city": address.city,
        "cityArea": address.city_area,
        "countryArea": address.country_area,
        "postalCode": address.postal_code,
        "country": address.country,
        "phone": address.phone,
    }


def _price(price: Price) -> dict[str, Any]:
    return {"gross": price.gross, "net": price.net}


def _metadata(metadata: Any) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in metadata.items()]


def _global_id(type_name: str, primary_key: object) -> str:
    return graphene.Node.to_global_id(type_name, primary_key)
