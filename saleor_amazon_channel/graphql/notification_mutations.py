"""Have Amazon say what changed, through an SQS queue; and end that."""

from __future__ import annotations

from typing import Any

import graphene

from ..accounts import AccountError
from ..notifications import subscribing
from . import host as graphql_host
from .arguments import find_account
from .errors import AmazonChannelError, of_account
from .types import AmazonAccount, load_accounts

host = graphql_host.current()


class AmazonNotificationsSubscribe(host.BaseMutation):  # type: ignore[name-defined]
    account = graphene.Field(
        AmazonAccount, description="The account with its notifications."
    )

    class Arguments:
        account_id = graphene.ID(
            required=True, description="The ID of the seller account."
        )
        queue_arn = graphene.String(
            required=True,
            description=(
                "The ARN of a standard SQS queue of your AWS account, which Amazon may "
                "write to and this shop may read. Of this account only."
            ),
        )
        queue_endpoint = graphene.String(
            description="The address of SQS, if it is not AWS's own: for tests."
        )
        replace = graphene.Boolean(
            description=(
                "Take the subscriptions over if Amazon sends the notifications to a "
                "queue now that was not chosen here."
            )
        )

    class Meta:
        description = (
            "Has Amazon send the account's notifications to a queue, which is read "
            "every 15 seconds. Done again it changes nothing; with another queue it "
            "moves there. Takes at most 10 seconds."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls,
        _root: Any,
        info: Any,
        /,
        *,
        account_id: str,
        queue_arn: str,
        queue_endpoint: str | None = None,
        replace: bool | None = None,
    ) -> Any:
        account = find_account(account_id, "account_id")
        try:
            subscribing.subscribe(
                account, queue_arn, queue_endpoint or "", replace=bool(replace)
            )
        except AccountError as error:
            raise of_account(error) from error
        with host.reading(info.context) as using:
            return cls(account=load_accounts(using, pk=account.pk)[0])


class AmazonNotificationsUnsubscribe(host.BaseMutation):  # type: ignore[name-defined]
    account = graphene.Field(AmazonAccount, description="The account.")

    class Arguments:
        account_id = graphene.ID(
            required=True, description="The ID of the seller account."
        )

    class Meta:
        description = (
            "Ends the account's subscriptions at Amazon; the queue is not read any "
            "more. Orders come by the scans then. Takes at most 10 seconds."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, account_id: str) -> Any:
        account = find_account(account_id, "account_id")
        try:
            subscribing.unsubscribe(account)
        except AccountError as error:
            raise of_account(error) from error
        with host.reading(info.context) as using:
            return cls(account=load_accounts(using, pk=account.pk)[0])
