"""Writing to the buyer of an Amazon order, in the ways that Amazon offers.

What Amazon offers is asked for by a mutation, not by a field: a client repeats queries
as it likes, and each of these is a call to Amazon with a small usage plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import graphene

from .. import budget, buyer_messages, clock, models
from ..accounts import WHILE_SOMEBODY_WAITS
from ..amazon import errors, messaging, solicitations
from ..amazon.client import Client
from ..amazon.messaging import FORMS, File, Message, MessageAction
from ..pushing import messages, review_requests
from . import host as graphql_host
from .arguments import find_order, require_active_channel
from .enums import AmazonMessageAction, ErrorCode
from .errors import AmazonChannelError, of_amazon, refusal
from .types import AmazonOrder, AmazonOutboxEntry, list_of
from .types import orders as orders_of

host = graphql_host.current()

T = TypeVar("T")

#: No call starts later than this, and one takes at most 5 s.
LAST_CALL_SECONDS = 5

#: Fields that the input names otherwise than ``amazon.messaging`` does.
_FIELDS = {
    "coverage_start": "coverage_start_date",
    "coverage_end": "coverage_end_date",
}


class AmazonMessageForm(graphene.ObjectType):
    action = AmazonMessageAction(required=True, description="The kind of message.")
    max_text_length = graphene.Int(
        description=(
            "How many characters its text may have. `null` when it has no text; "
            "otherwise a text is required."
        )
    )
    takes_attachments = graphene.Boolean(
        required=True,
        description="Whether files can be attached: up to 5, of 10 MB together.",
    )
    needs_attachment = graphene.Boolean(
        required=True, description="Whether there must be a file."
    )

    class Meta:
        description = "A kind of message that Amazon offers, and what it is made of."

    @staticmethod
    def resolve_action(root: MessageAction, _info: Any) -> str:
        return root.value

    @staticmethod
    def resolve_max_text_length(root: MessageAction, _info: Any) -> int | None:
        return FORMS[root].most_characters or None

    @staticmethod
    def resolve_takes_attachments(root: MessageAction, _info: Any) -> bool:
        return FORMS[root].takes_attachments

    @staticmethod
    def resolve_needs_attachment(root: MessageAction, _info: Any) -> bool:
        return FORMS[root].needs_attachment


@dataclass
class _Offer:
    messages: Sequence[MessageAction]
    buyer_locale: str | None
    is_review_request_offered: bool | None


class AmazonMessagingOffer(graphene.ObjectType):
    messages = list_of(AmazonMessageForm, "The kinds of message that can be sent now.")
    buyer_locale = graphene.String(
        description=(
            "The language in which Amazon wants messages written, for example "
            "`de-DE`. `null` when it could not be read in time."
        )
    )
    is_review_request_offered = graphene.Boolean(
        description=(
            "Whether the buyer can be asked for a review. `null` when it could not be "
            "read in time."
        )
    )

    class Meta:
        description = "How the buyer of an order can be reached at this moment."


class AmazonMessagingOfferFetch(host.BaseMutation):  # type: ignore[name-defined]
    offer = graphene.Field(
        AmazonMessagingOffer, description="What Amazon offers for the order now."
    )

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the Amazon order.")

    class Meta:
        description = (
            "Asks Amazon, within at most 10 seconds, which messages the buyer of an "
            "order can be sent now. It depends on the order's status and age, and on "
            "what was sent before."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, id: str) -> Any:
        order = _order(info, id)
        where = (order.amazon_order_id, order.marketplace_id)
        last_call = clock.now() + timedelta(seconds=LAST_CALL_SECONDS * clock.factor())

        def in_time(read: Callable[..., T], client: Client) -> T | None:
            try:
                return read(client, *where) if clock.now() <= last_call else None
            except errors.AmazonError:
                return None

        with _client(order) as client:
            try:
                offered = messaging.get_actions(client, *where)
            except errors.AmazonError as error:
                raise of_amazon(error, "id") from error
            return cls(
                offer=_Offer(
                    [action for action in MessageAction if action in offered],
                    in_time(messaging.get_locale, client) or None,
                    in_time(solicitations.is_review_offered, client),
                )
            )


class AmazonBuyerMessageInput(graphene.InputObjectType):
    action = AmazonMessageAction(required=True, description="The kind of message.")
    text = graphene.String(
        description=(
            "What is written, in the buyer's language: no HTML, no e-mail address, "
            "and no link but those the matter needs."
        )
    )
    attachments = graphene.List(
        graphene.NonNull(host.Upload),
        description=(
            "Files in a multipart request: text, PDF, Word, JPEG, GIF or PNG, up to 5 "
            "and 10 MB together."
        ),
    )
    coverage_start_date = host.DateTime(
        description="From when on a warranty covers the product."
    )
    coverage_end_date = host.DateTime(
        description="Until when a warranty covers the product."
    )

    class Meta:
        description = "A message to the buyer of an Amazon order."


class AmazonBuyerMessageSend(host.BaseMutation):  # type: ignore[name-defined]
    amazon_order = graphene.Field(AmazonOrder, description="The Amazon order.")
    outbox_entry = graphene.Field(
        AmazonOutboxEntry, description="The message, and how far it has come."
    )

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the Amazon order.")
        input = AmazonBuyerMessageInput(required=True, description="The message.")

    class Meta:
        description = (
            "Sends a message to the buyer of an Amazon order through Amazon. Asks "
            "Amazon first whether it offers this kind of message, for at most 10 "
            "seconds; the workers send it within seconds, once. The same message is "
            "not sent to the same buyer twice."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls, _root: Any, info: Any, /, *, id: str, input: dict[str, Any]
    ) -> Any:
        order = _order(info, id)
        message = Message(
            MessageAction(input["action"]),
            input.get("text") or "",
            coverage_start=_aware(input.get("coverage_start_date")),
            coverage_end=_aware(input.get("coverage_end_date")),
        )
        files = _files(info.context, input.get("attachments") or ())
        problems = messaging.problems(message, files)
        if problems:
            raise _of_problems(problems)
        _check_offered(order, message.action)
        try:
            entry = buyer_messages.request_message(
                order.amazon_order_id, message, files, host.requestor_name(info.context)
            )
        except buyer_messages.SentBeforeError as error:
            raise refusal(ErrorCode.UNIQUE, str(error), "input") from error
        with host.reading(info.context) as using:
            return cls(
                amazon_order=orders_of(using).get(pk=order.pk), outbox_entry=entry
            )


class AmazonReviewRequest(host.BaseMutation):  # type: ignore[name-defined]
    amazon_order = graphene.Field(AmazonOrder, description="The Amazon order.")
    outbox_entry = graphene.Field(
        AmazonOutboxEntry, description="The request, and how far it has come."
    )

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the Amazon order.")

    class Meta:
        description = (
            "Has Amazon ask the buyer of an order for a review, in Amazon's own words. "
            f"{review_requests.WINDOW}"
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, id: str) -> Any:
        order = _order(info, id)
        if _read(order, solicitations.is_review_offered) is False:
            raise refusal(
                ErrorCode.NOT_OFFERED,
                f"Amazon offers no review request for the order now. "
                f"{review_requests.WINDOW}",
                "id",
            )
        try:
            entry = buyer_messages.request_review(
                order.amazon_order_id, host.requestor_name(info.context)
            )
        except buyer_messages.SentBeforeError as error:
            raise refusal(ErrorCode.UNIQUE, str(error), "id") from error
        with host.reading(info.context) as using:
            return cls(
                amazon_order=orders_of(using).get(pk=order.pk), outbox_entry=entry
            )


def _order(info: Any, global_id: str) -> models.AmazonOrder:
    require_active_channel()
    order = find_order(
        info,
        global_id,
        models.AmazonOrder.objects.select_related("account").only(
            "amazon_order_id", "marketplace_id", "account"
        ),
    )
    account = order.account
    if account.state != models.SellerAccount.State.ACTIVE:
        raise refusal(
            ErrorCode.INACTIVE,
            f"The account {account.name} is not active. {account.state_reason}".strip(),
            "id",
        )
    return order


def _client(order: models.AmazonOrder) -> Client:
    return budget.client_for(order.account, **WHILE_SOMEBODY_WAITS)


def _read(order: models.AmazonOrder, read: Callable[..., T]) -> T | None:
    """What Amazon says, or nothing where it does not say now: the worker asks again.

    Raises what a person must act on.
    """
    try:
        with _client(order) as client:
            return read(client, order.amazon_order_id, order.marketplace_id)
    except (errors.TryLater, errors.MalformedAnswer):
        return None
    except errors.AmazonError as error:
        raise of_amazon(error, "id") from error


def _check_offered(order: models.AmazonOrder, action: MessageAction) -> None:
    offered = _read(order, messaging.get_actions)
    if offered is not None and action not in offered:
        raise refusal(
            ErrorCode.NOT_OFFERED, messages.not_offered(action, offered), "action"
        )


def _aware(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise refusal(ErrorCode.INVALID, "The time needs a time zone.", "input")
    return moment


def _files(context: Any, keys: Sequence[Any]) -> list[File]:
    """The uploaded files, as Saleor's own mutations find them."""
    found = []
    for key in keys[: messaging.MOST_ATTACHMENTS + 1]:
        file = context.FILES.get(key) if isinstance(key, str) else None
        if file is None:
            raise refusal(
                ErrorCode.REQUIRED,
                "The file is not there: send it as a part of a multipart request.",
                "attachments",
            )
        if file.size > messaging.MOST_ATTACHED_BYTES:
            raise refusal(
                ErrorCode.INVALID, "The file is larger than 10 MB.", "attachments"
            )
        found.append(File(file.name, file.read()))
    return found


def _of_problems(problems: Sequence[tuple[str, str]]) -> Any:
    """All of them, each at its field."""
    first, *others = (
        refusal(ErrorCode.INVALID, why, _FIELDS.get(field, field))
        for field, why in problems
    )
    for other in others:
        for field, found in other.error_dict.items():
            first.error_dict.setdefault(field, []).extend(found)
    return first
