"""Mutations that act on the shop first: a shipment, a refund. Amazon hears of them as
of whatever staff do in the shop, since they are captured like that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
from django.db import transaction

from .. import models, store
from . import host as graphql_host
from . import ids
from .arguments import find_order, require_active_channel
from .enums import AmazonAdjustmentReason, ErrorCode
from .errors import AmazonChannelError, refusal
from .host import ActionRefused, StaffRefund, StaffShipment
from .types import AmazonOrder, AmazonOutboxEntry, list_of
from .types import orders as orders_of

host = graphql_host.current()

MAX_TRACKING_NUMBER_LENGTH = 255


class AmazonOrderItemQuantityInput(graphene.InputObjectType):
    order_item_id = graphene.String(
        required=True, description="Amazon's ID of the order item."
    )
    quantity = graphene.Int(required=True, description="How many units on Amazon.")

    class Meta:
        description = "Units of an order item."


def _items() -> graphene.InputField:
    return graphene.InputField(
        graphene.List(graphene.NonNull(AmazonOrderItemQuantityInput)),
        description="Which items, and how many of each.",
    )


class AmazonShipmentConfirmInput(graphene.InputObjectType):
    items = graphene.InputField(
        graphene.List(graphene.NonNull(AmazonOrderItemQuantityInput)),
        description="What is in the package. All that is not shipped yet if not given.",
    )
    tracking_number = graphene.String(description="The package's tracking number.")
    carrier = graphene.String(
        description=(
            "Who carries it: Amazon's carrier code, or what the carrier mapping knows. "
            "The marketplace's default carrier if not given."
        )
    )
    warehouse_id = graphene.ID(
        description=(
            "The ID of the warehouse it leaves. The one where its stock is allocated "
            "if not given."
        )
    )

    class Meta:
        description = "A package that leaves."


class AmazonShipmentConfirm(host.BaseMutation):  # type: ignore[name-defined]
    amazon_order = graphene.Field(AmazonOrder, description="The Amazon order.")
    fulfillment_id = graphene.ID(description="The ID of the shop's fulfillment.")
    outbox_entries = list_of(
        AmazonOutboxEntry,
        "What Amazon is told of the package. None where the shop has fulfillments "
        "approved first.",
        default_value=(),
    )

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the Amazon order.")
        input = AmazonShipmentConfirmInput(
            required=True, description="What leaves, and how."
        )

    class Meta:
        description = (
            "Fulfills items in the shop, in one package, as `orderFulfill` does; the "
            "workers then confirm the shipment to Amazon within seconds."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls, _root: Any, info: Any, /, *, id: str, input: Mapping[str, Any]
    ) -> Any:
        require_active_channel()
        order = _imported(info, id)
        items = list(order.items.order_by("pk"))
        wanted = _wanted(items, input.get("items"))
        lines = _left(order, items) if wanted is None else _lines(wanted)
        if not lines:
            raise refusal(ErrorCode.INVALID, "Nothing is left to ship.", "items")
        tracking_number = (input.get("tracking_number") or "").strip()
        if len(tracking_number) > MAX_TRACKING_NUMBER_LENGTH:
            raise refusal(
                ErrorCode.INVALID,
                f"At most {MAX_TRACKING_NUMBER_LENGTH} characters.",
                "tracking_number",
            )
        marketplace = models.Marketplace.objects.filter(
            account=order.account_id, marketplace_id=order.marketplace_id
        ).first()
        warehouse_id = input.get("warehouse_id") or ""
        try:
            fulfillment_id = host.fulfil(
                info.context,
                StaffShipment(
                    order_id=order.shop_order_id or "",
                    lines=lines,
                    warehouse_ids=marketplace.warehouse_ids if marketplace else (),
                    warehouse_id=ids.of_shop(warehouse_id, "Warehouse"),
                    tracking_number=tracking_number,
                    carrier=(input.get("carrier") or "").strip(),
                ),
            )
        except ActionRefused as refused:
            raise refusal(ErrorCode.INVALID, str(refused), "id") from refused
        package = order.packages.filter(fulfillment_id=fulfillment_id).first()
        entries = order.outbox_entries.filter(
            kind=models.OutboxEntry.Kind.CONFIRM_SHIPMENT
        ).exclude(state=models.OutboxEntry.State.SUPERSEDED)
        with host.reading(info.context) as using:
            return cls(
                amazon_order=orders_of(using).get(pk=order.pk),
                fulfillment_id=ids.to_global("Fulfillment", fulfillment_id),
                outbox_entries=[
                    entry
                    for entry in entries
                    if package
                    and entry.payload["package_reference_id"]
                    == package.package_reference_id
                ],
            )


class AmazonRefundCreateInput(graphene.InputObjectType):
    amount = host.PositiveDecimal(
        description=(
            "How much, in the order's currency. All that the items and the shipping "
            "cost, or all that is charged, if not given."
        )
    )
    items = _items()
    is_shipping_included = graphene.Boolean(
        description="Whether the shipping costs are refunded."
    )
    reason = AmazonAdjustmentReason(
        description="Why, in Amazon's terms. A general adjustment if not given."
    )

    class Meta:
        description = (
            "What is refunded. Without items and shipping it is an amount for no part "
            "of the order in particular."
        )


class AmazonRefundCreate(host.BaseMutation):  # type: ignore[name-defined]
    amazon_order = graphene.Field(AmazonOrder, description="The Amazon order.")
    outbox_entry = graphene.Field(
        AmazonOutboxEntry, description="The refund on its way, and how far it is."
    )

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the Amazon order.")
        input = AmazonRefundCreateInput(
            required=True, description="What is refunded, and why."
        )

    class Meta:
        description = (
            "Asks for a refund in the shop, as staff do there: an amount as "
            "`transactionRequestAction` does, items and shipping as a granted refund. "
            "Amazon makes it within minutes, once, and never above what is left; the "
            "shop's transaction says what became of it. In Saleor `HANDLE_PAYMENTS` is "
            "needed as well, as it is for refunds there."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls, _root: Any, info: Any, /, *, id: str, input: Mapping[str, Any]
    ) -> Any:
        require_active_channel()
        order = _imported(info, id)
        wanted = _wanted(list(order.items.order_by("pk")), input.get("items")) or {}
        try:
            request_id = host.request_refund(
                info.context,
                StaffRefund(
                    order_id=order.shop_order_id or "",
                    amount=input.get("amount"),
                    lines=_lines(wanted),
                    is_shipping_included=bool(input.get("is_shipping_included")),
                    reason=input.get("reason") or "",
                ),
            )
        except ActionRefused as refused:
            raise refusal(ErrorCode.INVALID, str(refused), "id") from refused
        taken = (
            models.ShopRefund.objects.filter(order=order, request_id=request_id)
            .select_related("entry")
            .first()
        )
        with host.reading(info.context) as using:
            return cls(
                amazon_order=orders_of(using).get(pk=order.pk),
                # None where capture failed: the sweep takes it within a minute.
                outbox_entry=taken.entry if taken else None,
            )


def _imported(info: Any, id: str) -> models.AmazonOrder:
    order = find_order(
        info,
        id,
        models.AmazonOrder.objects.only(
            "amazon_order_id", "account_id", "marketplace_id", "shop_order_id"
        ),
    )
    if not order.shop_order_id:
        raise refusal(
            ErrorCode.INVALID,
            f"Order {order.amazon_order_id} is not in the shop: import it first.",
            "id",
        )
    return order


def _wanted(
    items: Sequence[models.AmazonOrderItem], given: Sequence[Mapping[str, Any]] | None
) -> dict[models.AmazonOrderItem, int] | None:
    """Units on Amazon of the order's items, as given. Raises a refusal."""
    if not given:
        return None
    by_id = {item.order_item_id: item for item in items}
    wanted: dict[models.AmazonOrderItem, int] = {}
    for each in given:
        item, quantity = by_id.get(each["order_item_id"]), each["quantity"]
        if item is None or not item.shop_line_id or item in wanted:
            raise refusal(
                ErrorCode.NOT_FOUND,
                f"The order has no such item, or it is named twice: "
                f"{each['order_item_id'][:64]}",
                "items",
            )
        if not 0 < quantity <= item.quantity_ordered:
            raise refusal(
                ErrorCode.INVALID,
                f"Of item {item.order_item_id} {item.quantity_ordered} were ordered.",
                "items",
            )
        wanted[item] = quantity
    return wanted


def _left(
    order: models.AmazonOrder, items: Sequence[models.AmazonOrderItem]
) -> dict[str, int]:
    """The shop's lines and units that have not left, for all that shop and Amazon know:
    either may have heard of a package before the other."""
    with transaction.atomic():
        state = store.current().order_state(order.shop_order_id or "")
    now = state.lines if state else {}
    left = {
        item.shop_line_id: min(
            now[item.shop_line_id].quantity - now[item.shop_line_id].fulfilled,
            (item.quantity_ordered - item.quantity_shipped) * item.units_per_item,
        )
        for item in items
        if item.shop_line_id in now
    }
    return {line_id: units for line_id, units in left.items() if units > 0}


def _lines(wanted: Mapping[models.AmazonOrderItem, int]) -> dict[str, int]:
    """The shop's lines and units."""
    return {
        item.shop_line_id: quantity * item.units_per_item
        for item, quantity in wanted.items()
        if item.shop_line_id
    }
